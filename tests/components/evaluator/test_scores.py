"""The scores of all classes, as Beam combines them."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import tensorflow_model_analysis as tfma
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow_model_analysis.metrics.metric_types import StandardMetricInputs

from components.evaluator import curves, scores

Example = tuple[int, Sequence[float]]


def combine(*bundles: Sequence[Example]) -> list[curves.Array]:
    """Combines examples, class id and probabilities, in bundles as Beam would."""
    combiner = scores._class_scores(None, "", "").combiner
    accumulators = []
    for bundle in bundles:
        accumulator = combiner.create_accumulator()
        for label, probabilities in bundle:
            extracts = {
                tfma.LABELS_KEY: np.array([label]),
                tfma.PREDICTIONS_KEY: np.array(probabilities, np.float32),
            }
            accumulator = combiner.add_input(accumulator, StandardMetricInputs(extracts))
        accumulators.append(accumulator)
    (found,) = combiner.extract_output(combiner.merge_accumulators(accumulators)).values()
    return list(found)


def test_scores_counts_each_class_by_rising_probability() -> None:
    first, second, third = combine([(0, [0.5, 0.25, 0.25]), (1, [0.5, 0.375, 0.125])])

    assert first.tolist() == [[1, 1, 1.0]]
    assert second.tolist() == [[1, 0, 0.25], [0, 1, 0.375]]
    assert third.tolist() == [[1, 0, 0.125], [1, 0, 0.25]]


def test_scores_counts_more_examples_than_it_lets_wait() -> None:
    first, second = combine([(0, [0.75, 0.25])] * 2500)

    assert (first.tolist(), second.tolist()) == ([[0, 2500, 1875.0]], [[2500, 0, 625.0]])


def test_scores_takes_an_unknown_label_for_no_class() -> None:
    assert [found.tolist() for found in combine([(-1, [0.5, 0.5])])] == [[[1, 0, 0.5]]] * 2


@pytest.mark.parametrize(
    ("lower", "higher"), [(1e-6, 2e-6), (0.5, 0.502), (1 - 2e-6, 1 - 1e-6), (0.0, 1e-8)]
)
def test_scores_tells_apart_small_and_great_probabilities(lower: float, higher: float) -> None:
    first, _ = combine([(0, [lower, 1 - lower]), (1, [higher, 1 - higher])])

    assert first[:, :2].tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize("probabilities", [[1.0, 0.0], [1.0000001, math.nan]])
def test_scores_takes_certainty_and_what_is_no_probability(probabilities: list[float]) -> None:
    first, second = combine([(0, probabilities)])

    assert (first.tolist(), second.tolist()) == ([[0, 1, 1.0]], [[1, 0, 0.0]])


rows = st.tuples(st.integers(0, 2), st.lists(st.integers(0, 8), min_size=3, max_size=3)).map(
    lambda row: (row[0], [value / 8 for value in row[1]])
)


@settings(deadline=None)
@given(st.lists(st.lists(rows, min_size=1), min_size=1, max_size=4))
def test_scores_are_the_same_in_any_bundles(bundles: list[list[Any]]) -> None:
    whole = [row for bundle in bundles for row in bundle]

    assert [a.tolist() for a in combine(*bundles)] == [a.tolist() for a in combine(whole)]
