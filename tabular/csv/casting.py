"""Casts text columns to the types that examples and statistics hold; no TensorFlow."""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from tabular.csv.arrow_numpy import as_lists
from tabular.csv.types import ColumnType, can_cast, cast_numbers, with_point

_ARROW_TYPES = {
    ColumnType.UNKNOWN: pa.binary(),
    ColumnType.INT: pa.int64(),
    ColumnType.FLOAT: pa.float32(),
    ColumnType.BYTES: pa.binary(),
}


def cast_columns(
    batch: pa.RecordBatch, column_types: Mapping[str, ColumnType], decimal: str
) -> pa.RecordBatch:
    """Casts text columns to their types; missing values stay null.

    Args:
        batch: String columns, null where a value is missing.
        column_types: Column to its type, as `decide_types` gives it: never `WHOLE`.
        decimal: Decimal point of numbers.
    """
    names = batch.schema.names
    columns = [_cast(batch[name], column_types[name], decimal) for name in names]
    return pa.RecordBatch.from_arrays(columns, names)


def cast_to_lists(
    batch: pa.RecordBatch, column_types: Mapping[str, ColumnType], decimal: str
) -> pa.RecordBatch:
    """Casts as `cast_columns` does, to lists: of one value per cell, null for a missing value."""
    columns = cast_columns(batch, column_types, decimal)
    lists = [as_lists(column, column.drop_null()) for column in columns]
    return pa.RecordBatch.from_arrays(lists, batch.schema.names)


def _cast(text: pa.Array, column_type: ColumnType, decimal: str) -> pa.Array:
    if column_type == ColumnType.BYTES:
        return pc.cast(text, pa.binary())
    if column_type == ColumnType.INT and not can_cast(with_point(text, decimal), pa.int64()):
        return pc.cast(cast_numbers(text, decimal, pa.float64()), pa.int64())  # 1.0
    return cast_numbers(text, decimal, _ARROW_TYPES[column_type])
