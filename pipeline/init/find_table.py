"""Finds where the table begins in a CSV file, below title lines and comments."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from pipeline.data.file_format import find_separator_line
from tabular.csv.around_table import split_lines
from tabular.csv.decoding import read_chunks, read_lines
from tabular.csv.dialect import Dialect

SEPARATORS = ("\t", ";", "|", ",")
"""In order of preference if several fit equally; commas are also part of numbers and text."""
_RECORDS = 1000
_HEAD_CHARACTERS = 2**20
_MAX_START = 100
"""Records among which the header is looked for."""
_COMMENT_MARKS = ("#", "%", "!", "*")


class Table(NamedTuple):
    """A table in a file.

    Attributes:
        separator: Character between its cells.
        skip_lines: Number of lines above it that are not part of it.
        comment: Character at the beginning of comment lines; None if there are none.
        records: The cells of its first records.
    """

    separator: str
    skip_lines: int
    comment: str | None
    records: list[list[str]]


class _Record(NamedTuple):
    """A record and the number of the line on which it ends."""

    line: int
    cells: list[str]


def find_table(path: Path, encoding: str, label: str) -> Table:
    """Finds the table in a file; it has no records if the file is empty.

    Args:
        path: The file.
        encoding: Its encoding.
        label: A column that should be in the header.
    """
    named = find_separator_line(str(path), encoding)
    dialect = Dialect(separator=named or ",", encoding=encoding)
    head = _read_head(path, dialect)
    separator, records = _find_separator(head, [named] if named else SEPARATORS)
    width = _usual(records)[0]
    start = _find_start(records, width, label)
    above, below = records[:start], [record.cells for record in records[start:]]
    if not above:
        return Table(separator, 0, None, below)
    mark = above[0].cells[0][:1]
    if mark in _COMMENT_MARKS and all(record.cells[0].startswith(mark) for record in above):
        is_comment = [cells[0].startswith(mark) for cells in below]
        if not is_comment[0] and not _has_row(
            path, Dialect(separator, encoding=encoding), mark, width
        ):
            rows = [cells for cells, skipped in zip(below, is_comment, strict=True) if not skipped]
            return Table(separator, 0, mark, rows)
    return Table(separator, above[-1].line, None, below)


def _read_head(path: Path, dialect: Dialect) -> str:
    parts: list[str] = []
    for chunk in read_chunks(path, dialect):
        parts.append(chunk)
        if sum(map(len, parts)) >= _HEAD_CHARACTERS:
            break
    return "".join(parts)[:_HEAD_CHARACTERS]


def _find_separator(head: str, separators: Sequence[str]) -> tuple[str, list[_Record]]:
    """Finds the separator with which most records have the same number of cells, above one."""
    best: tuple[float, str, list[_Record]] | None = None
    for separator in separators:
        records = list(_records(head, separator))
        width, count = _usual(records)
        share = count / len(records) if width > 1 else 0.0
        if best is None or share > best[0]:
            best = share, separator, records
    assert best is not None
    if best[0] > 0 or len(separators) == 1:
        return best[1], best[2]
    return ",", list(_records(head, ","))


def _usual(records: Sequence[_Record]) -> tuple[int, int]:
    """Gives the most frequent number of cells, and the number of records that have it."""
    widths = Counter(len(record.cells) for record in records)
    return widths.most_common(1)[0] if widths else (0, 0)


def _records(head: str, separator: str) -> Iterator[_Record]:
    """Reads the first records that are not blank, without one cut off at the end of the head."""
    is_cut = len(head) == _HEAD_CHARACTERS
    lines = list(split_lines(iter([head])))
    reader = csv.reader(lines[:-1] if is_cut and len(lines) > 1 else lines, delimiter=separator)
    try:
        records = (_Record(reader.line_num, cells) for cells in reader if cells)
        yield from islice(records, _RECORDS)
    except csv.Error:  # a cell that is too long, since its quote is never closed
        return


def _find_start(records: Sequence[_Record], width: int, label: str) -> int:
    """Finds the first record of the table: the one with the label, else the first of full width.

    Those above it have another number of cells, or are half empty, as titles are in a sheet.
    """
    above = [_is_above(record.cells, width) for record in records[:_MAX_START]]
    for index, record in enumerate(records[:_MAX_START]):
        is_comment = record.cells[0].startswith(_COMMENT_MARKS)
        if label.strip() in map(str.strip, record.cells) and len(record.cells) == width:
            return index
        if not above[index] and not is_comment:
            break
    is_full = (
        len(record.cells) == width and (width < 3 or sum(map(bool, record.cells)) > 1)
        for record in records[:_MAX_START]
    )
    start = next((index for index, full in enumerate(is_full) if full), 0)
    # A header of another width than the rows is told as that.
    return next((i for i, record in enumerate(records[:start]) if label in record.cells), start)


def _is_above(cells: Sequence[str], width: int) -> bool:
    return len(cells) != width or 2 * sum(map(bool, cells)) <= width


def _has_row(path: Path, dialect: Dialect, mark: str, width: int) -> bool:
    """Whether a line that begins with a mark is a row, which a comment would hide."""
    marked = (line for line in read_lines(path, dialect) if line.startswith(mark))
    return any(
        len(cells) == width
        for cells in csv.reader(islice(marked, 1, None), delimiter=dialect.separator)
    )
