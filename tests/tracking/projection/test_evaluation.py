"""Metrics and files of an evaluation."""

import json
import math
from typing import Any

from tests.helpers.tracked_run import make_check, make_regression_summary, make_summary
from tracking.projection.evaluation import (
    evaluation_artifacts,
    evaluation_metrics,
    missed_bounds,
)


def metrics_of(summary: dict[str, Any]) -> dict[str, float]:
    found = list(evaluation_metrics(summary))
    assert len(dict(found)) == len(found)
    return dict(found)


def test_evaluation_metrics_give_every_slice() -> None:
    assert metrics_of(make_summary()) == {
        "accuracy": 0.5,
        "recall/b*e": 0.25,
        "slice/legs:6 color:red/accuracy": 1.0,
    }


def test_evaluation_metrics_compare_with_the_baseline() -> None:
    summary = make_summary(baseline={"accuracy": 0.75, "recall/ant": 1.0})
    summary["slices"][1]["baseline"] = {"accuracy": 0.5}

    metrics = metrics_of(summary)

    assert metrics["baseline/accuracy"] == 0.75
    assert metrics["difference/accuracy"] == -0.25
    assert metrics["slice/legs:6 color:red/baseline:accuracy"] == 0.5
    assert metrics["slice/legs:6 color:red/difference:accuracy"] == 0.5
    # A class that only one of them has examples of has no difference.
    assert metrics["baseline/recall:ant"] == 1.0
    assert {"difference/recall:ant", "difference/recall:b*e"}.isdisjoint(metrics)


def test_evaluation_metrics_of_slices_and_classes() -> None:
    summary = make_summary()
    summary["slices"][1]["metrics"] = {"recall/a/b": 0.5}

    assert metrics_of(summary)["slice/legs:6 color:red/recall:a/b"] == 0.5


def test_evaluation_metrics_have_thresholds() -> None:
    checks = [
        make_check("accuracy", "min", 0.75, 0.5, False, -0.25),
        make_check("accuracy", "change", -0.05, 0.0, True, 0.05),
        make_check("recall/ant", "min", 0.5, math.nan, False, None),
    ]

    metrics = metrics_of(make_summary(checks))

    assert {key: value for key, value in metrics.items() if key.startswith(("thr", "mar"))} == {
        "threshold/accuracy:min": 0.75,
        "margin/accuracy:min": -0.25,
        "threshold/accuracy:change": -0.05,
        "margin/accuracy:change": 0.05,
        "threshold/recall:ant:min": 0.5,
    }


def test_missed_bounds_have_value_and_limit() -> None:
    checks = [
        make_check("accuracy", "min", 0.9, 0.51234, False, -0.38766),
        make_check("accuracy", "max", 1.0, 0.51234, True, 0.48766),
        make_check("cross_entropy", "change", 0.1, 0.25, False, -0.15),
        make_check("recall/ant", "min", 0.5, math.nan, False),
    ]

    assert missed_bounds(make_summary(checks)) == [
        "accuracy 0.5123, min 0.9",
        "cross_entropy 0.25, change 0.1",
        "recall/ant nan, min 0.5",
    ]


def test_evaluation_artifacts_of_a_classification() -> None:
    summary = make_summary()

    artifacts = evaluation_artifacts(summary)

    assert set(artifacts) == {
        "evaluation/summary.json",
        "evaluation/metrics.json",
        "evaluation/confusion_matrix.png",
        "evaluation/precision_recall.png",
        "evaluation/calibration.png",
        "evaluation/roc.png",
    }
    assert json.loads(artifacts["evaluation/summary.json"]()) == summary


def test_evaluation_artifacts_of_a_regression() -> None:
    artifacts = evaluation_artifacts(make_regression_summary())

    assert {name for name in artifacts if name.endswith(".png")} == {
        "evaluation/predicted_by_actual.png",
        "evaluation/residuals.png",
        "evaluation/residuals_by_prediction.png",
    }
    assert all(artifacts[name]().startswith(b"\x89PNG") for name in artifacts if "png" in name)
