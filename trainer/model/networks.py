"""Networks and linear models, which map transformed features to logits."""

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from trainer.model.input_layer import make_input
from trainer.model.loss_and_metrics import n_logits

ACTIVATIONS: Mapping[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "relu": tf.nn.relu,
    "elu": tf.nn.elu,
    "selu": tf.nn.selu,
    "tanh": tf.nn.tanh,
    "sigmoid": tf.nn.sigmoid,
    "swish": tf.nn.swish,
}
_BATCH_NORM_MOMENTUM = (
    0.9  # with TensorFlow's 0.99, the initial average fades only after hundreds of steps
)


def make_logits(
    features: Mapping[str, tf.Tensor], params: Mapping[str, Any], *, is_training: bool
) -> tf.Tensor:
    """Computes the logits of a network, a linear model, or the sum of both.

    A linear model begins with weights of 0:

    >>> columns = [tf.feature_column.numeric_column("x")]
    >>> params = {"type": "linear", "task": "multiclass", "n_classes": 3, "linear_columns": columns}
    >>> with tf.Graph().as_default(), tf.compat.v1.Session() as session:
    ...     logits = make_logits({"x": tf.constant([[7.0], [8.0]])}, params, is_training=False)
    ...     session.run(tf.compat.v1.global_variables_initializer())
    ...     session.run(logits).tolist()
    [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]

    Args:
        features: Transformed features by name, `[batch_size, 1]` each.
        params: `type` (`dnn`, `linear` or `wide_deep`), `task`, `n_classes`, the feature columns,
            and the settings of the layers.
        is_training: Whether to apply dropout, and to normalize layers by the statistics of the
            batch instead of the moving averages.

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
    """Returns the columns of the linear part of `wide_deep`: those with ids, else all.

    >>> wide_columns({"linear_columns": ["age", "city"], "categorical_columns": ["city"]})
    ['city']
    >>> wide_columns({"linear_columns": ["age"], "categorical_columns": []})
    ['age']
    """
    return list(params["categorical_columns"] or params["linear_columns"])


def _deep(
    features: Mapping[str, tf.Tensor], params: Mapping[str, Any], *, is_training: bool
) -> tf.Tensor:
    """Computes the logits of a network; hidden layers apply dense, norm, activation, dropout."""
    net = make_input(features, params["feature_columns"])
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
    """Computes the logits of a linear model, whose weights (per number and per id) begin at 0."""
    return tf.compat.v1.feature_column.linear_model(features, columns, units)
