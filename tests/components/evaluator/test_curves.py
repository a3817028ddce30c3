"""ROC curve, area under it and calibration, compared with counts of single examples."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.evaluator import curves

# Probability and whether the example is of the class, three of six: 0.7 ties one of each.
EXAMPLES = [(0.95, True), (0.7, True), (0.7, False), (0.4, False), (0.3, True), (0.05, False)]


def scores_of(examples: list[tuple[float, bool]]) -> curves.Array:
    """Counts examples with a bucket for each probability."""
    return np.array(
        [
            [
                sum(found == probability and not is_of for found, is_of in examples),
                sum(found == probability and is_of for found, is_of in examples),
                sum(found for found, _ in examples if found == probability),
            ]
            for probability in sorted({probability for probability, _ in examples})
        ],
        np.float64,
    )


examples = st.lists(st.tuples(st.integers(1, 99).map(lambda n: n / 100), st.booleans()), min_size=1)
two_sided = examples.filter(lambda found: len({is_of for _, is_of in found}) == 2)


# roc


def test_roc_steps_up_for_the_class_and_right_else() -> None:
    points = curves.roc(scores_of(EXAMPLES))

    assert points is not None
    assert points == pytest.approx(
        # Above 0.95, 0.7 (both at once), 0.4, 0.3, and 0.05.
        np.array([[0, 0], [0, 1 / 3], [1 / 3, 2 / 3], [2 / 3, 2 / 3], [2 / 3, 1], [1, 1]])
    )


def test_roc_drops_points_inside_straight_segments() -> None:
    examples = [(0.9, True), (0.8, True), (0.7, True), (0.2, False), (0.1, False)]
    points = curves.roc(scores_of(examples))

    assert points is not None
    assert points.tolist() == [[0, 0], [0, 1], [1, 1]]


@pytest.mark.parametrize("is_of", [True, False])
def test_roc_of_one_side_only_is_undefined(is_of: bool) -> None:
    scores = scores_of([(0.25, is_of), (0.75, is_of)])

    assert curves.roc(scores) is None
    assert math.isnan(curves.auc(None))
    assert curves.curves_of(scores).keys() == {"calibration"}


@settings(deadline=None)
@given(two_sided)
def test_roc_holds_the_rates_at_thresholds(found: list[tuple[float, bool]]) -> None:
    points = curves.roc(scores_of(found))

    probabilities, is_of = np.array([p for p, _ in found]), np.array([y for _, y in found])
    rates = {(0.0, 0.0)} | {
        (float(np.mean(probabilities[~is_of] >= p)), float(np.mean(probabilities[is_of] >= p)))
        for p in probabilities
    }
    assert points is not None
    assert {tuple(point) for point in points.tolist()} <= rates
    assert points[-1].tolist() == [1, 1]


# auc


def test_auc_counts_pairs_in_order() -> None:
    # Of nine pairs: 0.95 wins three, 0.7 two and a half, 0.3 one.
    assert curves.auc(curves.roc(scores_of(EXAMPLES))) == pytest.approx(6.5 / 9)


@settings(deadline=None)
@given(two_sided)
def test_auc_is_the_share_of_pairs_in_order(found: list[tuple[float, bool]]) -> None:
    of, others = ([p for p, y in found if y is side] for side in (True, False))
    in_order = sum((a > b) + (a == b) / 2 for a in of for b in others)

    assert curves.auc(curves.roc(scores_of(found))) == pytest.approx(
        in_order / len(of) / len(others)
    )


# curves_of


def test_curves_of_a_long_curve_keeps_its_area() -> None:
    rng = np.random.default_rng(1)
    probabilities = np.unique(rng.random(5000))
    found = [(p, bool(rng.random() < p)) for p in probabilities.tolist()]

    thinned = curves.curves_of(
        np.array([[not is_of, is_of, p] for p, is_of in found], dtype=np.float64)
    )

    points = np.array(thinned["roc"])
    assert 150 < len(points) <= curves.MAX_ROC_POINTS
    assert points[[0, -1]].tolist() == [[0, 0], [1, 1]]
    assert (np.diff(points, axis=0) >= 0).all()
    assert curves.auc(points) == pytest.approx(thinned["auc"], abs=1e-3)


# calibration


def test_calibration_averages_each_tenth() -> None:
    found = [(0.02, False), (0.06, True), (0.45, False), (0.91, True), (0.93, True), (1.0, False)]

    assert curves.calibration(scores_of(found)) == pytest.approx(
        np.array([[0.04, 1 / 2, 2], [0.45, 0, 1], [(0.91 + 0.93 + 1) / 3, 2 / 3, 3]])
    )


@settings(deadline=None)
@given(examples)
def test_calibration_counts_every_example_once(found: list[tuple[float, bool]]) -> None:
    points = curves.calibration(scores_of(found))

    assert points[:, 2].sum() == len(found)
    assert points[:, 2] @ points[:, 1] == pytest.approx(sum(is_of for _, is_of in found))
    assert points[:, 2] @ points[:, 0] == pytest.approx(sum(p for p, _ in found))
