"""The built-in `model_fn`: a network, a linear model or the sum of both, for each task.

Source: TensorFlow's guide "Creating Custom Estimators"; the default settings give its Iris model:
two hidden layers of 10 units, Adagrad, accuracy.
"""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from trainer.model.loss_and_metrics import (
    compute_loss,
    example_weights,
    make_metrics,
    unstandardize,
    write_summaries,
)
from trainer.model.networks import make_logits
from trainer.model.optimizers import minimize
from trainer.model.outputs import REGRESSION, complete_predictions, make_export_outputs
from trainer.settings.model import ModelSettings


def model_fn(
    features: Mapping[str, tf.Tensor],
    labels: tf.Tensor | None,
    mode: str,
    params: Mapping[str, Any],
) -> tf.estimator.EstimatorSpec:
    """Builds the graph of one mode.

    A linear model begins with weights of 0, hence with equal probabilities:

    >>> params = {
    ...     "type": "linear",
    ...     "task": "binary",
    ...     "n_classes": 2,
    ...     "classes": ["no", "yes"],
    ...     "linear_columns": [tf.feature_column.numeric_column("x")],
    ... }
    >>> with tf.Graph().as_default(), tf.compat.v1.Session() as session:
    ...     features = {"x": tf.constant([[3.0]])}
    ...     spec = model_fn(features, None, tf.estimator.ModeKeys.PREDICT, params)
    ...     session.run(tf.compat.v1.global_variables_initializer())
    ...     session.run(spec.predictions["probabilities"]).tolist()
    [[0.5, 0.5]]

    Args:
        features: Transformed features by name, `[batch_size, 1]` each; also `example_weight`,
            float32 `[batch_size, 1]`, if examples have weights.
        labels: Class ids, int64 `[batch_size]`, or numbers, float32 `[batch_size]`; None for
            PREDICT.
        mode: One of `tf.estimator.ModeKeys`.
        params: `feature_columns`, `n_classes`, `classes` (class names by id), `task`
            (`multiclass` by default), and settings of `ModelSettings` that differ from their
            defaults; for a linear part also `linear_columns` and `categorical_columns`; for a
            regression also `target_mean` and `target_deviation`.

    Returns:
        PREDICT: predictions `class_ids` int64 and `classes` string, both `[batch_size, 1]`,
        `probabilities` and `logits`, both float32 `[batch_size, n_classes]` (binary: one logit);
        for a regression, `predictions` float32 `[batch_size, 1]`.
        EVAL: the loss and the metrics of the task.
        TRAIN: the loss, and the op that minimizes it and increments the global step.
    """
    params = {**ModelSettings().model_dump(), "task": "multiclass", **params}
    is_training = mode == tf.estimator.ModeKeys.TRAIN
    logits = make_logits(features, params, is_training=is_training)
    if params["task"] == REGRESSION:
        given = {"predictions": unstandardize(logits, params)}
    else:
        given = {"logits": logits}
    predictions = complete_predictions(given, params)
    if mode == tf.estimator.ModeKeys.PREDICT:
        export_outputs = make_export_outputs(predictions, params)
        return tf.estimator.EstimatorSpec(mode, predictions, export_outputs=export_outputs)

    weights = example_weights(features)
    loss = compute_loss(logits, labels, weights, params)
    metrics = make_metrics(predictions, labels, weights, params)
    write_summaries(metrics)
    if is_training:
        return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=minimize(loss, params))
    return tf.estimator.EstimatorSpec(mode, loss=loss, eval_metric_ops=metrics)
