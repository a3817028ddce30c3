"""Counts the cells of each distinct value, or of a sample of the values if there are many."""

from collections import Counter
from collections.abc import KeysView, Mapping
from zlib import crc32

import pyarrow as pa
import pyarrow.compute as pc

MAX_VALUES = 10_000
"""Up to this number of distinct values, each is counted; beyond it, only a sample of them."""
MAX_CHARACTERS = 1000
"""Longer values are cut, since ten thousand whole ones may not fit into memory."""
_THINNING = 4
MAX_INTEGERS = 20
"""Up to this number of distinct whole numbers, they are learned as categories."""
ROWS_PER_INTEGER = 10
"""Rows that each of those numbers must have on average."""


class ValueCounts:
    """Counts the cells of each value; if there are many values, only those that a hash selects.

    So the sample has all cells of each of its values, in whatever order they come.
    Source: adaptive sampling, after Wegman (P. Flajolet, Computing 43, 1990).
    """

    def __init__(self) -> None:
        """Starts without cells."""
        self._counts: Counter[str] = Counter()
        self._one_in = 1
        self._is_cut = False

    def add(self, filled: pa.Array, longest: int) -> None:
        """Adds cells.

        Args:
            filled: Strings without null.
            longest: At least the number of characters of the longest.
        """
        if longest > MAX_CHARACTERS:
            self._is_cut = True
            filled = pc.utf8_slice_codeunits(filled, 0, MAX_CHARACTERS)
        counts = pc.value_counts(filled)
        words, numbers = counts.field(0).to_pylist(), counts.field(1).to_pylist()
        for word, number in zip(words, numbers, strict=True):
            if self._one_in == 1 or crc32(word.encode()) % self._one_in == 0:
                self._counts[word] += number
        while len(self._counts) > MAX_VALUES:
            self._one_in *= _THINNING
            for word in [word for word in self._counts if crc32(word.encode()) % self._one_in]:
                del self._counts[word]

    @property
    def is_sample(self) -> bool:
        """Whether only a sample of the values is counted."""
        return self._one_in > 1

    @property
    def values(self) -> KeysView[str]:
        """The counted values."""
        return self._counts.keys()

    @property
    def counts(self) -> Mapping[str, int]:
        """Each counted value to its number of cells."""
        return self._counts

    @property
    def are_few(self) -> bool:
        """Whether there are few enough values to learn each as a category, if they are whole."""
        return self.distinct <= MAX_INTEGERS and self.distinct_share * ROWS_PER_INTEGER <= 1

    @property
    def exact(self) -> dict[str, int] | None:
        """Each value to its number of cells; None if only a sample is counted, or some are cut."""
        return None if self.is_sample or self._is_cut else dict(self._counts)

    @property
    def distinct(self) -> int:
        """Number of distinct values; an estimate if only a sample is counted."""
        return len(self._counts) * self._one_in

    @property
    def distinct_share(self) -> float:
        """Number of distinct values by number of counted cells; 0 if there are none."""
        return len(self._counts) / max(sum(self._counts.values()), 1)
