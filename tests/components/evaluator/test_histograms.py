"""Histograms with bin widths that follow from the numbers."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from components.evaluator.histograms import MAX_BINS, Histogram, count, merge


def make(points: list[tuple[float, float]], weights: list[float] | None = None) -> Histogram:
    return count(np.array(points, float), np.array(weights or [1.0] * len(points)))


def cells_of(histogram: Histogram) -> dict[tuple[float, float], float]:
    """Maps the lower corner of each cell to its weight."""
    lows = histogram.bins * 2.0 ** np.array(histogram.exponents)
    return dict(zip(map(tuple, lows.tolist()), histogram.weights.tolist(), strict=True))


def test_count_sums_weights_of_equal_points() -> None:
    histogram = make([(0.5, -3.0), (2.0, 0.25), (0.5, -3.0)], [1.0, 2.0, 4.0])

    assert cells_of(histogram) == {(0.5, -3.0): 5.0, (2.0, 0.25): 2.0}


def test_count_uses_the_narrowest_bins_allowed() -> None:
    histogram = make([(float(x), 0.0) for x in range(1000)])

    # Of width 8 there are 125 bins, of 16 there are 63.
    assert 2.0 ** histogram.exponents[0] == 16
    assert histogram.weights.tolist() == [16.0] * 62 + [8.0]


def test_count_keeps_bins_narrow_beside_an_outlier() -> None:
    histogram = make([(float(x), 0.0) for x in range(50)] + [(1e8, 0.0)])

    assert len(histogram.weights) == 51


@pytest.mark.parametrize("value", [0.0, 1e-30, -1e30])
def test_count_takes_any_magnitude(value: float) -> None:
    assert list(cells_of(make([(value, value)]))) == [(pytest.approx(value), pytest.approx(value))]


numbers = st.floats(-1e9, 1e9) | st.integers(-5, 5).map(float)
points = st.lists(st.tuples(numbers, numbers), min_size=1, max_size=300)


@settings(deadline=None)
@given(st.lists(points, min_size=1, max_size=4))
@example([[(0.0, 0.0)], [(0.0, 2.0**-1010)]])
def test_histogram_does_not_depend_on_parts(
    parts: list[list[tuple[float, float]]],
) -> None:
    merged = merge([make(part) for part in parts])
    whole = make([point for part in parts for point in part])

    assert merged.exponents == whole.exponents
    assert cells_of(merged) == cells_of(whole)
    assert all(len(np.unique(axis)) <= MAX_BINS for axis in merged.bins.T)


def test_to_json_gives_widths_and_cells() -> None:
    histogram = Histogram((-1, 2), np.array([[3, -1]]), np.array([0.1 + 0.2]))

    assert histogram.to_json() == {"widths": [0.5, 4.0], "cells": [[3, -1, 0.3]]}
