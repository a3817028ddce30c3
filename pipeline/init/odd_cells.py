"""Finds the cells of number columns that are not numbers, with their lines."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pipeline.settings.data import CsvSettings
from tabular.csv.arrow_numpy import to_numpy
from tabular.csv.number_format import NumberFormat
from tabular.csv.plain_numbers import to_plain
from tabular.csv.reader import read_written
from tabular.csv.records import select_records

_LINES_SHOWN = 3


@dataclass(frozen=True)
class OddCells:
    """The cells of a column with one word that is not a number.

    Attributes:
        word: The word.
        count: Number of its cells.
        first: The first of them, as `12`, or `rows.csv:12` if there are several files.
        is_missing: Whether the word is a missing value; else the row cannot be used.
    """

    word: str
    count: int
    first: tuple[str, ...]
    is_missing: bool

    @property
    def places(self) -> str:
        """Lists the first lines: `line 12`, `lines 12, 40, 41 and 7 more`."""
        more = self.count - len(self.first)
        lines = ", ".join(self.first) + f" and {more:,} more" * bool(more)
        return f"line{'s' * (self.count > 1)} {lines}"


def find_odd_cells(
    paths: Sequence[str], settings: CsvSettings, columns: Collection[str]
) -> dict[str, list[OddCells]]:
    """Finds the cells that are not numbers, for which it reads the files once more.

    Args:
        paths: The files; each row has as many cells as the header.
        settings: How they are written.
        columns: The columns of numbers to look at.

    Returns:
        Column to its odd cells by word, in the order of the file; without columns that have none.
    """
    finder = _Finder(settings, columns)
    for path in paths if columns else ():
        finder.add(path, name_file=len(paths) > 1)
    return finder.found()


class _Finder:
    """Collects odd cells file by file; a key is a column and a word."""

    def __init__(self, settings: CsvSettings, columns: Collection[str]) -> None:
        self._dialect = settings.dialect
        plain = NumberFormat(decimal=settings.decimal)
        self._formats = {name: self._dialect.numbers.get(name, plain) for name in columns}
        self._counts: Counter[tuple[str, str]] = Counter()
        self._missing: set[tuple[str, str]] = set()
        self._first: dict[tuple[str, str], list[str]] = defaultdict(list)

    def add(self, path: str, *, name_file: bool) -> None:
        """Adds the odd cells of a file."""
        wanted = self._read(path)
        for row, record in select_records(path, self._dialect, wanted):
            place = f"{path}:{record.line}" if name_file else str(record.line)
            for key in wanted[row]:
                self._first[key].append(place)

    def found(self) -> dict[str, list[OddCells]]:
        """Gives the odd cells by column."""
        cells: dict[str, list[OddCells]] = defaultdict(list)
        for key, count in self._counts.items():
            odd = OddCells(key[1], count, tuple(self._first[key]), key in self._missing)
            cells[key[0]].append(odd)
        return dict(cells)

    def _read(self, path: str) -> dict[int, list[tuple[str, str]]]:
        """Counts the odd cells of a file; gives the keys of the rows whose lines are shown."""
        wanted: dict[int, list[tuple[str, str]]] = defaultdict(list)
        begin = 0
        for batch in read_written(path, self._dialect):
            for name, number_format in self._formats.items():
                cells = batch[name]
                plain, misfits = to_plain(cells, number_format)
                is_missing = to_numpy(plain.is_null(), null=True) & ~to_numpy(cells.is_null(), True)
                rows = np.flatnonzero(is_missing | misfits)
                words = cells.take(pa.array(rows)).to_pylist()
                for row, word in zip(rows.tolist(), words, strict=True):
                    if self._counts[name, word] < _LINES_SHOWN:
                        wanted[begin + row].append((name, word))
                    self._counts[name, word] += 1
                    if is_missing[row]:
                        self._missing.add((name, word))
            begin += len(batch)
        return wanted
