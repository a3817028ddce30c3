"""Measures how well a single column predicts the label.

A row's label is guessed from the other rows: from those with the same value and, where a number
comes once only, from the next smaller and the next greater number. So a column whose values are
nearly all different does not seem to predict by remembering. What is measured is the error that is
left, as a share of the error of a guess that is always the same.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
UNKNOWN = 1.0
_MIN_OTHERS = 50
"""Rows outside the most frequent class that it takes to tell."""
_MAX_TABLE = 100_000
_MIN_ROWS = 100
"""Rows of a regression that it takes to tell."""


@dataclass(frozen=True)
class Values:
    """The values of a column.

    Attributes:
        codes: The value of each row, int64 `[n]`: from 0 to `count` - 1, each of which occurs;
            `count` where it is missing.
        count: Number of distinct values.
        is_ordered: Whether the codes are in the order of numbers, so that neighbours tell of each
            other.
    """

    codes: Codes
    count: int
    is_ordered: bool


class Target(Protocol):
    """The labels of some rows."""

    def error_left(self, values: Values) -> float:
        """Measures the error that a column leaves, about 0 to 1; `UNKNOWN` for too few rows."""

    def rough_errors(self, numbers: Floats) -> Floats:
        """Measures the error of guessing by the next rows in the order of a column's numbers.

        It is small if that of `error_left` is, for all columns in one step.

        Args:
            numbers: Numbers of the columns, NaN where one is missing, float64 `[n, columns]`.

        Returns:
            Errors, float64 `[columns]`.
        """


class ClassTarget:
    """Labels that are classes. The error is of wrong rows by rows outside the commonest class."""

    def __init__(self, classes: Codes) -> None:
        """Takes the class of each row, int64 `[n]`, from 0 on; each of them occurs."""
        self._classes = classes
        counts = np.bincount(classes, minlength=2)
        self._class_count, self._commonest = len(counts), counts.argmax()
        self._others = len(classes) - counts.max()

    def error_left(self, values: Values) -> float:
        """Measures the error that a column leaves, about 0 to 1; `UNKNOWN` for too few rows."""
        if self._others < _MIN_OTHERS:
            return UNKNOWN
        commonest, right = _commonest(values.codes, self._classes, self._class_count)
        single = _single(values)
        before, after = _neighbours(values, commonest, single, none=-1)
        if not values.is_ordered:
            before = np.full_like(single, self._commonest)
        labels = commonest[single]
        right += np.count_nonzero((labels == before) | (labels == after))
        return float((len(self._classes) - right) / self._others)

    def rough_errors(self, numbers: Floats) -> Floats:
        """Measures the error of guessing by the next rows in the order of a column's numbers."""
        labels = self._classes[np.argsort(numbers, axis=0)]
        is_other = labels[1:] != labels[:-1]
        isolated = (is_other[1:] & is_other[:-1]).sum(axis=0)
        return np.asarray(isolated / max(self._others, 1))


class NumberTarget:
    """Labels that are numbers. The error is of their ranks: squared, by their variance.

    Ranks, since a few very large labels would else decide alone.
    """

    def __init__(self, labels: Floats) -> None:
        """Takes the label of each row, float64 `[n]`."""
        _, inverse, sizes = np.unique(labels, return_inverse=True, return_counts=True)
        mean = (len(labels) - 1) / 2
        self._ranks: Floats = (np.cumsum(sizes) - (sizes + 1) / 2)[inverse] - mean
        self._total = float(self._ranks @ self._ranks)

    def error_left(self, values: Values) -> float:
        """Measures the error that a column leaves, about 0 to 1; `UNKNOWN` for too few rows."""
        ranks, codes = self._ranks, values.codes
        if len(ranks) < _MIN_ROWS or self._total == 0:
            return UNKNOWN
        sizes = np.bincount(codes)
        sums = np.bincount(codes, ranks)
        single = _single(values)
        before, after = _neighbours(values, sums / sizes, single, none=np.nan)
        guesses = np.zeros(len(sizes))
        if values.is_ordered and values.count > 1:
            either = np.where(np.isnan(before), after, before)
            guesses[single] = (either + np.where(np.isnan(after), before, after)) / 2
        others = (sums[codes] - ranks) / np.maximum(sizes - 1, 1)[codes]
        guess = np.where(sizes[codes] > 1, others, guesses[codes])
        return float(((guess - ranks) ** 2).sum() / self._total)

    def rough_errors(self, numbers: Floats) -> Floats:
        """Measures the error of guessing by the next rows in the order of a column's numbers."""
        ranks = self._ranks[np.argsort(numbers, axis=0)]
        errors = ranks[1:-1] - (ranks[:-2] + ranks[2:]) / 2
        return np.asarray((errors**2).sum(axis=0) / max(self._total, 1))


def _single(values: Values) -> Codes:
    """Lists the values that come once, without the missing one."""
    return np.flatnonzero(np.bincount(values.codes, minlength=values.count)[: values.count] == 1)


def _neighbours(
    values: Values, of_value: Codes | Floats, single: Codes, none: float
) -> tuple[Codes | Floats, Codes | Floats]:
    """Gives what the values before and after single ones have; without order none, as at the ends.

    Args:
        values: The column.
        of_value: Something of each value, `[values]`.
        single: The single values, int64 `[m]`.
        none: What stands for none.
    """
    known = of_value[: values.count] if values.is_ordered else np.full(values.count, none)
    padded = np.concatenate([[none], known, [none]])
    return padded[single], padded[single + 2]


def _commonest(codes: Codes, classes: Codes, class_count: int) -> tuple[Codes, int]:
    """Finds the commonest class of each value.

    Returns:
        The class, int64 `[values]`, and the number of rows that have the class which is commonest
        by far among the others of the same value.
    """
    pairs = codes * class_count + classes
    value_count = int(codes.max()) + 1
    if value_count * class_count <= _MAX_TABLE:
        table = np.bincount(pairs, minlength=value_count * class_count)
        table = table.reshape(value_count, class_count)
        commonest = table.argmax(axis=1)
        first, second = np.partition(table, [-2, -1], axis=1)[:, -1:-3:-1].T
    else:
        distinct, counts = np.unique(pairs, return_counts=True)
        order = np.lexsort((-counts, distinct // class_count))
        value, counts = distinct[order] // class_count, counts[order]
        at = np.flatnonzero(np.diff(value, prepend=-1))
        after = np.minimum(at + 1, len(value) - 1)
        commonest, first = (distinct[order] % class_count)[at], counts[at]
        second = np.where((value[after] == value[at]) & (after > at), counts[after], 0)
    return commonest, int(first[first - 1 > second].sum())
