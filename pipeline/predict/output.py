"""Writes rows with their predictions as CSV or Parquet; no TensorFlow."""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from tabular.csv.dialect import Dialect
from tabular.csv.plain_numbers import plain_columns
from tabular.csv.types import ColumnType, cast_numbers

Rows = Iterable[tuple[pa.RecordBatch, pa.RecordBatch]]
"""Blocks of string columns of the input, each with the predictions for the same rows."""

_ARROW_TYPES = {
    ColumnType.UNKNOWN: pa.string(),
    ColumnType.INT: pa.int64(),
    ColumnType.WHOLE: pa.float64(),
    ColumnType.FLOAT: pa.float64(),
    ColumnType.PADDED: pa.string(),
    ColumnType.BYTES: pa.string(),
}


def free_names(names: Iterable[str], taken: Iterable[str]) -> list[str]:
    """Makes names that are not taken: the name itself, or with the first free of `_2`, `_3`, ..."""
    used = set(taken)
    free = []
    for name in names:
        candidates = (name if number == 1 else f"{name}_{number}" for number in count(1))
        free.append(next(candidate for candidate in candidates if candidate not in used))
        used.add(free[-1])
    return free


def write_csv(path: Path, names: Sequence[str], rows: Rows, dialect: Dialect) -> int:
    """Writes CSV in the dialect of the input, with a header.

    Args:
        path: The file.
        names: Names of all columns.
        rows: Its rows. Cells of the input stay as they are, and missing values become empty;
            float32 are written with as many digits as it takes to read the same number back.
        dialect: Separator, quote, decimal point and encoding.

    Returns:
        Number of rows written.
    """
    written = 0
    with path.open("w", encoding=dialect.encoding, newline="") as file:
        file.write(_to_lines([pa.array([name]) for name in names], dialect))
        for cells, predictions in rows:
            columns = [*cells.columns, *(_to_text(column, dialect) for column in predictions)]
            file.write(_to_lines(columns, dialect))
            written += len(cells)
    return written


def write_parquet(
    path: Path, names: Sequence[str], rows: Rows, types: Mapping[str, ColumnType], dialect: Dialect
) -> int:
    """Writes Parquet, a row group per block.

    Args:
        path: The file.
        names: Names of all columns.
        rows: Its rows.
        types: Types of the input's columns, in their order; predictions keep theirs.
        dialect: How the input's numbers are written.

    Returns:
        Number of rows written.
    """
    from pyarrow import parquet

    writer = None
    written = 0
    for cells, predictions in rows:
        plain, _ = plain_columns(cells, dialect.numbers, dialect.decimal)
        columns = [
            _cast(column, column_type, dialect.decimal)
            for column, column_type in zip(plain, types.values(), strict=True)
        ]
        batch = pa.RecordBatch.from_arrays([*columns, *predictions], list(names))
        writer = writer or parquet.ParquetWriter(path, batch.schema)
        writer.write_batch(batch)
        written += len(batch)
    assert writer is not None, "there are rows"
    writer.close()
    return written


def _cast(column: pa.Array, column_type: ColumnType, decimal: str) -> pa.Array:
    arrow_type = _ARROW_TYPES[column_type]
    is_text = arrow_type == pa.string()
    return column if is_text else cast_numbers(column, decimal, arrow_type)


def _to_text(column: pa.Array, dialect: Dialect) -> pa.Array:
    if column.type == pa.string():
        return column
    return pc.replace_substring(pc.cast(column, pa.string()), ".", dialect.decimal)


def _to_lines(columns: Sequence[pa.Array], dialect: Dialect) -> str:
    cells = [_quote(column, dialect) for column in columns]
    lines = pc.binary_join_element_wise(
        *cells, dialect.separator, null_handling="replace", null_replacement=""
    )
    whole = pa.ListArray.from_arrays(pa.array([0, len(lines)], pa.int32()), lines)
    return f"{pc.binary_join(whole, chr(10))[0].as_py()}\n"


def _quote(column: pa.Array, dialect: Dialect) -> pa.Array:
    """Quotes the cells that need it."""
    if dialect.quote is None:
        return column
    pattern = f"[{re.escape(dialect.separator + dialect.quote)}\r\n]"
    if dialect.comment is not None:
        pattern += f"|^{re.escape(dialect.comment)}"
    is_special = pc.match_substring_regex(column, pattern)
    if not pc.any(is_special).as_py():
        return column
    doubled = pc.replace_substring(column, dialect.quote, dialect.quote * 2)
    quoted = pc.binary_join_element_wise(dialect.quote, doubled, dialect.quote, "")
    return pc.if_else(is_special, quoted, column)
