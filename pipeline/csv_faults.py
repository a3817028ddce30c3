"""Finds, record by record, what is wrong with a CSV file and on which line.

Slow, and so used only on a file that Arrow refuses, or where a fault is known to be in it. Records
are those that Arrow sees: blank lines left out, quotes taken alike.
"""

import csv
import re
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from components.csv_example_gen.reader import BLOCK_BYTES
from pipeline.errors import DataError

FAULTS_SHOWN = 5
_TEXT_SHOWN = 60
_CHUNK_BYTES = 2**20
_END = "\x1e end of file \x1e"
"""Follows the last line, to see whether a quote that is still open swallows it."""

_BAD_BYTE = re.compile("[\udc80-\udcff]")
_LINE_END = re.compile("\r\n|\r|\n")
_OTHER_FORMATS = {
    b"\x1f\x8b": "compressed by gzip; expected plain text: unpack it (gunzip)",
    b"PK\x03\x04": "a zip archive or Excel file; expected plain text: unpack it, or save it as CSV",
    b"PAR1\x15": "a Parquet file; expected plain text: convert it to CSV",
    b"\xff\xfe": "UTF-16; expected UTF-8: save it as CSV in UTF-8",
    b"\xfe\xff": "UTF-16; expected UTF-8: save it as CSV in UTF-8",
}


@dataclass(frozen=True)
class Record:
    """The header or a row.

    Attributes:
        line: Line on which it begins, counted from 1.
        last_line: Line on which it ends, another one where a quoted cell holds line ends.
        cells: Its cells; a byte that is not UTF-8 is a lone surrogate.
        is_closed: False where the file ends inside a quoted cell.
    """

    line: int
    last_line: int
    cells: Sequence[str]
    is_closed: bool = True


def read_records(path: str) -> Iterator[Record]:
    """Reads the records of a file that has no NUL bytes, the header first."""
    with (
        _cells_of_any_size(),
        Path(path).open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file,
    ):
        reader = csv.reader(_with_end(file))
        line = 1
        for cells in reader:
            if cells and cells[-1].endswith(_END):
                cells[-1] = cells[-1].removesuffix(_END)
                if reader.line_num > line:
                    yield Record(line, reader.line_num - 1, cells, is_closed=False)
            elif cells:
                yield Record(line, reader.line_num, cells)
            line = reader.line_num + 1


def _with_end(lines: Iterable[str]) -> Iterator[str]:
    yield from lines
    yield _END


@contextmanager
def _cells_of_any_size() -> Iterator[None]:
    """Lifts the csv module's limit of 128 KiB a cell, which Arrow does not have."""
    limit = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(limit)


def lines_of_rows(path: str, rows: Collection[int]) -> Mapping[int, int]:
    """Finds the lines on which some rows begin; rows count from 0, the header is none."""
    records = islice(read_records(path), 1, max(rows) + 2)
    return {row: record.line for row, record in enumerate(records) if row in rows}


def find_cell(
    paths: Iterable[str], column: int, is_wanted: Callable[[str], bool]
) -> tuple[str, str]:
    """Finds the first cell of a column that is wanted, in well-formed files.

    Returns:
        Its place, `path:line`, and its text.
    """
    return next(
        (f"{path}:{record.line}", record.cells[column])
        for path in paths
        for record in islice(read_records(path), 1, None)
        if is_wanted(record.cells[column])
    )


def data_error(faults: Iterable[str], count: int = 0) -> DataError:
    """Makes the error of some faults, a line each; `count` tells of more than are given."""
    rest = iter(faults)
    shown = list(islice(rest, FAULTS_SHOWN))
    more = max(count - len(shown), sum(1 for _ in rest))
    return DataError("\n".join([*shown, f"and {more:,} more"] if more else shown))


def quote(text: str) -> str:
    """Quotes a text for a message, its end cut off where it is long."""
    text = text.encode("utf-8", "backslashreplace").decode()
    return repr(text if len(text) <= _TEXT_SHOWN else f"{text[:_TEXT_SHOWN]}...")


def check_bytes(path: str) -> None:
    """Checks what shows without parsing: that the file is text and its quotes come in pairs.

    Raises:
        DataError: If not.
    """
    quotes = 0
    line = 1
    with Path(path).open("rb") as file:
        chunk = file.read(_CHUNK_BYTES)
        for start, words in _OTHER_FORMATS.items():
            if chunk.startswith(start):
                raise DataError(f"{path}: is {words}")
        while chunk:
            nul = chunk.find(b"\0")
            if nul >= 0:
                line += chunk.count(b"\n", 0, nul)
                raise DataError(
                    f"{path}:{line}: holds a NUL byte; expected text in UTF-8: this is a binary"
                    " file or another encoding: save it as CSV in UTF-8"
                )
            quotes += chunk.count(b'"')
            line += chunk.count(b"\n")
            chunk = file.read(_CHUNK_BYTES)
    # An odd number is no fault yet: a quote inside an unquoted cell (5" pipe) is a plain character.
    if quotes % 2 and any(not record.is_closed for record in read_records(path)):
        raise data_error(_faults(path))


def explain(path: str, cause: Exception) -> DataError:
    """Says why Arrow refuses a file that has passed `check_bytes`.

    Args:
        path: The file.
        cause: What Arrow says, for want of a better finding.
    """
    faults = _faults(path)
    first = next(faults, f"{path}: {cause}; expected rows of up to {BLOCK_BYTES // 2**20} MiB")
    return data_error(chain([first], faults))


def _faults(path: str) -> Iterator[str]:
    """Finds whatever keeps a file from being a table of text, in the order of its lines."""
    records = read_records(path)
    header = next(records, None)
    if header is None:
        yield says_empty(path)
        return
    yield from _faults_of_record(path, header, header.cells)
    row = None
    for row in records:
        yield from _faults_of_record(path, row, header.cells)
    if row is None and header.is_closed:
        yield says_no_rows(path)


def says_empty(path: str) -> str:
    """Says that a file has no header."""
    return f"{path}: is empty; expected a header line, then a row per example"


def says_no_rows(path: str) -> str:
    """Says that a file has nothing but a header."""
    return f"{path}: has a header and no rows; expected a row per example: add some, or remove it"


def _faults_of_record(path: str, record: Record, names: Sequence[str]) -> Iterator[str]:
    yield from _bad_bytes(path, record, names)
    row = quote(",".join(record.cells))
    if not record.is_closed:
        yield (
            f"{path}:{record.line}: a quote opens in {row} and never closes; expected a second one"
            " at the end of the cell: add it, or remove the first"
        )
    elif len(record.cells) != len(names):
        has_line_ends = record.last_line > record.line
        yield (
            f"{path}:{record.line}: {len(record.cells)} fields in {row}; expected {len(names)}, as"
            " in the header: put a cell that holds a comma in quotes, and keep the comma after an"
            f" empty cell{f'; is the quote closed before line {record.last_line}?' * has_line_ends}"
        )


def _bad_bytes(path: str, record: Record, names: Sequence[str]) -> Iterator[str]:
    """Finds the first byte of each cell that is not UTF-8."""
    line = record.line
    for index, cell in enumerate(record.cells):
        bad = _BAD_BYTE.search(cell)
        if bad:
            column = quote(names[index]) if index < len(names) else f"{index + 1}"
            yield (
                f"{path}:{line + len(_LINE_END.findall(cell[: bad.start()]))}: column {column}: the"
                f" byte 0x{ord(bad[0]) - 0xDC00:02x} is not UTF-8; expected a file in UTF-8: save"
                " it so, as by iconv -f latin1 -t utf-8"
            )
        line += len(_LINE_END.findall(cell))
