"""The view of MLflow's page that every experiment has."""

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
def test_saved_view_draws_each_chart_in_a_section_that_is_there(task: str) -> None:
    state = state_of(saved_view(task, "accuracy", True))

    sections = {section["uuid"] for section in state["compareRunSections"]}
    assert {chart["metricSectionId"] for chart in state["compareRunCharts"]} == sections


def test_saved_view_shows_the_metrics_of_the_task_the_primary_one_first() -> None:
    state = state_of(saved_view("regression", "mse", False))

    columns = [name for name in state["selectedColumns"] if name.startswith("metrics.")]
    assert columns == [f"metrics.`{name}`" for name in ("mse", "rmse", "mae", "r2")]
    charts = [chart["metricKey"] for chart in state["compareRunCharts"]]
    assert charts == ["mse", "rmse", "mae", "r2", "eval/loss", "train/loss"]


def test_saved_view_is_the_same_for_the_same_metric() -> None:
    assert saved_view("binary", "auc", True) == saved_view("binary", "auc", True)
