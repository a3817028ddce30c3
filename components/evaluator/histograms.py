"""Histograms of two numbers at once, whose bins find their width by themselves.

The width is a power of two, the same along an axis: the least at which no more than `MAX_BINS` of
the axis's bins hold anything, so that a few values far from all others blur nothing. Halves of a
bin join exactly, and a histogram is the same in whatever parts its numbers are counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_BINS = 100
_BITS = 30
"""Bins are at least so fine that the greatest number is the 2**30th from zero, which they count."""
_EXPONENT_OF_ZERO = -1000
_DECIMALS = 6

Array = NDArray[np.float64]
Bins = NDArray[np.int64]


@dataclass(frozen=True)
class Histogram:
    """How much weight lies where.

    Attributes:
        exponents: Of each axis; its bins are `2**exponent` wide.
        bins: Bin of each cell along both axes, `[n_cells, 2]`; bin `k` begins at `k` widths.
        weights: Sum of the weights in each cell, `[n_cells]`.
    """

    exponents: tuple[int, ...]
    bins: Bins
    weights: Array

    def to_json(self) -> dict[str, Any]:
        """Gives what the summary holds: `widths`, and `cells` of two bins and a weight."""
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
        points: Finite numbers `[n_points, 2]`, of one point at least.
        weights: Weight of each, `[n_points]`.

    Returns:
        Their histogram.
    """
    greatest = np.abs(points).max(axis=0)
    finest = np.where(greatest > 0, np.frexp(greatest)[1], _EXPONENT_OF_ZERO) - _BITS
    return _joined(finest.tolist(), np.floor(np.ldexp(points, -finest)).astype(np.int64), weights)


def merge(histograms: Sequence[Histogram]) -> Histogram:
    """Adds histograms, of which there is one at least."""
    exponents = [max(found) for found in zip(*(each.exponents for each in histograms), strict=True)]
    bins = [each.bins >> (np.array(exponents) - each.exponents) for each in histograms]
    weights = np.concatenate([each.weights for each in histograms])
    return _joined(exponents, np.concatenate(bins), weights)


def _joined(exponents: Sequence[int], bins: Bins, weights: Array) -> Histogram:
    """Makes bins wide enough, and sums what is in the same cell."""
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
    """Tells how often bins are to be joined in pairs."""
    ordered, steps = np.unique(bins), 0
    while np.count_nonzero(np.diff(ordered >> steps)) >= MAX_BINS:
        steps += 1
    return steps
