"""CSV files as Arrow record batches of text, with their header, types and split; no TensorFlow."""

import csv
import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

BLOCK_BYTES = 4 * 2**20
"""No row may be longer. Arrow reads 32 blocks ahead, so that a reader takes some 150 MiB."""

_FIELD_SEPARATOR = "\x1f"


class ColumnType(IntEnum):
    """What a column's cells are, in the order in which one widens to the next."""

    UNKNOWN = 0
    INT = 1
    FLOAT = 2
    BYTES = 3


def read_header(path: str | Path) -> list[str]:
    """Reads the column names, the first record that is not blank; empty where there is none.

    Raises:
        pa.ArrowInvalid: If what stands there is not CSV in UTF-8.
    """
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            return next(filter(None, csv.reader(file)), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise pa.ArrowInvalid(f"{path}: {error}") from error


def read_batches(path: str | Path) -> Iterator[pa.RecordBatch]:
    """Reads a file of any size in blocks.

    Args:
        path: A CSV file after RFC 4180, UTF-8, with a header.

    Yields:
        Batches of string columns named by the header; an empty cell is null.

    Raises:
        pa.ArrowInvalid: If a row has more or fewer fields than the header, or bytes are not UTF-8.
    """
    reader = arrow_csv.open_csv(
        path,
        read_options=arrow_csv.ReadOptions(block_size=BLOCK_BYTES),
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(read_header(path), pa.string()),
            strings_can_be_null=True,
            null_values=[""],
            quoted_strings_can_be_null=True,
        ),
    )
    yield from reader


def infer_types(paths: Sequence[str]) -> dict[str, ColumnType]:
    """Finds the narrowest type that holds every cell of each column, over all files.

    Source: the rule of TFX's CsvExampleGen: whole numbers, else numbers, else bytes; empty cells do
    not count.
    """
    types: dict[str, ColumnType] = {}
    for path in paths:
        for batch in read_batches(path):
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                known = types.get(name, ColumnType.UNKNOWN)
                types[name] = max(known, column_type(column, known))
    return types


def column_type(column: pa.Array, at_least: ColumnType = ColumnType.UNKNOWN) -> ColumnType:
    """Finds the narrowest type, from the given one on, that holds all cells of a string column."""
    if column.null_count == len(column):
        return ColumnType.UNKNOWN
    # Whole numbers have to be numbers too: Arrow reads 0x1F as an integer, but not as a float.
    if at_least == ColumnType.BYTES or not can_cast(column, pa.float64()):
        return ColumnType.BYTES
    if at_least <= ColumnType.INT and can_cast(column, pa.int64()):
        return ColumnType.INT
    return ColumnType.FLOAT


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
    text = memoryview(data or b"")
    digests = [
        hashlib.blake2b(text[begin:end], digest_size=8).digest() for begin, end in pairwise(ends)
    ]
    return np.frombuffer(b"".join(digests), dtype=">u8")


def _scalar(text: str) -> pa.StringScalar:
    """Makes what `pa.scalar` makes, which imports pandas first and takes a quarter of a second."""
    data = text.encode()
    ends = np.array([0, len(data)], dtype=np.int32)
    return pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(ends), pa.py_buffer(data)])[0]
