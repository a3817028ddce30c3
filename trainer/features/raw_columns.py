"""Parses raw columns from examples, and transforms them in the graph."""

import math
from collections.abc import Mapping

import tensorflow as tf
import tensorflow_transform as tft

from trainer.settings.train import TrainerSettings


def parse_raw(serialized: tf.Tensor, settings: TrainerSettings) -> dict[str, tf.Tensor]:
    """Parses the raw columns that the model reads from examples.

    A value is missing if an example lacks the column or the column holds no value. (The default of
    a FixedLenFeature would cover only the first case, and fail in the second.)

    Args:
        serialized: Serialized `tf.Example`s, string `[batch_size]`.
        settings: The features.

    Returns:
        Columns by name, `[batch_size]` each: float32, NaN where missing, or string, empty where
        missing.
    """
    dtypes = {"float": tf.float32, "bytes": tf.string}
    spec = {
        name: tf.io.VarLenFeature(dtypes[raw_type]) for name, raw_type in settings.raw_types.items()
    }
    columns = tf.io.parse_example(serialized, spec)
    return {name: to_dense(column)[:, 0] for name, column in columns.items()}


def to_dense(column: tf.Tensor | tf.SparseTensor) -> tf.Tensor:
    """Makes a column dense, `[batch_size, 1]`.

    Missing values become NaN (and numbers float32) or the empty string. A dense column is returned
    as it is.
    """
    if not isinstance(column, tf.SparseTensor):
        return column
    if column.dtype == tf.string:
        return tft.sparse_tensor_to_dense_with_shape(column, [None, 1], "")
    column = tf.cast(column, tf.float32)
    return tft.sparse_tensor_to_dense_with_shape(column, [None, 1], math.nan)


def transform_raw(
    columns: Mapping[str, tf.Tensor], transform_output: tft.TFTransformOutput
) -> dict[str, tf.Tensor]:
    """Applies Transform's graph to raw columns.

    Args:
        columns: Raw columns by name, `[batch_size]`, as `parse_raw` returns them.
        transform_output: Transform's output; a column that had missing values when it was analyzed
            is a SparseTensor in its graph, as its schema tells.

    Returns:
        Transformed features by name, `[batch_size, ...]`.
    """
    spec = transform_output.raw_feature_spec()
    # AutoGraph would spend most of the time on converting the library's functions.
    transform = tf.autograph.experimental.do_not_convert(transform_output.transform_raw_features)
    transformed: dict[str, tf.Tensor] = transform(
        {
            name: _to_sparse(column[:, tf.newaxis])
            if isinstance(spec[name], tf.io.VarLenFeature)
            else column[:, tf.newaxis]
            for name, column in columns.items()
        }
    )
    return transformed


def _to_sparse(column: tf.Tensor) -> tf.SparseTensor:
    """Drops the missing values of a dense column, `[batch_size, 1]`."""
    is_missing = tf.equal(column, "") if column.dtype == tf.string else tf.math.is_nan(column)
    return tf.SparseTensor(
        tf.where(~is_missing),
        tf.boolean_mask(column, ~is_missing),
        tf.shape(column, out_type=tf.int64),
    )
