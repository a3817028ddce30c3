"""A small convolutional network as a custom `model_fn`."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

SIZE = 8
"""Number of rows, and of columns, of a picture."""


def model_fn(
    features: Mapping[str, tf.Tensor],
    labels: tf.Tensor | None,
    mode: str,
    params: Mapping[str, Any],
) -> tf.estimator.EstimatorSpec:
    """Builds the graph of one mode; recognizes the digit in a picture.

    The pipeline derives all other outputs from `logits`: probabilities, class ids, class names and
    signatures.

    Args:
        features: Pixels `p00` to `p77` by row and column, float32 `[batch_size, 1]`, 0 to 16.
        labels: Class ids, int64 `[batch_size]`; None for PREDICT.
        mode: One of `tf.estimator.ModeKeys`.
        params: `filters` of both convolutions, from `model.params`; and the pipeline's
            `n_classes`, `dropout` and `learning_rate`.
    """
    is_training = mode == tf.estimator.ModeKeys.TRAIN
    logits = _logits(_picture(features), params, is_training)
    if labels is None:
        return tf.estimator.EstimatorSpec(mode, predictions={"logits": logits})
    loss = tf.compat.v1.losses.sparse_softmax_cross_entropy(labels, logits)
    accuracy = tf.compat.v1.metrics.accuracy(labels, tf.argmax(logits, axis=1))
    optimizer = tf.compat.v1.train.AdamOptimizer(params["learning_rate"])
    return tf.estimator.EstimatorSpec(
        mode,
        loss=loss,
        train_op=optimizer.minimize(loss, tf.compat.v1.train.get_global_step()),
        eval_metric_ops={"accuracy": accuracy},
    )


def _picture(features: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """Arranges the pixels as pictures, `[batch_size, SIZE, SIZE, 1]`, with values from 0 to 1."""
    names = [f"p{row}{column}" for row in range(SIZE) for column in range(SIZE)]
    pixels = tf.concat([features[name] for name in names], axis=1) / 16
    return tf.reshape(pixels, [-1, SIZE, SIZE, 1])


def _logits(picture: tf.Tensor, params: Mapping[str, Any], is_training: bool) -> tf.Tensor:
    net = picture
    for filters in params["filters"]:
        net = tf.keras.layers.Conv2D(filters, 3, padding="same", activation="relu")(net)
    net = tf.keras.layers.Flatten()(tf.keras.layers.MaxPooling2D()(net))
    net = tf.keras.layers.Dropout(params["dropout"])(net, training=is_training)
    return tf.keras.layers.Dense(params["n_classes"])(net)
