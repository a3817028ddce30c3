"""Reads CSV files as Arrow record batches of text; no TensorFlow."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import csv as arrow_csv

from tabular.csv.decoding import BAD_BYTE, Utf8Stream
from tabular.csv.dialect import Dialect
from tabular.csv.plain_numbers import plain_columns
from tabular.csv.read_ahead import read_ahead
from tabular.csv.records import read_records

BLOCK_BYTES = 2 * 2**20
"""Size of a block. Longer rows may be refused; Arrow reads 32 blocks ahead, about 80 MiB."""

_RFC_4180 = Dialect()


def read_header(path: str | Path, dialect: Dialect = _RFC_4180) -> list[str]:
    """Reads the column names: titles of the first record, or without a header the dialect's.

    Titles are read without blanks at their ends, and renamed by the dialect. Columns without a
    title get the names that pandas gives them, `Unnamed: 0` if it is the first column, unless the
    dialect renames the empty title.

    Returns:
        A name for each column; empty if the file is.

    Raises:
        pa.ArrowInvalid: If the first record cannot be decoded.
    """
    if not dialect.header:
        return list(dialect.names or ())
    return names_of_titles(_first_record(path, dialect), dict(dialect.rename))


def names_of_titles(titles: Sequence[str], renamed: Mapping[str, str]) -> list[str]:
    """Names the columns of a header.

    Args:
        titles: The titles in it.
        renamed: Title to the name of its column, as in `Dialect.rename`.

    Returns:
        A name for each column.
    """
    return [
        renamed.get(title) or renamed.get(title.strip()) or title.strip()
        if title.strip()
        else _name_by_place(place, titles, renamed)
        for place, title in enumerate(titles)
    ]


def _name_by_place(place: int, titles: Sequence[str], renamed: Mapping[str, str]) -> str:
    """Names a column without a title; `place` begins at 0."""
    if "" in renamed:
        return f"{renamed['']}_{place + 1}"
    name = f"Unnamed: {place}"
    while name in titles:  # pandas wrote its index once more
        name += "_"
    return name


def read_batches(path: str | Path, dialect: Dialect = _RFC_4180) -> Iterator[pa.RecordBatch]:
    """Reads a file as `read_written` does, with numbers that `dialect.numbers` describes plain."""
    for written in read_written(path, dialect):
        yield plain_columns(written, dialect.numbers, dialect.decimal)[0]


def read_written(path: str | Path, dialect: Dialect = _RFC_4180) -> Iterator[pa.RecordBatch]:
    """Reads a file of any size as batches.

    Args:
        path: A CSV file, compressed by gzip or not.
        dialect: How it is written.

    Yields:
        Batches of string columns named by `read_header`; a missing value is null.

    Raises:
        pa.ArrowInvalid: If a row has more or fewer fields than the header, or bytes are not valid
            in the encoding.
        UnicodeError: And the other errors of `Utf8Stream.read`.
    """
    for batch, has_bad_bytes in read_blocks(Utf8Stream(path, dialect)):
        if has_bad_bytes:
            raise pa.ArrowInvalid(f"{path}: holds bytes that are not {dialect.encoding}")
        yield batch


def read_blocks(
    text: Utf8Stream, on_ragged: Callable[[int], None] | None = None
) -> Iterator[tuple[pa.RecordBatch, bool]]:
    """Reads a file as `read_batches` does, but goes on after faults in rows.

    Args:
        text: The file, unread. It is closed at the end, when its `digest` is known.
        on_ragged: Called, some blocks ahead of the batches, with the index of a row that has more
            or fewer fields than the header and is left out; None raises an error instead.

    Yields:
        Batches of string columns, as they are written, and whether cells may hold a
        `BAD_BYTE_MARK`.

    Raises:
        pa.ArrowInvalid: If the file is not a table.
        UnicodeError: And the other errors of `Utf8Stream.read`.
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
        # With threads, Arrow does not number the rows; with few columns they gain no time.
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
