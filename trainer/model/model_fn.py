"""The custom Estimator's `model_fn`: a network or a linear model, for each task.

Source: the "Creating Custom Estimators" guide of TensorFlow, whose Iris model is what the default
settings give: two hidden layers of 10 units, Adagrad, accuracy.
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

    Args:
        features: Transformed features by name, `[batch_size, 1]` each; and `example_weight`,
            float32 `[batch_size, 1]`, where examples do not all weigh alike.
        labels: Class ids, int64 `[batch_size]`, or numbers, float32 `[batch_size]`; None in
            PREDICT.
        mode: One of `tf.estimator.ModeKeys`.
        params: `feature_columns`, `n_classes`, `classes` (the word of each class id), `task`
            (`multiclass` by default), and those of `ModelSettings` that are not to have their
            defaults; for a linear part `linear_columns` and `categorical_columns`; for a regression
            `target_mean` and `target_deviation`.

    Returns:
        PREDICT: predictions `class_ids` int64 and `classes` string, both `[batch_size, 1]`,
        `probabilities` float32 `[batch_size, n_classes]` and `logits`; or, of a regression,
        `predictions` float32 `[batch_size, 1]`.
        EVAL: the loss and the metrics of the task.
        TRAIN: the loss and the op that minimizes it and advances the global step.
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
