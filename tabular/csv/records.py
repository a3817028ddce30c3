"""The records of a CSV file one by one, each with its lines; no TensorFlow.

Slow, and so used only for a header, or where a fault is known to be in the file. Records are those
that Arrow sees: blank lines left out, quotes taken alike.
"""

import csv
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tabular.csv.decoding import read_lines
from tabular.csv.dialect import Dialect

_END = "\U0010fffe"
"""Follows the last line, to see whether a quote that is still open swallows it; no character."""


@dataclass(frozen=True)
class Record:
    """The header or a row.

    Attributes:
        line: Line on which it begins, counted from 1.
        last_line: Line on which it ends, another one where a quoted cell holds line ends.
        cells: Its cells; a byte that is not of the encoding is a lone surrogate.
        text: Its lines as they stand in the file.
        is_closed: False where the file ends inside a quoted cell.
    """

    line: int
    last_line: int
    cells: Sequence[str]
    text: str
    is_closed: bool = True


def read_records(path: str | Path, dialect: Dialect) -> Iterator[Record]:
    """Reads the records of a file that has no NUL bytes, the header first where there is one."""
    lines: list[str] = []
    # Arrow does not have the csv module's limit of 128 KiB a cell.
    limit = csv.field_size_limit(sys.maxsize)
    try:
        reader = csv.reader(
            _keep(read_lines(path, dialect), lines),
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


def pick_records(
    path: str, dialect: Dialect, rows: Collection[int]
) -> Iterator[tuple[int, Record]]:
    """Picks some rows, in their order; rows count from 0, the header is none."""
    last = max(rows, default=-1)
    for row, record in enumerate(read_records(path, dialect), start=-dialect.header):
        if row > last:
            return
        if row in rows:
            yield row, record


def _keep(lines: Iterable[str], kept: list[str]) -> Iterator[str]:
    for line in lines:
        kept.append(line)
        yield line
    kept.append(_END)
    yield _END
