"""Loss and metrics of each task."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from trainer.model.outputs import REGRESSION
from trainer.signatures import EXAMPLE_WEIGHT

Metric = tuple[tf.Tensor, tf.Operation]
"""A streaming metric: its value, and the op that adds a batch and returns the new value."""


def n_logits(params: Mapping[str, Any]) -> int:
    """Returns the number of logits: one per class for `multiclass`, else a single one.

    >>> n_logits({"task": "multiclass", "n_classes": 3})
    3
    >>> n_logits({"task": "binary", "n_classes": 2})
    1
    """
    return params["n_classes"] if params["task"] == "multiclass" else 1


def unstandardize(logits: tf.Tensor, params: Mapping[str, Any]) -> tf.Tensor:
    """Converts a regression's logits to predictions: `target_mean + target_deviation * logit`.

    The network predicts a z-score, so that one learning rate suits targets of any magnitude.

    >>> params = {"target_mean": 100.0, "target_deviation": 20.0}
    >>> unstandardize(tf.constant([[0.0], [1.5]]), params).numpy().tolist()
    [[100.0], [130.0]]

    Args:
        logits: Float32 `[batch_size, 1]`.
        params: `target_mean` and `target_deviation`, both of the train split.
    """
    return params["target_mean"] + params["target_deviation"] * logits


def standardize(labels: tf.Tensor, params: Mapping[str, Any]) -> tf.Tensor:
    """Converts labels to z-scores, `(label - target_mean) / target_deviation`; the shape is kept.

    >>> params = {"target_mean": 100.0, "target_deviation": 20.0}
    >>> standardize(tf.constant([100.0, 130.0]), params).numpy().tolist()
    [0.0, 1.5]
    """
    return (labels - params["target_mean"]) / params["target_deviation"]


def example_weights(features: Mapping[str, tf.Tensor]) -> tf.Tensor | None:
    """Returns the weight of each example, float32 `[batch_size]`; None if examples have no weights.

    >>> example_weights({EXAMPLE_WEIGHT: tf.constant([[2.0], [0.5]])}).numpy().tolist()
    [2.0, 0.5]
    """
    weights = features.get(EXAMPLE_WEIGHT)
    return None if weights is None else tf.reshape(weights, [-1])


def compute_loss(
    logits: tf.Tensor,
    labels: tf.Tensor,
    weights: tf.Tensor | None,
    params: Mapping[str, Any],
) -> tf.Tensor:
    """Computes the mean loss of a batch, `sum(weight * loss) / sum(weight)`; 0 if weights are 0.

    The loss of an example is
      * multiclass: the softmax cross-entropy, `-log(softmax(logits)[label])`;
      * binary: the sigmoid cross-entropy, `-log(sigmoid(logit))` for class 1 and
        `-log(sigmoid(-logit))` for class 0;
      * regression: the squared error of the z-score, `(logit - z)^2`; a model that always predicts
        the mean of the train split has a loss of 1 there.

    Logits 0 and 2 for two z-scores of 0, with weights 3 and 1: the loss is (3 * 0 + 1 * 4) / 4.

    >>> params = {"task": "regression", "target_mean": 100.0, "target_deviation": 20.0}
    >>> logits, labels = tf.constant([[0.0], [2.0]]), tf.constant([100.0, 100.0])
    >>> float(compute_loss(logits, labels, tf.constant([3.0, 1.0]), params))
    1.0

    Args:
        logits: Float32 `[batch_size, n_logits]`.
        labels: Class ids, int64 `[batch_size]`, or numbers, float32 `[batch_size]`.
        weights: Float32 `[batch_size]`, or None if all examples have the same weight.
        params: `task`; for a regression also `target_mean` and `target_deviation`.

    Returns:
        Float32 scalar.
    """
    if params["task"] == "multiclass":
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    elif params["task"] == REGRESSION:
        losses = tf.math.squared_difference(logits[:, 0], standardize(labels, params))
    else:
        losses = tf.nn.sigmoid_cross_entropy_with_logits(
            labels=tf.cast(labels, tf.float32), logits=logits[:, 0]
        )
    if weights is None:
        return tf.reduce_mean(losses)
    return tf.math.divide_no_nan(tf.reduce_sum(weights * losses), tf.reduce_sum(weights))


def make_metrics(
    predictions: Mapping[str, tf.Tensor],
    labels: tf.Tensor,
    weights: tf.Tensor | None,
    params: Mapping[str, Any],
) -> dict[str, Metric]:
    """Makes the metrics of a task; each example counts by its weight.

    Classification:
      * `accuracy`: the fraction of examples whose predicted class is the label.

    Binary classification, for class 1:
      * `precision`: TP / (TP + FP) at a probability of 0.5; 0 if class 1 is never predicted;
      * `recall`: TP / (TP + FN) at a probability of 0.5; 0 if there is no example of class 1;
      * `auc`: the area under the ROC curve, by trapezoids over 200 thresholds; 1 without examples
        of class 1 and 0 without examples of class 0.

    Regression:
      * `mse`: the mean of `(prediction - label)^2`; `rmse`: its square root;
      * `mae`: the mean of `|prediction - label|`;
      * `r2`: `1 - mse / variance(label)`; 0 if all labels are equal.

    Two of three examples are predicted correctly; they have half of the total weight:

    >>> with tf.Graph().as_default(), tf.compat.v1.Session() as session:
    ...     predictions = {"class_ids": tf.constant([[0], [1], [1]])}
    ...     labels, weights = tf.constant([0, 1, 2]), tf.constant([1.0, 1.0, 2.0])
    ...     metrics = make_metrics(predictions, labels, weights, {"task": "multiclass"})
    ...     session.run(tf.compat.v1.local_variables_initializer())
    ...     value, update = metrics["accuracy"]
    ...     float(session.run(update))
    0.5

    Args:
        predictions: What `complete_predictions` returns.
        labels: Class ids, int64 `[batch_size]`, or numbers, float32 `[batch_size]`.
        weights: Float32 `[batch_size]`, or None if all examples have the same weight.
        params: `task`; for a regression also `target_mean` and `target_deviation`.

    Returns:
        Metrics by name.
    """
    metrics = tf.compat.v1.metrics  # ops end in _op, since the summaries take the plain names
    if params["task"] == REGRESSION:
        values = predictions["predictions"][:, 0]
        return {
            "rmse": metrics.root_mean_squared_error(labels, values, weights, name="rmse_op"),
            "mse": metrics.mean_squared_error(labels, values, weights, name="mse_op"),
            "mae": metrics.mean_absolute_error(labels, values, weights, name="mae_op"),
            "r2": _r2(standardize(labels, params), standardize(values, params), weights),
        }
    class_ids = predictions["class_ids"][:, 0]
    accuracy = metrics.accuracy(labels, class_ids, weights, name="accuracy_op")
    if params["task"] == "multiclass":
        return {"accuracy": accuracy}
    return {
        "accuracy": accuracy,
        "precision": metrics.precision(labels, class_ids, weights, name="precision_op"),
        "recall": metrics.recall(labels, class_ids, weights, name="recall_op"),
        "auc": metrics.auc(
            labels,
            predictions["probabilities"][:, 1],
            weights,
            summation_method="careful_interpolation",
            name="auc_op",
        ),
    }


def write_summaries(metrics: Mapping[str, Metric]) -> None:
    """Writes the metrics up to the current step as scalar summaries, for TensorBoard.

    >>> with tf.Graph().as_default():
    ...     write_summaries({"accuracy": (tf.constant(0.5), tf.constant(0.75))})
    ...     summaries = tf.compat.v1.get_collection(tf.compat.v1.GraphKeys.SUMMARIES)
    ...     [summary.op.name for summary in summaries]
    ['accuracy']
    """
    for name, (_, update) in metrics.items():
        tf.compat.v1.summary.scalar(name, update)


def _r2(labels: tf.Tensor, values: tf.Tensor, weights: tf.Tensor | None) -> Metric:
    """Computes R² from z-scores: it does not depend on the unit, and sums lose less precision."""
    terms = (tf.math.squared_difference(labels, values), labels, labels**2)
    error, mean, square = (tf.compat.v1.metrics.mean(term, weights) for term in terms)

    def r2(error: tf.Tensor, mean: tf.Tensor, square: tf.Tensor) -> tf.Tensor:
        variance = square - mean**2
        return tf.where(variance > 0, 1 - tf.math.divide_no_nan(error, variance), 0.0)

    return r2(error[0], mean[0], square[0]), r2(error[1], mean[1], square[1])
