"""Describes what is known of the cells of a column; no TensorFlow."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa

from pipeline.data.several_words import TagCells
from pipeline.data.written_numbers import WrittenNumbers
from tabular.csv.column_rules import CellRule, DatetimeRule, NumberRule

ColumnKind = Literal["empty", "boolean", "integer", "number", "date", "words"]


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
        mixed_dates: Formats of the words if they are dates in several formats.
        varying_parts: Parts of the dates that are not always the same, in the likeliest format.
        is_finite: Whether all numbers are finite as float32.
        has_leading_zeros: Whether whole numbers are words, as some begin with a zero: 01234.
        examples: Some distinct values, none of them of `NULL_WORDS`.
        misfits: Word that is no number or date to its number of cells, in a column that is of them
            but for these; empty if there are none.
        written_numbers: How the words are written if they are numbers, but not plain ones.
        is_whole: Whether all are whole numbers, perhaps written as 1.0.
        is_monotonic: Whether the whole numbers rise, or fall, from each row to the next.
        tags: How the cells are sets of tags; None if they are not.
        text_words: Mean number of words of a cell of text; None if the cells are not text.
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
    varying_parts: frozenset[str] = frozenset()
    mixed_dates: tuple[str, ...] = ()
    is_finite: bool = False
    is_whole: bool = False
    is_monotonic: bool = False
    has_leading_zeros: bool = False
    tags: TagCells | None = None
    text_words: float | None = None
    examples: tuple[str, ...] = ()
    misfits: Mapping[str, int] = field(default_factory=dict)
    written_numbers: WrittenNumbers | None = None

    def surely_fits(self, rule: CellRule) -> bool:
        """Whether all cells are known to follow a rule; False if that is not known."""
        if self.values is not None:
            cells = [*self.values, *[None] * bool(self.missing)]
            return not rule.find_wrong(pa.array(cells, pa.string())).any()
        if isinstance(rule, NumberRule):
            if self.missing and not rule.may_be_missing:
                return False
            is_number = self.kind in ("integer", "number") and not self.misfits
            is_in_range = rule.least <= (self.least or 0) and (self.greatest or 0) <= rule.greatest
            return is_number and not rule.is_whole and self.is_finite and is_in_range
        if isinstance(rule, DatetimeRule):
            is_date = self.kind == "date" and not self.misfits
            return is_date and rule.format in self.date_formats
        return False

    @property
    def top_share(self) -> float | None:
        """Share of the most frequent value in the filled cells; None if `values` has none."""
        if not self.values:
            return None
        return max(self.values.values()) / (self.rows - self.missing)
