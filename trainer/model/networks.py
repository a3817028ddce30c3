"""The networks: transformed features to logits."""

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from trainer.model.loss_and_metrics import n_logits

ACTIVATIONS: Mapping[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "relu": tf.nn.relu,
    "elu": tf.nn.elu,
    "selu": tf.nn.selu,
    "tanh": tf.nn.tanh,
    "sigmoid": tf.nn.sigmoid,
    "swish": tf.nn.swish,
}
_BATCH_NORM_MOMENTUM = 0.9  # TensorFlow's 0.99 needs hundreds of steps to forget how it began


def make_logits(
    features: Mapping[str, tf.Tensor], params: Mapping[str, Any], *, is_training: bool
) -> tf.Tensor:
    """Runs the features through the model of a type.

    Args:
        features: Transformed features by name, `[batch_size, 1]` each.
        params: `type`, of `dnn`, `linear` and `wide_deep`, which is the sum of both; `task`,
            `n_classes`, the columns, and the settings of the layers.
        is_training: Whether units are left out (dropout), and layers are normalized over the batch
            rather than by the averages that training has kept.

    Returns:
        Float32 `[batch_size, n_logits]`.
    """
    if params["type"] == "linear":
        return _linear(features, params["linear_columns"], n_logits(params))
    logits = _deep(features, params, is_training=is_training)
    if params["type"] == "wide_deep":
        logits += _linear(features, wide_columns(params), n_logits(params))
    return logits


def wide_columns(params: Mapping[str, Any]) -> list[Any]:
    """Gives the columns of the linear part beside a network: what has ids, or all if none has."""
    return list(params["categorical_columns"] or params["linear_columns"])


def _deep(
    features: Mapping[str, tf.Tensor], params: Mapping[str, Any], *, is_training: bool
) -> tf.Tensor:
    """Each hidden layer is dense, then normalized, then activated, then thinned out."""
    net = tf.compat.v1.feature_column.input_layer(features, params["feature_columns"])
    activation = ACTIVATIONS[params["activation"]]
    for units in params["hidden_units"]:
        if params["batch_norm"]:
            net = tf.compat.v1.layers.dense(net, units, activation=None)
            net = activation(
                tf.compat.v1.layers.batch_normalization(
                    net, momentum=_BATCH_NORM_MOMENTUM, training=is_training
                )
            )
        else:
            net = tf.compat.v1.layers.dense(net, units, activation=activation)
        if params["dropout"]:
            net = tf.compat.v1.layers.dropout(net, params["dropout"], training=is_training)
    return tf.compat.v1.layers.dense(net, n_logits(params), activation=None)


def _linear(features: Mapping[str, tf.Tensor], columns: list[Any], units: int) -> tf.Tensor:
    """A weight per number and per id, and a bias: all zero to begin with."""
    return tf.compat.v1.feature_column.linear_model(features, columns, units)
