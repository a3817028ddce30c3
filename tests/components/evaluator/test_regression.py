"""Metrics of a regression: from the Evaluator, and counted in parts."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from components.evaluator import regression
from tests.helpers.evaluated import Evaluation, evaluate, make_config, write_model

SPEC = {
    "price": tf.io.FixedLenFeature([], tf.int64),
    "weight": tf.io.FixedLenFeature([], tf.int64),
    "color": tf.io.FixedLenFeature([], tf.string),
    "good": tf.io.FixedLenFeature([1], tf.float32),
    "poor": tf.io.FixedLenFeature([1], tf.float32),
}
# Label, prediction, weight.
ROWS = [(1, 2.0, 1), (3, 3.0, 2), (8, 6.0, 1)]


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    """A model, compared with one that predicts 0; one slice has a single label."""
    folder = tmp_path_factory.mktemp("regression")
    model = write_model(folder / "model", SPEC, {"predictions": "good"})
    baseline = write_model(folder / "baseline", SPEC, {"predictions": "poor"})
    rows = [
        {"price": y, "good": p, "poor": 0.0, "weight": w, "color": "blue" if y == 3 else "red"}
        for y, p, w in ROWS
    ]
    thresholds = {
        "rmse": {"max": 2.0, "max_worsening": 0.0},
        "r2": {"min": 0.9},
        "mae": {"max": 0.75},
    }
    config = make_config("regression", "price", thresholds, ["color"], weight="weight")
    return evaluate(folder, config, SPEC, {"eval": rows}, model, baseline)


def test_evaluator_weighs_a_regression(evaluation: Evaluation) -> None:
    # Squares 1, 0, 4 of weights 1, 2, 1. The mean label is 15/4, the squares about it 26.75.
    overall = evaluation.summary["slices"][0]

    assert evaluation.summary["task"] == "regression"
    assert overall["metrics"] == pytest.approx(
        {
            "rmse": math.sqrt(5 / 4),
            "mse": 5 / 4,
            "mae": 3 / 4,
            "r2": 1 - 5 / 26.75,
            "mean_label": 15 / 4,
            "mean_prediction": 14 / 4,
            "example_count": 3,
        }
    )
    assert overall["baseline"]["mse"] == pytest.approx((1 + 2 * 9 + 64) / 4)


def test_evaluator_omits_r2_of_equal_labels(evaluation: Evaluation) -> None:
    blue, red = evaluation.summary["slices"][1:]

    assert blue["slice"] == {"color": "blue"}
    assert blue["metrics"]["rmse"] == 0
    assert "r2" not in blue["metrics"]
    assert red["metrics"]["r2"] == pytest.approx(1 - 5 / (2 * 3.5**2))


def test_evaluator_checks_a_regression(evaluation: Evaluation) -> None:
    found = [(c["metric"], c["bound"], c["holds"]) for c in evaluation.summary["checks"]]

    assert sorted(found) == [
        ("mae", "max", True),
        ("r2", "min", False),
        ("rmse", "change", True),
        ("rmse", "max", True),
    ]
    assert not evaluation.is_blessed


def test_evaluator_has_histograms_of_a_regression(evaluation: Evaluation) -> None:
    def cells(name: str) -> list[tuple[float, float, float]]:
        histogram = evaluation.summary["histograms"][name]
        first, second = histogram["widths"]
        return [(i * first, j * second, weight) for i, j, weight in histogram["cells"]]

    assert evaluation.summary.keys() == {
        "task",
        "slices",
        "histograms",
        "checks",
        "baseline_obstacle",
    }
    assert sorted(cells("actual_predicted")) == [(1, 2, 1), (3, 3, 2), (8, 6, 1)]
    assert sorted(cells("predicted_residual")) == [(2, -1, 1), (3, 0, 2), (6, 2, 1)]


def test_evaluator_ignores_a_classifier_as_baseline(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model", SPEC, {"predictions": "good"})
    baseline = write_model(tmp_path / "baseline", SPEC, {"probabilities": "poor"}, ["a", "b"])
    rows = [{"price": y, "good": p, "poor": 0.0, "weight": w, "color": "red"} for y, p, w in ROWS]
    config = make_config("regression", "price", {"rmse": {"max": 2.0, "max_worsening": 0.0}})

    evaluation = evaluate(tmp_path, config, SPEC, {"eval": rows}, model, baseline)

    (overall,) = evaluation.summary["slices"]
    assert overall["metrics"]["mse"] == pytest.approx(5 / 3)  # without weights
    assert overall["baseline"] is None
    assert evaluation.is_blessed


# totals

Example = tuple[float, float, float]


def combine(*parts: Sequence[Example]) -> regression.Totals:
    """Counts label, prediction and weight of examples, in parts."""
    counted = [
        regression.count(labels, predictions[:, np.newaxis], weights)
        for labels, predictions, weights in (np.array(part, float).T for part in parts if part)
    ]
    return regression.merge(counted)


def values(totals: regression.Totals) -> dict[str, float]:
    return {name: metric(totals) for name, metric in regression.METRICS.items()}


numbers = st.floats(-1e6, 1e6, width=32)
rows = st.tuples(numbers, numbers, st.sampled_from([0.5, 1.0, 3.0]))


@settings(deadline=None)
@given(st.lists(st.lists(rows), min_size=1, max_size=4).filter(any))
def test_totals_are_the_same_in_any_parts(parts: list[list[Any]]) -> None:
    whole = [row for part in parts for row in part]

    split, one = combine(*parts), combine(whole)

    assert values(split) == pytest.approx(values(one), nan_ok=True, rel=1e-6, abs=1e-6)
    for found, expected in zip(split.histograms, one.histograms, strict=True):
        assert found.exponents == expected.exponents
        assert found.bins.tolist() == expected.bins.tolist()


def test_r2_keeps_its_digits_for_large_labels() -> None:
    # Labels 1e9 and 1e9 + 2 vary by 1 about their mean; the predictions are half off.
    rows = [(1e9, 1e9 + 0.5, 1.0), (1e9 + 2, 1e9 + 1.5, 1.0)] * 1500

    assert values(combine(rows[:1000], rows[1000:]))["r2"] == pytest.approx(0.75)


def test_r2_of_equal_labels_is_undefined() -> None:
    assert math.isnan(values(combine([(0.1, 0.2, 1.0)] * 3, [(0.1, 0.3, 0.5)]))["r2"])


def test_totals_of_nan_predictions_are_nan() -> None:
    totals = combine([(1.0, math.nan, 1.0), (2.0, 2.0, 1.0)])

    assert math.isnan(values(totals)["mae"])
    assert totals.histograms[0].weights.tolist() == [1.0]


def test_totals_ignore_examples_of_weight_0() -> None:
    assert values(combine([(1.0, 2.0, 0.0), (2.0, 2.0, 1.0)]))["mean_label"] == 2
