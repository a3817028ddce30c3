"""The loss and the metrics of each task."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from trainer.model.outputs import REGRESSION
from trainer.signatures import EXAMPLE_WEIGHT

Metric = tuple[tf.Tensor, tf.Operation]
"""A metric of TensorFlow 1: its value, and what adds a batch to it and gives the new value."""


def n_logits(params: Mapping[str, Any]) -> int:
    """Gives the width of the logits: one per class; one in all for two classes or a number."""
    return params["n_classes"] if params["task"] == "multiclass" else 1


def unstandardize(logits: tf.Tensor, params: Mapping[str, Any]) -> tf.Tensor:
    """Gives the number that a regression predicts: `target_mean + target_deviation * logit`.

    The network sees the target as a z-score, so that it learns prices and shares alike.

    Args:
        logits: Float32 `[batch_size, 1]`.
        params: `target_mean` and `target_deviation`, those of the train split.
    """
    return params["target_mean"] + params["target_deviation"] * logits


def standardize(labels: tf.Tensor, params: Mapping[str, Any]) -> tf.Tensor:
    """Gives the target as a z-score, `(label - target_mean) / target_deviation`, its shape kept."""
    return (labels - params["target_mean"]) / params["target_deviation"]


def example_weights(features: Mapping[str, tf.Tensor]) -> tf.Tensor | None:
    """Gives the weight of each example, float32 `[batch_size]`; None if there are none."""
    weights = features.get(EXAMPLE_WEIGHT)
    return None if weights is None else tf.reshape(weights, [-1])


def compute_loss(
    logits: tf.Tensor,
    labels: tf.Tensor,
    weights: tf.Tensor | None,
    params: Mapping[str, Any],
) -> tf.Tensor:
    """Computes the mean loss of a batch, `sum(weight * loss) / sum(weight)`; 0 if all weigh 0.

    The loss of an example is
      * multiclass: the softmax cross-entropy, `-log(softmax(logits)[label])`;
      * binary: the sigmoid cross-entropy, `-log(sigmoid(logit))` of class 1, of class 0
        `-log(sigmoid(-logit))`;
      * regression: the squared error of the z-score, `(logit - z)^2`, so that a loss of 1 is that
        of a model which predicts the mean of the train split.

    Args:
        logits: Float32 `[batch_size, n_logits]`.
        labels: Class ids, int64 `[batch_size]`, or numbers, float32 `[batch_size]`.
        weights: Float32 `[batch_size]`, or None: all examples weigh alike.
        params: `task`, and of a regression `target_mean` and `target_deviation`.

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
    """Makes the metrics of a task, each example counted by its weight.

    Of every classification `accuracy`, the share of examples whose class is the predicted one. Of a
    binary one, of class 1, at a probability of 0.5, `precision` = TP / (TP + FP) and `recall` =
    TP / (TP + FN), 0 where nothing is predicted or is there, and `auc`, the area under the ROC
    curve, by trapezoids over 200 thresholds, 1 without class 1 and 0 without class 0. Of a
    regression `mse`, the mean of `(prediction - label)^2`, `rmse`, its square root, `mae`, the mean
    of `|prediction - label|`, and `r2`, `1 - mse / variance(label)`, 0 where all labels are alike.

    Args:
        predictions: What `complete_predictions` gives.
        labels: Class ids, int64 `[batch_size]`, or numbers, float32 `[batch_size]`.
        weights: Float32 `[batch_size]`, or None.
        params: `task`, and of a regression `target_mean` and `target_deviation`.
    """
    metrics = tf.compat.v1.metrics  # their names leave those of the summaries free
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
    """Writes the metrics so far as summaries, which TensorBoard draws."""
    for name, (_, update) in metrics.items():
        tf.compat.v1.summary.scalar(name, update)


def _r2(labels: tf.Tensor, values: tf.Tensor, weights: tf.Tensor | None) -> Metric:
    """Computes R² of z-scores, for the sums' precision; it is the same in any unit."""
    terms = (tf.math.squared_difference(labels, values), labels, labels**2)
    error, mean, square = (tf.compat.v1.metrics.mean(term, weights) for term in terms)

    def r2(error: tf.Tensor, mean: tf.Tensor, square: tf.Tensor) -> tf.Tensor:
        variance = square - mean**2
        return tf.where(variance > 0, 1 - tf.math.divide_no_nan(error, variance), 0.0)

    return r2(error[0], mean[0], square[0]), r2(error[1], mean[1], square[1])
