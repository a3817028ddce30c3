"""Profiles the columns of CSV rows in one pass over Arrow batches; no TensorFlow."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.data.column_profile import ColumnKind, ColumnProfile
from pipeline.data.date_statistics import DateStatistics
from pipeline.data.null_words import NULL_WORDS
from pipeline.data.number_cells import NumberCells
from pipeline.data.several_words import find_tags, find_text
from pipeline.data.value_counts import ValueCounts
from pipeline.data.written_numbers import (
    WrittenNumbers,
    find_written_numbers,
    is_few_misfits,
)
from tabular.csv.column_rules import Mask
from tabular.csv.plain_numbers import to_plain
from trainer.settings.features import Boolean

_NULL_WORDS = frozenset(NULL_WORDS)
_EXAMPLES = 100
_BOOLEAN = Boolean()
_NO_MISFITS: Mapping[str, Mask] = {}


def profile_columns(
    batches: Iterable[pa.RecordBatch], decimal: str = "."
) -> dict[str, ColumnProfile]:
    """Profiles every column.

    Args:
        batches: String columns of the same names, null where a value is missing.
        decimal: Decimal point of numbers.

    Returns:
        Column to its profile, in the order of the columns; empty if there is no batch.
    """
    profiler = TableProfiler(decimal)
    for batch in batches:
        profiler.add(batch)
    return profiler.profiles()


class TableProfiler:
    """Profiles the columns of a table, batch by batch."""

    def __init__(self, decimal: str) -> None:
        """Starts without rows.

        Args:
            decimal: Decimal point of numbers.
        """
        self._decimal = decimal
        self._columns: dict[str, _Column] = {}

    def add(self, batch: pa.RecordBatch, misfits: Mapping[str, Mask] = _NO_MISFITS) -> None:
        """Adds rows: string columns, the same in each batch; null where a value is missing.

        Args:
            batch: The rows.
            misfits: Column to the mask of its cells that are not numbers, whatever they look like,
                as `plain_columns` gives it.
        """
        for name, cells in zip(batch.schema.names, batch.columns, strict=True):
            column = self._columns.setdefault(name, _Column(name, self._decimal))
            column.add(cells, misfits.get(name))

    def profiles(self) -> dict[str, ColumnProfile]:
        """Gives the profile of each column, in the order of the columns."""
        return {name: column.profile() for name, column in self._columns.items()}


class _Column:
    """Profiles a column."""

    def __init__(self, name: str, decimal: str) -> None:
        self._name = name
        self._decimal = decimal
        self._rows = self._missing = self._chars = self._longest = 0
        self._values = ValueCounts()
        self._null_words: Counter[str] = Counter()
        self._dates = DateStatistics(name)
        self._numbers = NumberCells(decimal)

    def add(self, cells: pa.Array, misfits: Mask | None) -> None:
        """Adds the cells of a batch."""
        self._rows += len(cells)
        self._missing += cells.null_count
        filled = cells.drop_null()
        if len(filled) == 0:
            return
        lengths = pc.utf8_length(filled)
        self._chars += pc.sum(lengths).as_py()
        self._longest = max(self._longest, pc.max(lengths).as_py())
        self._count(filled)
        if misfits is not None and misfits.any():
            filled = cells.filter(pa.array(~misfits)).drop_null()
        if self._numbers.are_possible or self._dates.are_possible:
            self._narrow(self._without_null_words(filled))
        if misfits is not None and misfits.any():
            self._numbers.add_misfits(cells.filter(pa.array(misfits)))

    def profile(self) -> ColumnProfile:
        """Gives the profile of the cells added so far."""
        filled = self._rows - self._missing
        kind = self._kind()
        if (
            kind == "boolean"
        ):  # of which `add` collects null words only while numbers or dates are possible
            self._null_words.update(self._values.values & _NULL_WORDS)
        cells = self._cells_of_words() if kind == "words" else None
        tags = None if cells is None else find_tags(cells)
        is_text = cells is not None and tags is None  # not 1,2 and 2,3, which are tags
        return ColumnProfile(
            name=self._name,
            rows=self._rows,
            missing=self._missing,
            kind="words" if self._null_words else kind,
            kind_but_null_words=kind,
            null_words=tuple(word for word in NULL_WORDS if word in self._null_words),
            values=self._values.exact,
            distinct=self._values.distinct,
            distinct_share=self._values.distinct_share,
            least=self._numbers.statistics.least,
            greatest=self._numbers.statistics.greatest,
            skewness=self._numbers.statistics.skewness(),
            mean_length=self._chars / filled if filled else 0.0,
            longest=self._longest,
            date_formats=self._dates.formats if kind == "date" else (),
            varying_parts=self._dates.varying_parts if kind == "date" else frozenset(),
            mixed_dates=self._dates.mixed_formats if kind == "words" else (),
            is_finite=self._numbers.statistics.are_finite,
            examples=tuple(islice(self._real_words(), _EXAMPLES)),
            is_whole=kind in ("integer", "number") and self._numbers.order.are_whole,
            is_monotonic=kind in ("integer", "number") and self._numbers.order.is_monotonic,
            has_leading_zeros=kind == "words" and self._numbers.has_leading_zeros,
            tags=tags,
            text_words=None if cells is None else find_text(cells),
            misfits=self._misfits_of(kind),
            written_numbers=self._written_numbers() if is_text else None,
        )

    def _misfits_of(self, kind: ColumnKind) -> Mapping[str, int]:
        """Gives the words that are not of a kind, if the column is but for them."""
        if kind == "date":
            return dict(self._dates.misfits)
        return dict(self._numbers.misfits) if kind in ("integer", "number") else {}

    def _cells_of_words(self) -> pa.Array:
        """Lists the counted values without null words."""
        return pa.array(self._values.values - _NULL_WORDS, pa.string())

    def _count(self, filled: pa.Array) -> None:
        """Counts values; beyond `MAX_VALUES` not those of dates and fractions, which go on."""
        is_fraction = self._numbers.are_possible and not self._numbers.are_whole
        if not (self._values.is_sample and (self._dates.are_possible or is_fraction)):
            self._values.add(filled, self._longest)

    def _without_null_words(self, filled: pa.Array) -> pa.Array:
        is_gap_word = pc.is_in(filled, value_set=pa.array(NULL_WORDS, pa.string()))
        if not pc.any(is_gap_word).as_py():
            return filled
        self._null_words.update(filled.filter(is_gap_word).to_pylist())
        return filled.filter(pc.invert(is_gap_word))

    def _narrow(self, words: pa.Array) -> None:
        """Drops the kinds and formats that do not fit all of the words."""
        if len(words) == 0:
            return
        if self._dates.are_possible:
            self._dates.add(words)
        if self._numbers.are_possible:
            self._numbers.add(words)

    def _real_words(self) -> Iterator[str]:
        return (word for word in self._values.values if word not in _NULL_WORDS)

    def _kind(self) -> ColumnKind:
        if not self._values.values - _NULL_WORDS:  # a sample of many words has others too
            return "empty"
        if self._is_boolean():
            return "boolean"
        if self._are_dates():
            return "date"
        if self._numbers.are_possible and self._are_misfits_few():
            return "integer" if self._numbers.are_whole else "number"
        return "words"

    def _are_dates(self) -> bool:
        """Whether the column is of dates but for a few cells, and not of numbers without others."""
        misfits = self._dates.misfits
        is_number = self._numbers.are_possible and not self._numbers.misfits
        are_few = is_few_misfits(misfits, self._filled_but_null_words)
        return bool(self._dates.formats) and are_few and not (misfits and is_number)

    def _are_misfits_few(self) -> bool:
        """Whether the column is of numbers but for a few cells; not if the numbers are codes."""
        is_of_codes = (
            bool(self._numbers.misfits) and self._numbers.are_whole and self._values.are_few
        )
        filled = self._filled_but_null_words
        return not is_of_codes and is_few_misfits(self._numbers.misfits, filled)

    @property
    def _filled_but_null_words(self) -> int:
        return self._rows - self._missing - sum(self._null_words.values())

    def _written_numbers(self) -> WrittenNumbers | None:
        """Finds out how the words are written if they are numbers, and not few whole ones."""
        written = find_written_numbers(self._values.counts, self._decimal)
        if written is None or written.format is None or not self._values.are_few:
            return written
        plain, is_misfit = to_plain(pa.array(list(self._values.values)), written.format)
        numbers = plain.filter(pa.array(~is_misfit))
        is_whole = pc.all(pc.match_substring_regex(numbers, r"\A-?[0-9]+\z")).as_py()
        return None if is_whole else written

    def _is_boolean(self) -> bool:
        """Whether all words mean yes or no, and both occur."""
        words = {word.lower() for word in self._values.values - _NULL_WORDS}
        true, false = set(_BOOLEAN.true_words), set(_BOOLEAN.false_words)
        return bool(words & true and words & false) and words <= true | false
