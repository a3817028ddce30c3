"""CSV files as Arrow record batches of text, with their header, types and split; no TensorFlow."""

import csv
import hashlib
import math
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from enum import IntEnum
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from components.csv_example_gen.arrays import to_numpy
from components.csv_example_gen.dialect import Dialect
from components.csv_example_gen.read_ahead import read_ahead
from components.csv_example_gen.records import read_records
from components.csv_example_gen.text import BAD_BYTE, Utf8Stream

BLOCK_BYTES = 2 * 2**20
"""A longer row may be refused. Arrow reads 32 blocks ahead, so that a reader takes some 80 MiB."""

_FIELD_SEPARATOR = "\x1f"
_RFC_4180 = Dialect()


class ColumnType(IntEnum):
    """What a column's cells are, in the order in which one widens to the next."""

    UNKNOWN = 0
    INT = 1
    WHOLE = 2
    """Numbers such as 1.0, all of them whole: classes where the column is the label."""
    FLOAT = 3
    BYTES = 4


def read_header(path: str | Path, dialect: Dialect = _RFC_4180) -> list[str]:
    """Reads the column names: the dialect's, or those of the first record; empty if none is there.

    Raises:
        pa.ArrowInvalid: If what stands there is no text.
    """
    if dialect.names is not None and not dialect.header:
        return list(dialect.names)
    header = _first_record(path, dialect)
    return list(dialect.names) if header and dialect.names is not None else header


def read_batches(path: str | Path, dialect: Dialect = _RFC_4180) -> Iterator[pa.RecordBatch]:
    """Reads a file of any size in blocks.

    Args:
        path: A CSV file, compressed by gzip or not.
        dialect: How it is written.

    Yields:
        Batches of string columns named by `read_header`; a gap is null.

    Raises:
        pa.ArrowInvalid: If a row has more or fewer fields than the header, or bytes are not of the
            encoding.
    """
    for batch, has_bad_bytes in read_blocks(path, dialect):
        if has_bad_bytes:
            raise pa.ArrowInvalid(f"{path}: holds bytes that are not {dialect.encoding}")
        yield batch


def read_blocks(
    path: str | Path, dialect: Dialect, on_ragged: Callable[[int], None] | None = None
) -> Iterator[tuple[pa.RecordBatch, bool]]:
    """Reads a file as `read_batches` does, but goes on where it can.

    Args:
        path: The file.
        dialect: How it is written.
        on_ragged: Called, some blocks ahead, with the index of a row that has more or fewer fields
            than the header, which is left out; None: it raises.

    Yields:
        Batches of string columns, and whether cells may hold a `MARK`, for a byte that is not of
        the encoding.

    Raises:
        pa.ArrowInvalid: If the file is no table.
    """
    header = read_header(path, dialect)
    in_file = _first_record(path, dialect) if dialect.header else header
    if len(header) != len(in_file):
        raise pa.ArrowInvalid(f"{path}: {len(in_file)} columns, but {len(header)} names for them")

    def skip(row: arrow_csv.InvalidRow) -> str:
        if on_ragged is None:
            return "error"
        on_ragged(row.number - 1 - dialect.header)
        return "skip"

    text = Utf8Stream(path, dialect)
    batches = read_ahead(
        text,
        skip,
        # Without threads, Arrow knows the numbers of the rows; it is as fast on few columns.
        read_options=arrow_csv.ReadOptions(
            block_size=BLOCK_BYTES,
            use_threads=False,
            column_names=None if dialect.header else header,
        ),
        convert_options=arrow_csv.ConvertOptions(
            check_utf8=False,
            column_types=dict.fromkeys(in_file, pa.string()),
            strings_can_be_null=True,
            null_values=["", *dialect.gaps],
            quoted_strings_can_be_null=True,
        ),
        delimiter=dialect.separator,
        quote_char=dialect.quote or False,
        newlines_in_values=dialect.quote is not None,
    )
    for batch in batches:
        yield pa.RecordBatch.from_arrays(batch.columns, header), text.has_bad_bytes


def _first_record(path: str | Path, dialect: Dialect) -> list[str]:
    try:
        record = next(read_records(path, dialect), None)
    except (csv.Error, UnicodeError) as error:
        raise pa.ArrowInvalid(f"{path}: {error}") from error
    cells = list(record.cells) if record else []
    if any(BAD_BYTE.search(cell) for cell in cells):
        raise pa.ArrowInvalid(f"{path}: the header is not {dialect.encoding}")
    return cells


def infer_types(paths: Sequence[str], dialect: Dialect = _RFC_4180) -> dict[str, ColumnType]:
    """Finds the narrowest type that holds every cell of each column, over all files.

    Source: the rule of TFX's CsvExampleGen: whole numbers, else numbers, else bytes; empty cells do
    not count.
    """
    types: dict[str, ColumnType] = {}
    for path in paths:
        for batch in read_batches(path, dialect):
            types |= widen_types(types, batch, dialect.decimal)
    return types


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


def hash_buckets(shares: Mapping[str, float]) -> dict[str, int]:
    """Turns shares into the smallest whole numbers of the same ratio.

    Args:
        shares: Split name to its share, positive, of any sum; resolved to a thousandth of their
            sum, which is also the least that a split gets.

    Returns:
        Split name to its number of hash buckets: `{"train": 0.8, "eval": 0.2}` gives 4 and 1.
    """
    total = sum(Fraction(share) for share in shares.values())
    parts = [
        max((Fraction(share) / total).limit_denominator(1000), Fraction(1, 1000))
        for share in shares.values()
    ]
    scale = math.lcm(*(part.denominator for part in parts))
    return {name: int(part * scale) for name, part in zip(shares, parts, strict=True)}


def split_rows(batch: pa.RecordBatch, buckets: Sequence[int], by: str | None = None) -> list[int]:
    """Assigns each row to a split by a hash of its text, alike on every machine and in any order.

    Args:
        batch: String columns, null where a cell is empty.
        buckets: Hash buckets of each split.
        by: Column to hash, empty cells being alike; None hashes all cells of the row.

    Returns:
        Index of the split for each row. Equal rows, or cells of that column, fall into the same.
    """
    split_of_bucket = np.repeat(np.arange(len(buckets)), buckets)
    if by is None:
        hashes = _hash_rows(batch.columns)
    else:
        keys = pc.dictionary_encode(batch[by], null_encoding="encode")
        codes = np.frombuffer(keys.indices.buffers()[1], dtype=np.int32, count=len(keys))
        hashes = _hash_rows([keys.dictionary])[codes]
    splits: list[int] = split_of_bucket[hashes % len(split_of_bucket)].tolist()
    return splits


def _hash_rows(columns: Sequence[pa.Array]) -> npt.NDArray[np.uint64]:
    rows = pc.binary_join_element_wise(
        *columns, _scalar(_FIELD_SEPARATOR), null_handling="replace", null_replacement=""
    )
    _, offsets, data = rows.buffers()
    ends = np.frombuffer(offsets, dtype=np.int32, count=len(rows) + 1).tolist()
    text = data.to_pybytes() if data else b""
    digests = [
        hashlib.blake2b(text[begin:end], digest_size=8).digest() for begin, end in pairwise(ends)
    ]
    return np.frombuffer(b"".join(digests), dtype=">u8")


def _scalar(text: str) -> pa.StringScalar:
    """Makes what `pa.scalar` makes, which imports pandas first and takes a quarter of a second."""
    data = text.encode()
    ends = np.array([0, len(data)], dtype=np.int32)
    return pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(ends), pa.py_buffer(data)])[0]
