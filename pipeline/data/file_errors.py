"""Finds the faults of a CSV file and their lines, record by record.

This is slow, so it is used only on a file that Arrow refuses, or that is known to have a fault.
Records are the same as Arrow's: blank lines are left out, and quotes have the same meaning.
"""

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, islice

import pyarrow as pa

from pipeline.errors import DataError
from tabular.csv.column_rules import quote
from tabular.csv.decoding import BAD_BYTE
from tabular.csv.dialect import Dialect
from tabular.csv.reader import BLOCK_BYTES, read_header
from tabular.csv.records import Record, read_records
from tabular.csv.row_checks import explain_bad_byte, explain_ragged_row

FAULTS_SHOWN = 5


def find_cell(
    paths: Iterable[str], dialect: Dialect, column: str, is_wanted: Callable[[str], bool]
) -> tuple[str, str]:
    """Finds the first cell of a column that meets a condition; rows without the column are skipped.

    Args:
        paths: The files, in their order.
        dialect: How they are written.
        column: Name of the column, which each file may have in another place.
        is_wanted: The condition on the text of the cell.

    Returns:
        The place of the cell, `path:line`, and its text.
    """
    places = ((path, read_header(path, dialect).index(column)) for path in paths)
    return next(
        (f"{path}:{record.line}", record.cells[index])
        for path, index in places
        for record in islice(read_records(path, dialect), int(dialect.header), None)
        if len(record.cells) > index and is_wanted(record.cells[index])
    )


def data_error(faults: Iterable[str], count: int = 0, heading: str = "") -> DataError:
    """Makes an error that shows the first faults, a line each, and the number of the others.

    Args:
        faults: Descriptions of faults.
        count: Number of all faults, if more than are described.
        heading: The first line; empty for none.
    """
    rest = iter(faults)
    shown = list(islice(rest, FAULTS_SHOWN))
    more = max(count - len(shown), sum(1 for _ in rest))
    lines = [heading] * bool(heading) + shown + [f"and {more:,} more"] * bool(more)
    return DataError("\n".join(lines))


@contextmanager
def explain_read_errors(path: str, dialect: Dialect) -> Iterator[None]:
    """Turns the errors of reading a file into one that explains where the file is wrong.

    Args:
        path: The file.
        dialect: How it is written.

    Raises:
        DataError: If the file cannot be decompressed or decoded, or is not a table.
    """
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(
            f"{path}: is damaged, {error}; expected a complete gzip file: compress or copy it again"
        ) from None
    except UnicodeError as error:
        raise _wrong_encoding(path, dialect, error) from None
    except pa.ArrowInvalid as error:
        with explain_read_errors(path, dialect):
            raise _explain(path, dialect, error) from None


def _wrong_encoding(path: str, dialect: Dialect, error: BaseException) -> DataError:
    return DataError(
        f"{path}: is not {dialect.encoding}, {error}; expected that encoding: correct"
        " data.csv.encoding"
    )


def _explain(path: str, dialect: Dialect, cause: Exception) -> DataError:
    """Explains why a file is not a table.

    Args:
        path: The file.
        dialect: How it is written.
        cause: Arrow's error, shown if no record has a fault.
    """
    if isinstance(cause.__cause__, UnicodeError):
        return _wrong_encoding(path, dialect, cause.__cause__)
    faults = _faults(path, dialect)
    first = next(faults, f"{path}: {cause}; expected rows of up to {BLOCK_BYTES // 2**20} MiB")
    return data_error(chain([first], faults))


def _faults(path: str, dialect: Dialect) -> Iterator[str]:
    """Finds the faults that keep a file from being a table, in the order of its lines."""
    records = read_records(path, dialect)
    first = next(records, None)
    if first is None:
        yield explain_empty_file(path)
        return
    names = first.cells if dialect.names is None else dialect.names
    if len(first.cells) != len(names):
        yield (
            f"{path}:{first.line}: {len(first.cells)} columns, {quote(first.text)}; expected"
            f" {len(names)}: correct data.csv.names or data.csv.separator"
        )
        return
    row = None
    for row in chain([first], records):
        yield from _faults_of_record(path, row, len(names), dialect)
    if row is first and dialect.header and first.is_closed:
        yield explain_no_rows(path)


def explain_empty_file(path: str) -> str:
    """Explains that a file is empty."""
    return f"{path}: is empty; expected a header line, then a row per example"


def explain_no_rows(path: str) -> str:
    """Explains that a file has a header only."""
    return f"{path}: has a header and no rows; expected a row per example: add some, or remove it"


def _faults_of_record(path: str, record: Record, width: int, dialect: Dialect) -> Iterator[str]:
    for index, cell in enumerate(record.cells):
        if BAD_BYTE.search(cell):
            line, reason = explain_bad_byte(record, index, dialect)
            yield f"{path}:{line}: column {index + 1}: {reason}"
    if not record.is_closed:
        row = quote(dialect.separator.join(record.cells))
        yield (
            f"{path}:{record.line}: a quote opens in {row} and never closes; expected a second one"
            " at the end of the cell: add it, or remove the first"
        )
    elif len(record.cells) != width:
        yield f"{path}:{record.line}: {explain_ragged_row(record, width, dialect)}"
