"""Collects the cells of a column that are numbers, and the few that are not; no TensorFlow."""

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.data.number_statistics import NumberOrder, NumberStatistics
from pipeline.data.written_numbers import MAX_MISFITS
from tabular.csv.column_rules import NUMBER
from tabular.csv.number_format import INFINITE
from tabular.csv.types import cast_numbers, with_plain_signs, with_point


class NumberCells:
    """The cells of a column as numbers, as long as it may be of numbers.

    Attributes:
        are_possible: Whether it may be of numbers: not many words are not.
        are_whole: Whether all numbers are whole.
        has_leading_zeros: Whether whole numbers are words, as some begin with a zero: 01234.
        misfits: Word that is not a number to its number of cells.
        statistics: Range and moments of the numbers.
        order: The order of the numbers.
    """

    def __init__(self, decimal: str) -> None:
        """Starts without cells.

        Args:
            decimal: Decimal point of numbers.
        """
        self.are_possible = self.are_whole = True
        self.has_leading_zeros = False
        self.misfits: Counter[str] = Counter()
        self.statistics = NumberStatistics()
        self.order = NumberOrder()
        self._decimal = decimal
        self._seen = 0

    def add(self, words: pa.Array) -> None:
        """Adds cells: strings without null and null words."""
        self._seen += len(words)
        numbers = self._cast(words, pa.float64())
        if numbers is None:
            is_number = self._find(words)
            self._note_misfits(self._without_infinite(words.filter(pc.invert(is_number))))
            words = words.filter(is_number)
            numbers = self._cast(words, pa.float64()) if self.are_possible else None
        if numbers is None or not len(numbers):
            return
        # Arrow reads 0x1F as an integer, but not as a float.
        integers = self._cast(words, pa.int64()) if self.are_whole else None
        self.are_whole = integers is not None
        if integers is not None and _has_leading_zeros(words):
            self.are_possible = self.are_whole = False
            self.has_leading_zeros = True
        self.order.add((numbers if integers is None else integers).to_numpy())
        self.statistics.add(numbers.to_numpy())

    def add_misfits(self, words: pa.Array) -> None:
        """Adds cells that are not numbers, whatever they look like."""
        self._seen += len(words)
        self._note_misfits(words)

    def _find(self, words: pa.Array) -> pa.Array:
        text = with_plain_signs(with_point(words, self._decimal))
        return pc.match_substring_regex(text, rf"\A(?:{NUMBER})\z")

    def _without_infinite(self, words: pa.Array) -> pa.Array:
        is_infinite = pc.match_substring_regex(words, rf"\A{INFINITE}\z")
        if pc.any(is_infinite).as_py():
            self.statistics.are_finite = False
        return words.filter(pc.invert(is_infinite))

    def _note_misfits(self, words: pa.Array) -> None:
        """Counts words that are not numbers; gives up numbers if there are many."""
        counts = pc.value_counts(words)
        cells = counts.field(1).to_pylist()
        for word, count in zip(counts.field(0).to_pylist(), cells, strict=True):
            self.misfits[word] += count
        is_many = len(self.misfits) > MAX_MISFITS or 2 * sum(self.misfits.values()) > self._seen
        self.are_possible = self.are_possible and not is_many

    def _cast(self, words: pa.Array, arrow_type: pa.DataType) -> pa.Array | None:
        """Casts words to numbers; None if some are not numbers."""
        try:
            return cast_numbers(words, self._decimal, arrow_type)
        except pa.ArrowInvalid:
            return None


def _has_leading_zeros(numbers: pa.Array) -> bool:
    """Whether one of some whole numbers begins with a zero that it does not need: 01234."""
    has_zero = pc.match_substring_regex(numbers, "^[+-]?0[0-9]")
    return bool(pc.any(has_zero).as_py())
