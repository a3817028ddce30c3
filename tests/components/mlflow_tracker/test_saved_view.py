"""The view of MLflow's page that every experiment has."""

import json
from typing import Any

import pytest

from components.mlflow_tracker.saved_view import saved_view


def state_of(view: str) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(json.loads(view)["state"])
    return state


@pytest.mark.parametrize(
    ("metric", "greater_is_better"), [("accuracy", True), ("cross_entropy", False)]
)
def test_saved_view_puts_the_best_run_first(metric: str, greater_is_better: bool) -> None:
    state = state_of(saved_view(metric, greater_is_better))

    assert state["orderByKey"] == f"metrics.`{metric}`"
    assert state["orderByAsc"] is not greater_is_better


def test_saved_view_draws_each_chart_in_a_section_that_is_there() -> None:
    state = state_of(saved_view("accuracy", True))

    sections = {section["uuid"] for section in state["compareRunSections"]}
    assert {chart["metricSectionId"] for chart in state["compareRunCharts"]} == sections


def test_saved_view_is_the_same_for_the_same_metric() -> None:
    assert saved_view("accuracy", True) == saved_view("accuracy", True)
