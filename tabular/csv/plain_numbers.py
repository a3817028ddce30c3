"""Converts numbers as people write them to plain ones, column by column; no TensorFlow."""

import re
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tabular.csv.arrow_numpy import to_numpy
from tabular.csv.number_format import DIGITS, INFINITE, MARKS, MINUS_SIGNS, NumberFormat
from tabular.csv.types import TOO_LARGE

Mask = npt.NDArray[np.bool_]

_POSITIVE, _NEGATIVE = ["", "+"], ["-", *MINUS_SIGNS, "()"]


def plain_columns(
    batch: pa.RecordBatch, formats: Mapping[str, NumberFormat], decimal: str
) -> tuple[pa.RecordBatch, Mapping[str, Mask]]:
    """Converts the numbers of all columns that have a format to plain ones.

    Args:
        batch: String columns, null where a value is missing.
        formats: Column to the format of its numbers; the batch may lack some of the columns.
        decimal: Decimal point that the plain numbers get: that of the table.

    Returns:
        The columns, of which those without a format are the same, and column to the mask of its
        cells that are of another format.
    """
    misfits: dict[str, Mask] = {}
    columns = batch.columns
    for index, name in enumerate(batch.schema.names):
        if name in formats:
            plain, misfits[name] = to_plain(columns[index], formats[name])
            if decimal != ".":
                with_comma = pc.replace_substring(plain, ".", decimal)
                plain = pc.if_else(pa.array(misfits[name]), plain, with_comma)
            columns[index] = plain
    if not misfits:
        return batch, misfits
    return pa.RecordBatch.from_arrays(columns, batch.schema.names), misfits


def to_plain(column: pa.Array, number_format: NumberFormat) -> tuple[pa.Array, Mask]:
    """Converts numbers of a format to plain ones: `-1234.5`.

    Args:
        column: Strings, null where a value is missing, `[n]`.
        number_format: How its numbers are written.

    Returns:
        Plain numbers, null where a value is missing; cells of another format stay as they are.
        Booleans, `[n]`: whether the cell is of another format.
    """
    if number_format.null_values:
        is_word = pc.is_in(column, value_set=pa.array(number_format.null_values, pa.string()))
        column = pc.if_else(is_word, None, column)
    if not len(column):
        return column, np.zeros(0, bool)
    groups = _groups(column, number_format.pattern)
    digits = groups[DIGITS]
    if number_format.separator:
        digits = pc.replace_substring_regex(digits, number_format.separator, "")
    if number_format.decimal != ".":
        digits = pc.replace_substring(digits, number_format.decimal, ".")
    signs = pc.binary_join_element_wise(*(groups[name] for name in MARKS if name in groups), "")
    is_negative = pc.is_in(signs, value_set=pa.array(_NEGATIVE))
    is_number = pc.or_(is_negative, pc.is_in(signs, value_set=pa.array(_POSITIVE)))
    plain = pc.if_else(is_negative, pc.binary_join_element_wise("-", digits, ""), digits)
    plain = pc.if_else(is_number, plain, column)
    if number_format.infinite == "missing":
        is_infinite = _is_infinite(plain, is_number)
        plain = pc.if_else(is_infinite, None, plain)
    misfits: Mask = ~_to_mask(is_number) & _to_mask(pc.is_valid(plain))
    return plain, misfits


def _groups(column: pa.Array, pattern: str) -> Mapping[str, pa.Array]:
    """Matches whole cells; gives name of each group to what it matched, null where nothing fits."""
    found = pc.extract_regex(column, rf"\A{pattern}\z")
    names = re.findall(r"\(\?P<(\w+)>", pattern)
    return {name: pc.struct_field(found, [index]) for index, name in enumerate(names)}


def _is_infinite(plain: pa.Array, is_number: pa.Array) -> pa.Array:
    """Finds words for infinity, and numbers that are infinite in float32."""
    numbers = pc.cast(pc.if_else(is_number, plain, None), pa.float64())
    is_too_large = np.abs(to_numpy(numbers, null=0.0)) >= TOO_LARGE
    is_word = _to_mask(pc.match_substring_regex(plain, rf"\A{INFINITE}\z"))
    return pa.array(is_too_large | is_word)


def _to_mask(booleans: pa.Array) -> Mask:
    return to_numpy(booleans, null=False).astype(bool)
