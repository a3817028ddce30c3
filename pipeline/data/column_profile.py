"""Profiles the columns of CSV rows in one pass over Arrow batches; no TensorFlow."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from zlib import crc32

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.data.date_formats import FORMATS, fitting_formats
from tabular.csv.column_rules import TOO_LARGE, CellRule, DatetimeRule, NumberRule
from tabular.csv.types import with_point
from trainer.settings.features import Boolean

MAX_VALUES = 10_000
"""Up to this number of distinct values, each is counted; beyond it, only a sample of them."""
_THINNING = 4
NULL_WORDS = (
    *("NA", "N/A", "n/a", "na", "#N/A", "NaN", "nan", "NAN", "null", "NULL", "Null", "\\N"),
    *("None", "none", "NONE", "nil", "?", "-", "--", ".", "..", "missing", "Missing", "MISSING"),
    *("unknown", "Unknown"),
)
"""Words that commonly mean a missing value."""

ColumnKind = Literal["empty", "boolean", "integer", "number", "date", "words"]
_NULL_WORDS = frozenset(NULL_WORDS)
_BOOLEAN = Boolean()


@dataclass(frozen=True)
class ColumnProfile:
    """What is known of the cells of a column.

    Attributes:
        name: Name of the column.
        rows: Number of cells.
        missing: Number of missing values.
        kind: The narrowest kind that all filled cells have.
        kind_but_null_words: The narrowest kind of the filled cells without `NULL_WORDS`.
        null_words: The `NULL_WORDS` in the column, in the order of that list.
        values: Distinct value to its number of cells; None if there are more than `MAX_VALUES`.
        distinct: Number of distinct values: exact if `values` are known, else estimated; too low
            for fractions and dates, which are not counted beyond `MAX_VALUES`.
        distinct_share: Number of distinct values by number of filled cells; 0 if there are none.
        least: The least finite number; None if there is none.
        greatest: The greatest finite number; None if there is none.
        skewness: Third standardized moment of the numbers; 0 if all are equal.
        mean_length: Mean number of characters of the filled cells.
        longest: Number of characters of the longest cell.
        date_formats: Formats that fit all dates, the likeliest first.
        is_finite: Whether all numbers are finite as float32.
        is_calendar: Whether all dates are known to be in the calendar, in the likeliest format.
        is_monotonic: Whether the whole numbers rise, or fall, from each row to the next.
    """

    name: str
    rows: int
    missing: int
    kind: ColumnKind
    kind_but_null_words: ColumnKind
    null_words: tuple[str, ...]
    values: Mapping[str, int] | None
    distinct: int
    distinct_share: float
    least: float | None
    greatest: float | None
    skewness: float
    mean_length: float
    longest: int
    date_formats: tuple[str, ...]
    is_finite: bool = False
    is_calendar: bool = False
    is_monotonic: bool = False

    def surely_fits(self, rule: CellRule) -> bool:
        """Whether all cells are known to follow a rule; False if that is not known."""
        if self.values is not None:
            cells = [*self.values, *[None] * bool(self.missing)]
            return not rule.find_wrong(pa.array(cells, pa.string())).any()
        if isinstance(rule, NumberRule):
            if self.missing and not rule.may_be_missing:
                return False
            is_number = self.kind in ("integer", "number") and not rule.is_whole
            is_in_range = rule.least <= (self.least or 0) and (self.greatest or 0) <= rule.greatest
            return is_number and self.is_finite and is_in_range
        if isinstance(rule, DatetimeRule):
            is_date = self.kind == "date" and self.date_formats[0] == rule.format
            return is_date and self.is_calendar
        return False

    @property
    def top_share(self) -> float | None:
        """Share of the most frequent value in the filled cells; None if `values` has none."""
        if not self.values:
            return None
        return max(self.values.values()) / (self.rows - self.missing)


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

    def add(self, batch: pa.RecordBatch) -> None:
        """Adds rows: string columns, the same in each batch; null where a value is missing."""
        for name, cells in zip(batch.schema.names, batch.columns, strict=True):
            self._columns.setdefault(name, _Column(self._decimal)).add(cells)

    def profiles(self) -> dict[str, ColumnProfile]:
        """Gives the profile of each column, in the order of the columns."""
        return {name: column.profile(name) for name, column in self._columns.items()}


class _Column:
    """Profiles a column."""

    def __init__(self, decimal: str) -> None:
        self._decimal = decimal
        self._rows = self._missing = self._chars = self._longest = 0
        self._counts: Counter[str] = Counter()
        self._one_in = 1
        self._null_words: Counter[str] = Counter()
        self._formats = FORMATS
        self._is_integer = self._is_number = True
        self._numbers = _Numbers()
        self._order = _Order()
        self._is_calendar = True
        self._calendar_format: str | None = None

    def add(self, cells: pa.Array) -> None:
        """Adds the cells of a batch."""
        self._rows += len(cells)
        self._missing += cells.null_count
        filled = cells.drop_null()
        if len(filled) == 0:
            return
        lengths = pc.utf8_length(filled)
        self._chars += pc.sum(lengths).as_py()
        self._longest = max(self._longest, pc.max(lengths).as_py())
        if self._is_number or self._formats:
            self._narrow(self._without_null_words(filled))
        self._count(filled)

    def profile(self, name: str) -> ColumnProfile:
        """Gives the profile of the cells added so far."""
        filled = self._rows - self._missing
        kind = self._kind()
        if (
            kind == "boolean"
        ):  # of which `add` collects null words only while numbers or dates are possible
            self._null_words.update(self._counts.keys() & _NULL_WORDS)
        return ColumnProfile(
            name=name,
            rows=self._rows,
            missing=self._missing,
            kind="words" if self._null_words else kind,
            kind_but_null_words=kind,
            null_words=tuple(word for word in NULL_WORDS if word in self._null_words),
            values=dict(self._counts) if self._one_in == 1 else None,
            distinct=len(self._counts) * self._one_in,
            distinct_share=len(self._counts) / max(sum(self._counts.values()), 1),
            least=self._numbers.least,
            greatest=self._numbers.greatest,
            skewness=self._numbers.skewness(),
            mean_length=self._chars / filled if filled else 0.0,
            longest=self._longest,
            date_formats=self._formats if kind == "date" else (),
            is_finite=self._numbers.are_finite,
            is_calendar=self._is_calendar,
            is_monotonic=kind == "integer" and self._order.is_monotonic,
        )

    def _count(self, filled: pa.Array) -> None:
        """Counts the cells of each value; if there are many values, only those that a hash selects.

        So the sample has all cells of each of its values, in whatever order they come.
        Source: adaptive sampling, after Wegman (P. Flajolet, Computing 43, 1990).
        """
        if self._one_in > 1 and (self._formats or (self._is_number and not self._is_integer)):
            return
        counts = pc.value_counts(filled)
        words, numbers = counts.field(0).to_pylist(), counts.field(1).to_pylist()
        for word, number in zip(words, numbers, strict=True):
            if self._one_in == 1 or crc32(word.encode()) % self._one_in == 0:
                self._counts[word] += number
        while len(self._counts) > MAX_VALUES:
            self._one_in *= _THINNING
            for word in [word for word in self._counts if crc32(word.encode()) % self._one_in]:
                del self._counts[word]

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
        self._formats = fitting_formats(words, self._formats)
        if self._formats and self._is_calendar:
            self._calendar_format = self._calendar_format or self._formats[0]
            is_same = self._calendar_format == self._formats[0]
            wrong = DatetimeRule(self._calendar_format).find_wrong(words)
            self._is_calendar = is_same and not wrong.any()
        if self._decimal != "." and self._is_number:
            words = with_point(words, self._decimal)
        numbers = _cast(words, pa.float64()) if self._is_number else None
        self._is_number = numbers is not None
        if numbers is not None:
            # Arrow reads 0x1F as an integer, but not as a float.
            integers = _cast(words, pa.int64()) if self._is_integer else None
            self._is_integer = integers is not None
            if integers is not None:
                self._order.add(integers.to_numpy())
            self._numbers.add(numbers.to_numpy())

    def _kind(self) -> ColumnKind:
        if not self._counts.keys() - _NULL_WORDS:  # a sample of many words has others too
            return "empty"
        if self._is_boolean():
            return "boolean"
        if self._formats:
            return "date"
        if self._is_number:
            return "integer" if self._is_integer else "number"
        return "words"

    def _is_boolean(self) -> bool:
        """Whether all words mean yes or no, and both occur."""
        words = {word.lower() for word in self._counts.keys() - _NULL_WORDS}
        true, false = set(_BOOLEAN.true_words), set(_BOOLEAN.false_words)
        return bool(words & true and words & false) and words <= true | false


class _Order:
    """Tells whether whole numbers rise, or fall, from each row to the next."""

    def __init__(self) -> None:
        self._rises = self._falls = True
        self._last: npt.NDArray[np.int64] = np.empty(0, np.int64)

    def add(self, numbers: npt.NDArray[np.int64]) -> None:
        """Adds numbers: int64 `[n]`, n > 0."""
        joined = np.concatenate([self._last, numbers])
        self._rises = self._rises and bool((joined[1:] > joined[:-1]).all())
        self._falls = self._falls and bool((joined[1:] < joined[:-1]).all())
        self._last = joined[-1:]

    @property
    def is_monotonic(self) -> bool:
        """Whether all rise, or all fall."""
        return self._rises or self._falls


class _Numbers:
    """Computes range and moments of numbers, without those that are not finite."""

    def __init__(self) -> None:
        self.least: float | None = None
        self.greatest: float | None = None
        self.are_finite = True
        self._count = 0
        self._center = 0.0
        self._sums = np.zeros(3)

    def add(self, numbers: "np.ndarray[Any, Any]") -> None:
        """Adds numbers: float64 `[n]`."""
        is_finite = np.abs(numbers) < TOO_LARGE  # False for NaN too
        self.are_finite = self.are_finite and bool(is_finite.all())
        numbers = numbers[np.isfinite(numbers)]
        if not len(numbers):
            return
        least, greatest = float(numbers.min()), float(numbers.max())
        if self.least is None or self.greatest is None:
            self._center = least / 2 + greatest / 2
            self.least, self.greatest = least, greatest
        self.least, self.greatest = min(self.least, least), max(self.greatest, greatest)
        self._count += len(numbers)
        with np.errstate(all="ignore"):  # the skewness of huge numbers is NaN
            distances = numbers - self._center
            squares = distances * distances
            self._sums += distances.sum(), squares.sum(), (squares * distances).sum()

    def skewness(self) -> float:
        """Computes m3 / m2^1.5, where mk is the mean of (x - mean)^k; 0 if m2 is 0 or not finite.

        The sums are of x - c, with c in the middle of the first numbers, to lose little precision.
        """
        if not self._count:
            return 0.0
        with np.errstate(all="ignore"):
            first, second, third = self._sums / self._count
            variance = second - first**2
            skewness = (third - 3 * first * second + 2 * first**3) / variance**1.5
        return float(skewness) if variance > 0 and np.isfinite(skewness) else 0.0


def _cast(words: pa.Array, arrow_type: pa.DataType) -> pa.Array | None:
    """Casts words to numbers; None if some are not numbers."""
    try:
        return pc.cast(words, arrow_type)
    except pa.ArrowInvalid:
        return None
