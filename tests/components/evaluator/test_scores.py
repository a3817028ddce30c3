"""Totals of a classification."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.evaluator import curves, scores

Example = tuple[int, Sequence[float]]


def total(*parts: Sequence[Example]) -> scores.Totals:
    """Counts examples, class id and probabilities, in parts."""
    counted = []
    for part in parts:
        labels, probabilities = zip(*part, strict=True)
        weights = np.ones(len(part))
        counted.append(scores.count(np.array(labels), np.array(probabilities, float), weights))
    return scores.merge(counted)


def combine(*parts: Sequence[Example]) -> list[curves.Array]:
    return total(*parts).scores_by_class


def test_scores_counts_by_rising_probability() -> None:
    first, second, third = combine([(0, [0.5, 0.25, 0.25]), (1, [0.5, 0.375, 0.125])])

    assert first.tolist() == [[1, 1, 1.0]]
    assert second.tolist() == [[1, 0, 0.25], [0, 1, 0.375]]
    assert third.tolist() == [[1, 0, 0.125], [1, 0, 0.25]]


def test_scores_of_an_unknown_label() -> None:
    assert [found.tolist() for found in combine([(-1, [0.5, 0.5])])] == [[[1, 0, 0.5]]] * 2


@pytest.mark.parametrize(
    ("lower", "higher"), [(1e-6, 2e-6), (0.5, 0.502), (1 - 2e-6, 1 - 1e-6), (0.0, 1e-8)]
)
def test_scores_separates_extreme_probabilities(lower: float, higher: float) -> None:
    first, _ = combine([(0, [lower, 1 - lower]), (1, [higher, 1 - higher])])

    assert first[:, :2].tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize("probabilities", [[1.0, 0.0], [1.0000001, math.nan]])
def test_scores_takes_0_1_and_nan(probabilities: list[float]) -> None:
    first, second = combine([(0, probabilities)])

    assert (first.tolist(), second.tolist()) == ([[0, 1, 1.0]], [[1, 0, 0.0]])


rows = st.tuples(st.integers(0, 2), st.lists(st.integers(0, 8), min_size=3, max_size=3)).map(
    lambda row: (row[0], [value / 8 for value in row[1]])
)


@settings(deadline=None)
@given(st.lists(st.lists(rows, min_size=1), min_size=1, max_size=4))
def test_scores_are_the_same_in_any_parts(parts: list[list[Any]]) -> None:
    whole = [row for part in parts for row in part]

    assert [a.tolist() for a in combine(*parts)] == [a.tolist() for a in combine(whole)]


def test_confusions_leave_out_unknown_labels() -> None:
    totals = total([(0, [0.25, 0.75]), (-1, [0.5, 0.5]), (1, [0.25, 0.75])])

    assert totals.confusion_matrix.tolist() == [[0, 1], [0, 1]]
    assert (totals.examples, totals.weight) == (3, 3)
    assert totals.loss == pytest.approx(-math.log(0.25) - math.log(0.75) - math.log(1e-7))


def test_totals_of_disjoint_parts_keep_all() -> None:
    totals = total([(0, [1.0, 0.0, 0.0])], [(2, [0.0, 0.0, 1.0])])

    assert totals.confusion_matrix.tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 1]]
