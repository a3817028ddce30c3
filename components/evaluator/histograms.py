"""Histograms of pairs of numbers, with bin widths that follow from the numbers.

All bins along an axis have the same width, a power of two: the smallest one at which at most
`MAX_BINS` bins of the axis are not empty. Empty bins do not count, so outliers do not make the bins
wider. Two neighbouring bins of one width are exactly one bin of the next, so a histogram does not
depend on how its numbers were divided into parts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_BINS = 100
_BITS = 30
"""Counting starts with bins that are 2**-30 of the number of greatest magnitude, or narrower."""
_LEAST_EXPONENT = -1000
"""Numbers of lower magnitude than 2**-1000 are counted as if that were the greatest magnitude."""
_DECIMALS = 6

Array = NDArray[np.float64]
Bins = NDArray[np.int64]


@dataclass(frozen=True)
class Histogram:
    """Sums of weights in the cells of a grid; empty cells are left out.

    Attributes:
        exponents: One per axis; its bins are `2**exponent` wide.
        bins: Bin of each cell along both axes, `[n_cells, 2]`; bin `k` begins at `k` widths.
        weights: Sum of the weights in each cell, `[n_cells]`.
    """

    exponents: tuple[int, ...]
    bins: Bins
    weights: Array

    def to_json(self) -> dict[str, Any]:
        """Makes the object for the summary: `widths`, and `cells` of two bins and a weight."""
        weights = self.weights.round(_DECIMALS).tolist()
        return {
            "widths": [2.0**exponent for exponent in self.exponents],
            "cells": [
                [*bins, weight] for bins, weight in zip(self.bins.tolist(), weights, strict=True)
            ],
        }


def count(points: Array, weights: Array) -> Histogram:
    """Counts points.

    Args:
        points: Finite numbers `[n_points, 2]`, at least one point.
        weights: Weight of each point, `[n_points]`.

    Returns:
        The histogram of the points.
    """
    greatest = np.abs(points).max(axis=0)
    exponents = np.where(greatest > 0, np.frexp(greatest)[1], _LEAST_EXPONENT)
    finest = np.maximum(exponents, _LEAST_EXPONENT) - _BITS
    return _joined(finest.tolist(), np.floor(np.ldexp(points, -finest)).astype(np.int64), weights)


def merge(histograms: Sequence[Histogram]) -> Histogram:
    """Adds up histograms; there must be at least one."""
    exponents = [max(found) for found in zip(*(each.exponents for each in histograms), strict=True)]
    bins = [each.bins >> (np.array(exponents) - each.exponents) for each in histograms]
    weights = np.concatenate([each.weights for each in histograms])
    return _joined(exponents, np.concatenate(bins), weights)


def _joined(exponents: Sequence[int], bins: Bins, weights: Array) -> Histogram:
    """Widens the bins as far as needed, and sums the weights of each cell."""
    steps = np.array([_steps(axis) for axis in bins.T])
    (rows, row), (columns, column) = (
        np.unique(axis, return_inverse=True) for axis in (bins >> steps).T
    )
    cells, where = np.unique(row * len(columns) + column, return_inverse=True)
    return Histogram(
        tuple((np.array(exponents) + steps).tolist()),
        np.column_stack([rows[cells // len(columns)], columns[cells % len(columns)]]),
        np.bincount(where, weights).astype(np.float64),
    )


def _steps(bins: Bins) -> int:
    """Counts how often the width must be doubled so that at most `MAX_BINS` bins are not empty."""
    ordered, steps = np.unique(bins), 0
    while np.count_nonzero(np.diff(ordered >> steps)) >= MAX_BINS:
        steps += 1
    return steps
