"""The input of a network: all features of an example in a row.

`tf.compat.v1.feature_column.input_layer` makes ten ops for each number and thirty for each one-hot
vector. Here, numbers and one-hot vectors of any number of columns take a handful of ops.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import tensorflow as tf
from tensorflow.python.feature_column import feature_column_v2

_Features = Mapping[str, tf.Tensor]


def make_input(features: _Features, columns: Sequence[Any]) -> tf.Tensor:
    """Joins features as `tf.compat.v1.feature_column.input_layer` does.

    >>> columns = [tf.feature_column.numeric_column(name) for name in ("b", "a")]
    >>> with tf.Graph().as_default(), tf.compat.v1.Session() as session:
    ...     features = {"a": tf.constant([[1.0]]), "b": tf.constant([[2.0]])}
    ...     session.run(make_input(features, columns)).tolist()
    [[1.0, 2.0]]

    Args:
        features: Features by name, `[batch_size, 1]` where a column is a number or an id.
        columns: Dense feature columns, which are joined in the order of their names; variables are
            those of `input_layer`.

    Returns:
        Float32 `[batch_size, width]`.
    """
    others = [column for column in columns if _kind(column, features) == "other"]
    tensors: dict[Any, tf.Tensor] = {}
    if others:
        tf.compat.v1.feature_column.input_layer(features, others, cols_to_output_tensors=tensors)
    parts: list[tf.Tensor] = []
    ordered = sorted(columns, key=lambda column: str(column.name))
    for kind, run in groupby(ordered, key=lambda column: _kind(column, features)):
        if kind == "number":
            parts += [tf.cast(features[column.key], tf.float32) for column in run]
        elif kind == "one_hot":
            parts.append(_one_hot(features, list(run)))
        else:
            parts += [tensors[column] for column in run]
    return tf.concat(parts, axis=1)


def _kind(column: Any, features: _Features) -> str:
    if isinstance(column, feature_column_v2.NumericColumn):
        is_plain = tuple(column.shape) == (1,) and column.normalizer_fn is None
        return "number" if is_plain and _is_single(features.get(column.key)) else "other"
    if isinstance(column, feature_column_v2.IndicatorColumn):
        ids = column.categorical_column
        is_plain = isinstance(ids, feature_column_v2.IdentityCategoricalColumn)
        return "one_hot" if is_plain and _is_single(features.get(ids.key)) else "other"
    return "other"


def _is_single(feature: Any) -> bool:
    """Whether a feature has one value for each example, in a dense tensor."""
    return isinstance(feature, tf.Tensor) and feature.shape.as_list()[1:] == [1]


def _one_hot(features: _Features, columns: Sequence[Any]) -> tf.Tensor:
    """Makes one-hot vectors of ids beside each other, float32 `[batch_size, sum of sizes]`."""
    sources = [column.categorical_column for column in columns]
    ids = tf.concat([tf.cast(features[source.key], tf.int64) for source in sources], axis=1)
    source_of_place = [
        index for index, source in enumerate(sources) for _ in range(source.num_buckets)
    ]
    id_of_place = [place for source in sources for place in range(source.num_buckets)]
    is_id = tf.equal(tf.gather(ids, source_of_place, axis=1), tf.constant(id_of_place, tf.int64))
    return tf.cast(is_id, tf.float32)
