"""Finds, record by record, what is wrong with a CSV file and on which line.

Slow, and so used only on a file that Arrow refuses, or where a fault is known to be in it. Records
are those that Arrow sees: blank lines left out, quotes taken alike.
"""

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import chain, islice

import pyarrow as pa

from pipeline.errors import DataError
from tabular.csv.column_rules import quote
from tabular.csv.decoding import BAD_BYTE, NulByteError, Utf8Stream, open_bytes
from tabular.csv.dialect import Dialect
from tabular.csv.reader import BLOCK_BYTES
from tabular.csv.records import Record, read_records
from tabular.csv.row_checks import say_bad_byte, say_ragged

FAULTS_SHOWN = 5
_CHUNK_BYTES = 2**20
_OTHER_FORMATS = {
    b"PK\x03\x04": "a zip archive or Excel file; expected plain text: unpack it, or save it as CSV",
    b"PAR1\x15": "a Parquet file; expected plain text: convert it to CSV",
}
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def find_cell(
    paths: Iterable[str], dialect: Dialect, column: int, is_wanted: Callable[[str], bool]
) -> tuple[str, str]:
    """Finds the first cell of a column that is wanted, in rows that may lack it.

    Returns:
        Its place, `path:line`, and its text.
    """
    return next(
        (f"{path}:{record.line}", record.cells[column])
        for path in paths
        for record in islice(read_records(path, dialect), int(dialect.header), None)
        if len(record.cells) > column and is_wanted(record.cells[column])
    )


def data_error(faults: Iterable[str], count: int = 0, heading: str = "") -> DataError:
    """Makes the error of some faults, a line each; `count` tells of more than are given."""
    rest = iter(faults)
    shown = list(islice(rest, FAULTS_SHOWN))
    more = max(count - len(shown), sum(1 for _ in rest))
    lines = [heading] * bool(heading) + shown + [f"and {more:,} more"] * bool(more)
    return DataError("\n".join(lines))


@contextmanager
def explained(path: str, dialect: Dialect) -> Iterator[None]:
    """Turns what reading a file raises into an error that says where the file is wrong.

    Raises:
        DataError: If the file cannot be decompressed or decoded, or is not a table.
    """
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(
            f"{path}: is damaged, {error}; expected a whole file of gzip: compress or copy it again"
        ) from None
    except UnicodeError as error:
        raise _wrong_encoding(path, dialect, error) from None
    except NulByteError as error:
        encoding = "UTF-8" if dialect.is_utf8 else dialect.encoding
        raise DataError(
            f"{path}:{error.line}: holds a NUL byte; expected text in {encoding}: this is a binary"
            " file or another encoding: set data.csv.encoding, or save it as CSV in UTF-8"
        ) from None
    except pa.ArrowInvalid as error:
        with explained(path, dialect):
            raise _explain(path, dialect, error) from None


def check_format(path: str, dialect: Dialect) -> None:
    """Checks that a file does not begin as one of another format.

    Raises:
        DataError: If it does; it names the format.
    """
    with open_bytes(path) as file:
        start = file.read(8)
    for begin, words in _OTHER_FORMATS.items():
        if start.startswith(begin):
            raise DataError(f"{path}: is {words}")
    if start.startswith(_UTF_16) and dialect.is_utf8:
        raise DataError(
            f"{path}: is UTF-16; expected UTF-8: set data.csv.encoding to utf-16, or save it as CSV"
            " in UTF-8"
        )


def _wrong_encoding(path: str, dialect: Dialect, error: BaseException) -> DataError:
    return DataError(
        f"{path}: is not {dialect.encoding}, {error}; expected a file in it: correct"
        " data.csv.encoding"
    )


def _explain(path: str, dialect: Dialect, cause: Exception) -> DataError:
    """Says why a file is not a table, record by record.

    Args:
        path: The file.
        dialect: How it is written.
        cause: What Arrow says, for want of a better finding.
    """
    if isinstance(cause.__cause__, UnicodeError):
        return _wrong_encoding(path, dialect, cause.__cause__)
    with closing(Utf8Stream(path, dialect)) as text:
        while text.read(_CHUNK_BYTES):  # raises at a NUL byte, at which the csv module stops
            pass
    faults = _faults(path, dialect)
    first = next(faults, f"{path}: {cause}; expected rows of up to {BLOCK_BYTES // 2**20} MiB")
    return data_error(chain([first], faults))


def _faults(path: str, dialect: Dialect) -> Iterator[str]:
    """Finds whatever keeps a file from being a table of text, in the order of its lines."""
    records = read_records(path, dialect)
    first = next(records, None)
    if first is None:
        yield says_empty(path)
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
        yield says_no_rows(path)


def says_empty(path: str) -> str:
    """Says that a file has no header."""
    return f"{path}: is empty; expected a header line, then a row per example"


def says_no_rows(path: str) -> str:
    """Says that a file has nothing but a header."""
    return f"{path}: has a header and no rows; expected a row per example: add some, or remove it"


def _faults_of_record(path: str, record: Record, width: int, dialect: Dialect) -> Iterator[str]:
    for index, cell in enumerate(record.cells):
        if BAD_BYTE.search(cell):
            line, reason = say_bad_byte(record, index, dialect)
            yield f"{path}:{line}: column {index + 1}: {reason}"
    if not record.is_closed:
        row = quote(dialect.separator.join(record.cells))
        yield (
            f"{path}:{record.line}: a quote opens in {row} and never closes; expected a second one"
            " at the end of the cell: add it, or remove the first"
        )
    elif len(record.cells) != width:
        yield f"{path}:{record.line}: {say_ragged(record, width, dialect)}"
