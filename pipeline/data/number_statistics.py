"""Computes range, moments and order of a column's numbers, batch by batch."""

from typing import Any

import numpy as np
import numpy.typing as npt

from tabular.csv.types import TOO_LARGE

Numbers = npt.NDArray[np.int64] | npt.NDArray[np.float64]


class NumberStatistics:
    """Computes range and moments of numbers, without those that are not finite.

    Attributes:
        least: The least finite number; None if there is none.
        greatest: The greatest finite number; None if there is none.
        are_finite: Whether all numbers are finite as float32.
    """

    def __init__(self) -> None:
        """Starts without numbers."""
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


class NumberOrder:
    """Tells whether numbers are whole, and rise, or fall, from each row to the next.

    Attributes:
        are_whole: Whether all numbers are whole.
    """

    def __init__(self) -> None:
        """Starts without numbers."""
        self.are_whole = True
        self._rises = self._falls = True
        self._last: Numbers = np.empty(0, np.int64)

    def add(self, numbers: Numbers) -> None:
        """Adds numbers: int64 or float64 `[n]`, n > 0."""
        if not self.are_whole:
            return
        joined = np.concatenate([self._last, numbers])
        self.are_whole = bool((np.floor(numbers) == numbers).all())
        self._rises = self._rises and bool((joined[1:] > joined[:-1]).all())
        self._falls = self._falls and bool((joined[1:] < joined[:-1]).all())
        self._last = joined[-1:]

    @property
    def is_monotonic(self) -> bool:
        """Whether all are whole, and all rise, or all fall."""
        return self.are_whole and (self._rises or self._falls)
