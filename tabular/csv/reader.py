"""CSV files as Arrow record batches of text, with their header; no TensorFlow."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
from pyarrow import csv as arrow_csv

from tabular.csv.decoding import BAD_BYTE, Utf8Stream
from tabular.csv.dialect import Dialect
from tabular.csv.read_ahead import read_ahead
from tabular.csv.records import read_records

BLOCK_BYTES = 2 * 2**20
"""A longer row may be refused. Arrow reads 32 blocks ahead, so that a reader takes some 80 MiB."""

_RFC_4180 = Dialect()


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
        Batches of string columns named by `read_header`; a missing value is null.

    Raises:
        pa.ArrowInvalid: If a row has more or fewer fields than the header, or bytes are not of the
            encoding.
        NulByteError: And what else `Utf8Stream.read` raises.
    """
    for batch, has_bad_bytes in read_blocks(Utf8Stream(path, dialect)):
        if has_bad_bytes:
            raise pa.ArrowInvalid(f"{path}: holds bytes that are not {dialect.encoding}")
        yield batch


def read_blocks(
    text: Utf8Stream, on_ragged: Callable[[int], None] | None = None
) -> Iterator[tuple[pa.RecordBatch, bool]]:
    """Reads a file as `read_batches` does, but goes on where it can.

    Args:
        text: The file, unread. It is closed in the end, and can then say its digest.
        on_ragged: Called, some blocks ahead, with the index of a row that has more or fewer fields
            than the header, which is left out; None: it raises.

    Yields:
        Batches of string columns, and whether cells may hold a `MARK`, for a byte that is not of
        the encoding.

    Raises:
        pa.ArrowInvalid: If the file is not a table.
        NulByteError: And what else `Utf8Stream.read` raises.
    """
    path, dialect = text.path, text.dialect
    header = read_header(path, dialect)
    in_file = _first_record(path, dialect) if dialect.header else header
    if len(header) != len(in_file):
        raise pa.ArrowInvalid(f"{path}: {len(in_file)} columns, but {len(header)} names for them")

    def skip(row: arrow_csv.InvalidRow) -> str:
        if on_ragged is None:
            return "error"
        on_ragged(row.number - 1 - dialect.header)
        return "skip"

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
            null_values=["", *dialect.null_values],
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
