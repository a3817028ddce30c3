"""Finds the cells of columns of numbers or dates that are something else, with their lines."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.data.column_rules import make_date_rule
from pipeline.data.null_words import NULL_WORDS
from pipeline.init.whole_rows import WholeRows
from pipeline.settings.data import CsvSettings
from tabular.csv.arrow_numpy import to_numpy
from tabular.csv.column_rules import Mask
from tabular.csv.number_format import NumberFormat
from tabular.csv.plain_numbers import to_plain
from tabular.csv.records import select_records

_LINES_SHOWN = 3


@dataclass(frozen=True)
class OddCells:
    """The cells of a column with one word that is not a number, or not a date.

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
    paths: Sequence[str],
    settings: CsvSettings,
    numbers: Collection[str],
    dates: Mapping[str, str],
) -> dict[str, list[OddCells]]:
    """Finds the cells that are not numbers or dates, for which it reads the files once more.

    Args:
        paths: The files.
        settings: How they are written. Words for missing values that are not common ones are
            looked for in columns of dates.
        numbers: The columns of numbers to look at.
        dates: The columns of dates to look at, and their formats.

    Returns:
        Column to its odd cells by word, in the order of the file; without columns that have none.
    """
    finder = _Finder(settings, numbers, dates)
    for path in paths if numbers or dates else ():
        finder.add(path, name_file=len(paths) > 1)
    return finder.found()


_Judge = Callable[[pa.Array], tuple[Mask, Mask]]
"""Finds the cells of a column with words for missing values, and those that cannot be used."""


def _number_judge(number_format: NumberFormat) -> _Judge:
    def judge(cells: pa.Array) -> tuple[Mask, Mask]:
        plain, misfits = to_plain(cells, number_format)
        is_missing = to_numpy(plain.is_null(), null=True) & ~to_numpy(cells.is_null(), null=True)
        return is_missing, misfits

    return judge


def _date_judge(date_format: str, null_words: Sequence[str]) -> _Judge:
    rule = make_date_rule(date_format)

    def judge(cells: pa.Array) -> tuple[Mask, Mask]:
        is_missing = to_numpy(
            pc.is_in(cells, value_set=pa.array(null_words, pa.string())), null=False
        )
        return is_missing, rule.find_wrong(cells) & ~is_missing

    return judge


class _Finder:
    """Collects odd cells file by file; a key is a column and a word."""

    def __init__(
        self, settings: CsvSettings, numbers: Collection[str], dates: Mapping[str, str]
    ) -> None:
        plain = NumberFormat(decimal=settings.decimal)
        rare = [word for word in settings.null_values if word not in NULL_WORDS]
        common = tuple(word for word in settings.null_values if word in NULL_WORDS)
        self._dialect = replace(settings.dialect, null_values=common)
        formats = self._dialect.numbers
        self._judges = {name: _number_judge(formats.get(name, plain)) for name in numbers}
        self._judges |= {name: _date_judge(each, rare) for name, each in dates.items()}
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
        for indices, batch in WholeRows(self._dialect).read(path):
            for name, judge in self._judges.items():
                cells = batch[name]
                is_missing, misfits = judge(cells)
                rows = np.flatnonzero(is_missing | misfits)
                words = cells.take(pa.array(rows)).to_pylist()
                for row, word in zip(rows.tolist(), words, strict=True):
                    if self._counts[name, word] < _LINES_SHOWN:
                        wanted[int(indices[row])].append((name, word))
                    self._counts[name, word] += 1
                    if is_missing[row]:
                        self._missing.add((name, word))
        return wanted
