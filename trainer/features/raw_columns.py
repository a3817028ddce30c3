"""Parses raw columns from examples, and transforms them in the graph.

The columns of a type are handled as one matrix, `[batch_size, n_columns]`, since each op of the
graph costs time in every node that builds it, and in every request.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import tensorflow as tf
import tensorflow_transform as tft

from trainer.features.output_sources import find_sources_once
from trainer.settings.train import TrainerSettings

Column: TypeAlias = tf.Tensor | tf.SparseTensor


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
    parsed: dict[str, tf.Tensor] = {}
    for names in _by_type(columns):
        table = _to_table([columns[name] for name in names])
        parsed.update(zip(names, map(tf.identity, tf.unstack(table, axis=1)), strict=True))
    return parsed


def to_dense(columns: Mapping[str, Column]) -> dict[str, tf.Tensor]:
    """Makes columns dense, `[batch_size, 1]`.

    Missing values become NaN (and numbers float32) or the empty string. A dense column is returned
    as it is.
    """
    dense = dict(columns)
    sparse = {name: column for name, column in columns.items() if _is_sparse(column)}
    for names in _by_type(sparse):
        table = _to_table([sparse[name] for name in names])
        dense.update(zip(names, split_columns(table, len(names)), strict=True))
    return dense


def split_columns(table: tf.Tensor, n_columns: int) -> list[tf.Tensor]:
    """Splits `[batch_size, n_columns]` into its columns, `[batch_size, 1]` each, by one op."""
    columns: list[tf.Tensor] = tf.split(table, n_columns, axis=1)
    return columns


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
    inputs: dict[str, Column] = {}
    for names in _by_type(columns):
        table = tf.stack([columns[name] for name in names], axis=1)
        inputs.update(zip(names, split_columns(table, len(names)), strict=True))
    may_miss = {name: inputs[name] for name in inputs if _may_miss(spec[name])}
    for names in _by_type(may_miss):
        table = tf.concat([may_miss[name] for name in names], axis=1)
        inputs.update(zip(names, _to_sparse(table, len(names)), strict=True))
    find_sources_once()
    # AutoGraph would spend most of the time on converting the library's functions.
    transform = tf.autograph.experimental.do_not_convert(transform_output.transform_raw_features)
    transformed: dict[str, tf.Tensor] = transform(inputs)
    return transformed


def _is_sparse(column: Column) -> bool:
    return isinstance(column, tf.SparseTensor)


def _may_miss(spec: object) -> bool:
    return isinstance(spec, tf.io.VarLenFeature)


def _by_type(columns: Mapping[str, Column]) -> Iterable[list[str]]:
    """Lists the names of the columns of each dtype."""
    names: dict[tf.DType, list[str]] = {}
    for name, column in columns.items():
        names.setdefault(column.dtype, []).append(name)
    return names.values()


def _to_table(columns: Sequence[tf.SparseTensor]) -> tf.Tensor:
    """Joins sparse columns of one dtype, `[batch_size, 1]`, into a dense matrix.

    Numbers become float32. Missing values become NaN or the empty string.
    """
    n_columns = len(columns)
    indices = tf.concat([column.indices for column in columns], axis=0)
    values = tf.concat([column.values for column in columns], axis=0)
    is_text = values.dtype == tf.string
    counts = tf.concat(tf.shape_n([column.values for column in columns]), axis=0)
    places = tf.repeat(tf.range(n_columns, dtype=tf.int64), counts)
    # An example with several values in a column is outside the matrix, which is an error.
    places += indices[:, 1] * n_columns
    table = tf.sparse.to_dense(
        tf.SparseTensor(
            tf.stack([indices[:, 0], places], axis=1),
            values if is_text else tf.cast(values, tf.float32),
            tf.stack([columns[0].dense_shape[0], n_columns]),
        ),
        default_value="" if is_text else math.nan,
        validate_indices=False,  # they are ordered by column
    )
    return tf.ensure_shape(table, [None, n_columns])


def _to_sparse(table: tf.Tensor, n_columns: int) -> list[tf.SparseTensor]:
    """Splits a matrix into columns without the missing values, `[batch_size, 1]` each."""
    by_column = tf.transpose(table)
    is_text = table.dtype == tf.string
    is_known = tf.not_equal(by_column, "") if is_text else ~tf.math.is_nan(by_column)
    counts = tf.reduce_sum(tf.cast(is_known, tf.int64), axis=1)
    rows = tf.where(is_known)[:, 1]
    indices = tf.stack([rows, tf.zeros_like(rows)], axis=1)
    values = tf.boolean_mask(by_column, is_known)
    shape = tf.stack([tf.shape(table, out_type=tf.int64)[0], 1])
    return [
        tf.SparseTensor(*parts, shape)
        for parts in zip(
            tf.split(indices, counts, num=n_columns),
            tf.split(values, counts, num=n_columns),
            strict=True,
        )
    ]
