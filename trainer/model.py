"""The custom Estimator's `model_fn`: a classifier of fully connected layers, after the guide.

Source: the "Creating Custom Estimators" guide of TensorFlow, whose Iris model this is: two hidden
layers of 10 units, Adagrad, accuracy.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import tensorflow as tf

from trainer.signatures import CLASSIFY_SIGNATURE, SERVING_SIGNATURE

OPTIMIZERS: Mapping[str, Callable[[float], tf.compat.v1.train.Optimizer]] = {
    "adagrad": tf.compat.v1.train.AdagradOptimizer,
    "adam": tf.compat.v1.train.AdamOptimizer,
    # Its first step puts the weights near zero, whatever they were, unless its sum begins at zero.
    "ftrl": partial(tf.compat.v1.train.FtrlOptimizer, initial_accumulator_value=0.0),
    "rmsprop": tf.compat.v1.train.RMSPropOptimizer,
    "sgd": tf.compat.v1.train.GradientDescentOptimizer,
}


def model_fn(
    features: Mapping[str, tf.Tensor],
    labels: tf.Tensor | None,
    mode: str,
    params: Mapping[str, Any],
) -> tf.estimator.EstimatorSpec:
    """Builds the graph of one mode.

    Args:
        features: Transformed features by name, `[batch_size, 1]` each.
        labels: Class ids, int64 `[batch_size]`; None in PREDICT.
        mode: One of `tf.estimator.ModeKeys`.
        params: `feature_columns`, `hidden_units` (units of each hidden layer), `n_classes`,
            `classes` (the word of each class id), `optimizer` (a key of `OPTIMIZERS`) and
            `learning_rate`.

    Returns:
        PREDICT: predictions `class_ids` int64 and `classes` string, both `[batch_size, 1]`,
        `probabilities` and `logits`, both float32 `[batch_size, n_classes]`.
        EVAL: the loss and the metric `accuracy`.
        TRAIN: the loss and the op that minimizes it and advances the global step.
    """
    logits = _make_logits(features, params)
    class_ids = tf.argmax(logits, axis=1)
    if mode == tf.estimator.ModeKeys.PREDICT:
        return _make_predict_spec(logits, class_ids, params["classes"])

    loss = tf.compat.v1.losses.sparse_softmax_cross_entropy(labels=labels, logits=logits)
    accuracy = tf.compat.v1.metrics.accuracy(labels=labels, predictions=class_ids, name="acc_op")
    tf.compat.v1.summary.scalar("accuracy", accuracy[1])
    if mode == tf.estimator.ModeKeys.EVAL:
        return tf.estimator.EstimatorSpec(mode, loss=loss, eval_metric_ops={"accuracy": accuracy})

    tf.compat.v1.summary.scalar("learning_rate", params["learning_rate"])
    optimizer = OPTIMIZERS[params["optimizer"]](params["learning_rate"])
    train_op = optimizer.minimize(loss, global_step=tf.compat.v1.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


def _make_logits(features: Mapping[str, tf.Tensor], params: Mapping[str, Any]) -> tf.Tensor:
    """Runs the features through the hidden layers: float32 `[batch_size, n_classes]`."""
    net = tf.compat.v1.feature_column.input_layer(features, params["feature_columns"])
    for units in params["hidden_units"]:
        net = tf.compat.v1.layers.dense(net, units=units, activation=tf.nn.relu)
    return tf.compat.v1.layers.dense(net, params["n_classes"], activation=None)


def _make_predict_spec(
    logits: tf.Tensor, class_ids: tf.Tensor, classes: list[str]
) -> tf.estimator.EstimatorSpec:
    """Makes the PREDICT spec with its two ways to serve it: all predictions, or scores per word."""
    words = tf.constant(classes)
    probabilities = tf.nn.softmax(logits)
    predictions = {
        "class_ids": class_ids[:, tf.newaxis],
        "classes": tf.gather(words, class_ids)[:, tf.newaxis],
        "probabilities": probabilities,
        "logits": logits,
    }
    every_class = tf.tile(words[tf.newaxis, :], [tf.shape(logits)[0], 1])
    export_outputs = {
        SERVING_SIGNATURE: tf.estimator.export.PredictOutput(predictions),
        CLASSIFY_SIGNATURE: tf.estimator.export.ClassificationOutput(
            scores=probabilities, classes=every_class
        ),
    }
    return tf.estimator.EstimatorSpec(
        tf.estimator.ModeKeys.PREDICT, predictions=predictions, export_outputs=export_outputs
    )
