"""The types of columns of text: whole numbers, numbers or words; no TensorFlow."""

from collections.abc import Container, Mapping
from enum import IntEnum

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabular.csv.arrow_numpy import to_numpy


class ColumnType(IntEnum):
    """What a column's cells are, in the order in which one widens to the next."""

    UNKNOWN = 0
    INT = 1
    WHOLE = 2
    """Numbers such as 1.0, all of them whole: classes where the column is the label."""
    FLOAT = 3
    BYTES = 4


def widen_types(
    types: Mapping[str, ColumnType],
    batch: pa.RecordBatch,
    decimal: str,
    without: Container[str] = (),
) -> dict[str, ColumnType]:
    """Gives the types, so far as known, that hold the cells of a further batch too.

    Args:
        types: The types so far.
        batch: String columns.
        decimal: Decimal point of numbers.
        without: Columns that are left out.
    """
    widened = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if name in without:
            continue
        known = types.get(name, ColumnType.UNKNOWN)
        widened[name] = max(known, column_type(with_point(column, decimal), known))
    return widened


def decide_types(types: Mapping[str, ColumnType], label: str | None) -> dict[str, ColumnType]:
    """Decides what numbers such as 1.0 are: classes in the label, and numbers elsewhere.

    Args:
        types: Column to the narrowest type that holds its cells.
        label: The column of the classes, if there is one.
    """
    return {
        name: found
        if found != ColumnType.WHOLE
        else (ColumnType.INT if name == label else ColumnType.FLOAT)
        for name, found in types.items()
    }


def with_point(column: pa.Array, decimal: str) -> pa.Array:
    """Writes the numbers of a string column with a point, so that Arrow reads them."""
    if decimal == ".":
        return column
    return pc.replace_substring(pc.replace_substring(column, ".", "?"), decimal, ".")


def column_type(column: pa.Array, at_least: ColumnType = ColumnType.UNKNOWN) -> ColumnType:
    """Finds the narrowest type, from the given one on, that holds all cells of a string column."""
    if column.null_count == len(column):
        return ColumnType.UNKNOWN
    # Whole numbers have to be numbers too: Arrow reads 0x1F as an integer, but not as a float.
    if at_least == ColumnType.BYTES or not can_cast(column, pa.float64()):
        return ColumnType.BYTES
    if at_least <= ColumnType.INT and can_cast(column, pa.int64()):
        return ColumnType.INT
    return (
        ColumnType.WHOLE if at_least <= ColumnType.WHOLE and _is_whole(column) else ColumnType.FLOAT
    )


def _is_whole(column: pa.Array) -> bool:
    """Whether all numbers of a column are whole, and so small that a double holds them exactly."""
    numbers = to_numpy(pc.cast(column, pa.float64()), null=0)
    return bool(np.all((np.floor(numbers) == numbers) & (np.abs(numbers) < 2**53)))


def can_cast(column: pa.Array, arrow_type: pa.DataType) -> bool:
    """Whether every cell of a string column reads as a number of that type; nulls do."""
    try:
        pc.cast(column, arrow_type)
    except pa.ArrowInvalid:
        return False
    return True
