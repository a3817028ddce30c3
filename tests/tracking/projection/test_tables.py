"""The table of an evaluation."""

import json
import math
from typing import Any

import pytest

from tracking.projection.tables import evaluation_table


def make_check(metric: str, bound: str, limit: float, margin: float | None) -> dict[str, Any]:
    holds = margin is not None and margin >= 0
    return {
        "metric": metric,
        "bound": bound,
        "limit": limit,
        "value": math.nan,
        "margin": margin,
        "holds": holds,
        "skipped": None,
    }


SUMMARY = {
    "slices": [
        {
            "slice": {},
            "metrics": {"accuracy": 0.75, "auc/ant": 1.0},
            "baseline": {"accuracy": 0.5, "recall/cow": 0.25},
        },
        {"slice": {"legs": 2, "color": "red"}, "metrics": {"accuracy": 0.5}, "baseline": None},
    ],
    "checks": [
        make_check("accuracy", "min", 0.5, 0.25),
        make_check("accuracy", "change", -0.125, 0.375),
        make_check("recall/cow", "max", 0.5, None),
        make_check("precision/cow", "min", 0.5, None),
    ],
}


def rows() -> list[dict[str, Any]]:
    table = evaluation_table(SUMMARY)
    return [dict(zip(table["columns"], row, strict=True)) for row in table["data"]]


def test_evaluation_table_rows_are_slices_and_metrics() -> None:
    assert [(row["slice"], row["metric"]) for row in rows()] == [
        ("overall", "accuracy"),
        ("overall", "auc/ant"),
        ("overall", "recall/cow"),
        ("overall", "precision/cow"),
        ("legs:2 color:red", "accuracy"),
    ]


def test_evaluation_table_has_baseline_and_bounds() -> None:
    assert rows()[0] == {
        "slice": "overall",
        "metric": "accuracy",
        "value": 0.75,
        "baseline": 0.5,
        "difference": 0.25,
        "min": 0.5,
        "min margin": 0.25,
        "max": None,
        "max margin": None,
        "change": -0.125,
        "change margin": 0.375,
        "holds": True,
    }


@pytest.mark.parametrize("index", [1, 4])
def test_evaluation_table_has_empty_cells(index: int) -> None:
    row = rows()[index]

    assert row["value"] is not None
    assert {key for key, value in row.items() if value is not None} == {"slice", "metric", "value"}


def test_evaluation_table_bounds_of_undefined_metrics() -> None:
    recall, precision = rows()[2:4]

    assert (recall["value"], recall["baseline"], recall["difference"]) == (None, 0.25, None)
    assert (recall["max"], recall["max margin"], recall["holds"]) == (0.5, None, False)
    assert (precision["value"], precision["min"], precision["holds"]) == (None, 0.5, False)


def test_evaluation_table_leaves_skipped_checks_open() -> None:
    skipped = {**make_check("recall/cow", "min", 0.5, None), "holds": True, "skipped": "no cow"}

    (row,) = evaluation_table({"slices": SUMMARY["slices"][:1], "checks": [skipped]})["data"][2:]

    assert dict(zip(evaluation_table(SUMMARY)["columns"], row, strict=True))["holds"] is None


def test_evaluation_table_is_json_without_nan() -> None:
    assert json.loads(json.dumps(evaluation_table(SUMMARY), allow_nan=False))
