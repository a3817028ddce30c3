"""Infers the types of text columns: whole numbers, numbers or words; no TensorFlow."""

from collections.abc import Container, Mapping
from enum import IntEnum

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabular.csv.arrow_numpy import to_numpy
from tabular.csv.number_format import MINUS_SIGNS

TOO_LARGE = 2**128 - 2**103
"""The least number that float32 rounds to infinity: half a step above the largest float32."""


class ColumnType(IntEnum):
    """The type of a column, from the narrowest to the widest."""

    UNKNOWN = 0
    INT = 1
    WHOLE = 2
    """Whole numbers, some written as 1.0: `INT` if they are classes, else `FLOAT`."""
    FLOAT = 3
    PADDED = 4
    """Numbers, some with leading zeros such as 01: `BYTES`, unless numbers must be meant."""
    BYTES = 5


_PADDED = r"^-?0[0-9]+$"


def widen_types(
    types: Mapping[str, ColumnType],
    batch: pa.RecordBatch,
    decimal: str,
    without: Container[str] = (),
    numbers: Container[str] = (),
) -> dict[str, ColumnType]:
    """Widens types to hold the cells of a further batch too.

    Args:
        types: The types so far.
        batch: String columns.
        decimal: Decimal point of numbers.
        without: Columns to leave out.
        numbers: Columns that are known to be numbers, which may have any sign in front of them.

    Returns:
        Column of the batch to its type.
    """
    widened = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if name in without:
            continue
        known = types.get(name, ColumnType.UNKNOWN)
        text = with_point(column, decimal)
        found = column_type(text, known)
        if found == ColumnType.BYTES and name in numbers:
            found = column_type(with_plain_signs(text), known)
        widened[name] = max(known, found)
    return widened


def decide_type(found: ColumnType) -> ColumnType:
    """Decides the type of the values of a column: replaces `WHOLE` by `FLOAT`, `PADDED` by `BYTES`.

    Args:
        found: The narrowest type that holds all cells of the column.
    """
    return {ColumnType.WHOLE: ColumnType.FLOAT, ColumnType.PADDED: ColumnType.BYTES}.get(
        found, found
    )


def decide_class_type(found: ColumnType) -> ColumnType:
    """Decides the type of classes as `decide_type` does, but 1.0 is the whole number 1."""
    return ColumnType.INT if found == ColumnType.WHOLE else decide_type(found)


def with_point(column: pa.Array, decimal: str) -> pa.Array:
    """Replaces the decimal mark of a string column by a point, as Arrow needs it.

    A point that is not the decimal mark becomes a question mark, so that it is not a number.
    """
    if decimal == ".":
        return column
    return pc.replace_substring(pc.replace_substring(column, ".", "?"), decimal, ".")


def with_plain_signs(column: pa.Array) -> pa.Array:
    """Replaces the sign in front of a number as Arrow needs it: no plus, and `-` for a minus.

    A cell with two signs does not become a number.
    """
    for sign in MINUS_SIGNS:
        is_signed = pc.starts_with(column, sign)
        if pc.any(is_signed).as_py():
            column = pc.if_else(is_signed, pc.utf8_replace_slice(column, 0, 1, "-"), column)
    is_plus = pc.and_not(pc.starts_with(column, "+"), pc.starts_with(column, "+-"))
    return pc.if_else(is_plus, pc.utf8_replace_slice(column, 0, 1, ""), column)


def cast_numbers(column: pa.Array, decimal: str, arrow_type: pa.DataType) -> pa.Array:
    """Casts a string column of numbers, with any sign in front of them.

    Args:
        column: Strings, null where a value is missing.
        decimal: Decimal point of numbers.
        arrow_type: The type of the result.

    Raises:
        pa.ArrowInvalid: If a cell is not a number of that type.
    """
    numbers = with_point(column, decimal)
    try:
        return pc.cast(numbers, arrow_type)
    except pa.ArrowInvalid:
        return pc.cast(with_plain_signs(numbers), arrow_type)


def column_type(column: pa.Array, at_least: ColumnType = ColumnType.UNKNOWN) -> ColumnType:
    """Finds the narrowest type that holds all cells of a string column.

    Args:
        column: Strings, numbers with a point.
        at_least: The narrowest type to try; known of other cells of the column.
    """
    if column.null_count == len(column):
        return ColumnType.UNKNOWN
    # Whole numbers have to be numbers too: Arrow reads 0x1F as an integer, but not as a float.
    if at_least == ColumnType.BYTES or not can_cast(column, pa.float64()):
        return ColumnType.BYTES
    if at_least == ColumnType.PADDED or _is_padded(column):
        return ColumnType.PADDED
    if at_least <= ColumnType.INT and can_cast(column, pa.int64()):
        return ColumnType.INT
    return (
        ColumnType.WHOLE if at_least <= ColumnType.WHOLE and _is_whole(column) else ColumnType.FLOAT
    )


def _is_padded(column: pa.Array) -> bool:
    """Whether a number of a column has zeros before its first digit."""
    return bool(to_numpy(pc.match_substring_regex(column, _PADDED), null=False).any())


def _is_whole(column: pa.Array) -> bool:
    """Whether all numbers of a column are whole and below 2^53, where a double is exact."""
    numbers = to_numpy(pc.cast(column, pa.float64()), null=0)
    return bool(np.all((np.floor(numbers) == numbers) & (np.abs(numbers) < 2**53)))


def can_cast(column: pa.Array, arrow_type: pa.DataType) -> bool:
    """Whether every cell of a string column can be cast to a type; null always can."""
    try:
        pc.cast(column, arrow_type)
    except pa.ArrowInvalid:
        return False
    return True
