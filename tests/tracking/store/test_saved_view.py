"""The saved view of every experiment."""

import json
from typing import Any

import pytest

from tracking.store.saved_view import saved_view


def state_of(view: str) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(json.loads(view)["state"])
    return state


@pytest.mark.parametrize(
    ("metric", "greater_is_better"), [("accuracy", True), ("cross_entropy", False)]
)
def test_saved_view_puts_the_best_run_first(metric: str, greater_is_better: bool) -> None:
    state = state_of(saved_view("multiclass", metric, greater_is_better))

    assert state["orderByKey"] == f"metrics.`{metric}`"
    assert state["orderByAsc"] is not greater_is_better


@pytest.mark.parametrize("task", ["multiclass", "binary", "regression"])
def test_saved_view_charts_are_in_known_sections(task: str) -> None:
    state = state_of(saved_view(task, "accuracy", True))

    sections = {section["uuid"] for section in state["compareRunSections"]}
    assert {chart["metricSectionId"] for chart in state["compareRunCharts"]} == sections


def test_saved_view_starts_with_the_primary_metric() -> None:
    state = state_of(saved_view("regression", "mse", False))

    columns = [name for name in state["selectedColumns"] if name.startswith("metrics.")]
    assert columns == [f"metrics.`{name}`" for name in ("mse", "rmse", "mae", "r2")]
    charts = [chart["metricKey"] for chart in state["compareRunCharts"]]
    assert charts == ["mse", "rmse", "mae", "r2", "eval/loss", "train/loss"]


def test_saved_view_is_reproducible() -> None:
    assert saved_view("binary", "auc", True) == saved_view("binary", "auc", True)
