"""Reads the records of a CSV file one by one, with their lines; no TensorFlow.

This is slow, so it is used only for the header, and for files with a fault. Records are the same as
Arrow's: blank lines are left out, and quotes have the same meaning.
"""

import csv
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tabular.csv.decoding import read_lines
from tabular.csv.dialect import Dialect

_END = "\U0010fffe"
"""A code point without a character, put after the last line: an open quote would enclose it."""


@dataclass(frozen=True)
class Record:
    """A header or a row.

    Attributes:
        line: Line on which it begins, counted from 1.
        last_line: Line on which it ends, a later one if a quoted cell holds line ends.
        cells: Its cells; a byte that is not valid in the encoding is a lone surrogate.
        text: Its lines in the file, without the last line end.
        is_closed: False where the file ends inside a quoted cell.
    """

    line: int
    last_line: int
    cells: Sequence[str]
    text: str
    is_closed: bool = True


def read_records(path: str | Path, dialect: Dialect) -> Iterator[Record]:
    """Reads all records of a file, including the header."""
    lines: list[str] = []
    # Arrow does not have the csv module's limit of 128 KiB a cell.
    limit = csv.field_size_limit(sys.maxsize)
    try:
        reader = csv.reader(
            _keep_lines(read_lines(path, dialect), lines),
            delimiter=dialect.separator,
            quotechar=dialect.quote,
            quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
        )
        line = 1
        for cells in reader:
            if cells and cells[-1].endswith(_END):
                cells[-1] = cells[-1].removesuffix(_END)
                if reader.line_num > line:
                    yield Record(line, reader.line_num - 1, cells, "".join(lines[:-1]), False)
            elif cells:
                text = "".join(lines).rstrip("\r\n")
                yield Record(line, reader.line_num, cells, text)
            line = reader.line_num + 1
            lines.clear()
    finally:
        csv.field_size_limit(limit)


def select_records(
    path: str, dialect: Dialect, rows: Collection[int]
) -> Iterator[tuple[int, Record]]:
    """Reads the rows of the given indices, in the order of the file.

    Args:
        path: The file.
        dialect: How it is written.
        rows: Indices of rows, counted from 0 without the header.

    Yields:
        The index and the record of each row.
    """
    last = max(rows, default=-1)
    for row, record in enumerate(read_records(path, dialect), start=-dialect.header):
        if row > last:
            return
        if row in rows:
            yield row, record


def _keep_lines(lines: Iterable[str], kept: list[str]) -> Iterator[str]:
    for line in lines:
        kept.append(line)
        yield line
    kept.append(_END)
    yield _END
