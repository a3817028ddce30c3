"""The description of a run."""

import math
from collections.abc import Mapping
from typing import Any

import pytest

from tests.helpers.tracked_run import make_check, make_start, make_summary
from tracking.events import RunStatus
from tracking.projection.description import describe


def paragraphs(
    status: RunStatus = "FINISHED",
    tags: Mapping[str, str] | None = None,
    metrics: Mapping[str, float] | None = None,
    summary: Mapping[str, Any] | None = None,
) -> list[str]:
    """Describes a run, and returns the paragraphs."""
    text = describe(make_start(), "7", status, tags or {}, metrics or {}, summary or {})
    return text.split("\n\n")


def test_describe_a_pushed_model() -> None:
    tags = {"pushed_version": "17", "pushed_path": "/serving/17", "thresholds.missed": "none"}

    assert paragraphs(tags=tags) == [
        "**Pushed** as version 17: every threshold holds. Served from `/serving/17`."
    ]


def test_describe_a_model_that_was_not_pushed() -> None:
    tags = {"pushed_version": "none", "thresholds.missed": "accuracy 0.5, min 0.9"}

    assert paragraphs(tags=tags) == ["**Not pushed**: accuracy 0.5, min 0.9."]


@pytest.mark.parametrize(
    ("missed", "reason"),
    [
        ("none", "serving_default: NaN"),
        ("auc 0.5, min 0.9", "auc 0.5, min 0.9; serving_default: NaN"),
    ],
)
def test_describe_serving_faults(missed: str, reason: str) -> None:
    tags = {"thresholds.missed": missed, "serving.faults": "serving_default: NaN"}

    assert paragraphs(tags=tags) == [f"**Not pushed**: {reason}."]


def test_describe_a_rolled_back_model() -> None:
    tags = {"thresholds.missed": "none", "pushed_version": "none", "rolled_back_version": "16"}

    assert paragraphs(tags=tags) == [
        "**Not pushed**: version 16, which has this model, was rolled back;"
        " `pipeline promote 16` serves it again."
    ]


def test_describe_a_failed_run() -> None:
    tags = {"failed_node": "Trainer", "error": "ValueError: x", "pushed_version": "17"}

    assert paragraphs("FAILED", tags) == ["**Failed** in Trainer: ValueError: x"]


def test_describe_a_killed_run() -> None:
    assert paragraphs("KILLED") == ["**Killed** before its end."]


def test_describe_the_data() -> None:
    metrics = {"rows/train": 99.0, "rows/eval": 51.0, "accuracy": 0.5}

    _, data = paragraphs(tags={"anomalies": "species"}, metrics=metrics)

    assert data == "Data: `/data/iris.csv`, 99 rows to train, 51 rows to eval; anomalies: species."


def test_describe_rows_that_are_not_examples() -> None:
    counts = {"train": 90, "read": 97, "examples": 90, "quarantine": 3, "unlabeled": 4}
    metrics = {f"rows/{name}": float(count) for name, count in counts.items()}

    _, data = paragraphs(metrics=metrics)

    rows = "90 rows to train, 3 rows to quarantine, 4 rows without a label"
    assert data == f"Data: `/data/iris.csv`, {rows}; anomalies: none."


def test_describe_the_path_of_the_span() -> None:
    _, data = paragraphs(tags={"data.path": "/data/7"}, metrics={"rows/train": 99.0})

    assert data.startswith("Data: `/data/7`, ")


def test_describe_metrics_in_a_table() -> None:
    checks = [
        make_check("accuracy", "min", 0.9, 0.51234, False, -0.4),
        make_check("accuracy", "change", -0.05, 0.01234, True, 0.06),
        make_check("cross_entropy", "max", 0.5, 0.25, True, 0.25),
    ]
    metrics = {"accuracy": 0.51234, "cross_entropy": 0.25, "recall/ant": 1.0}
    summary = make_summary(checks, metrics, baseline={"accuracy": 0.5})

    _, table = paragraphs(summary=summary)

    assert table.splitlines() == [
        "| metric | value | baseline | difference | thresholds |",
        "|---|---|---|---|---|",
        "| accuracy | 0.5123 | 0.5 | +0.01234 | at least 0.9 **missed**,"
        " worse than the baseline by at most 0.05 holds |",
        "| cross_entropy | 0.25 | | | at most 0.5 holds |",
        "| recall/ant | 1 | | |  |",
    ]


def test_describe_escapes_bars_in_a_table() -> None:
    _, table = paragraphs(summary=make_summary(metrics={"recall/a|b": 1.0}))

    row = table.splitlines()[2]
    assert row.startswith("| recall/a\\|b | 1 |")
    assert row.replace("\\|", "").count("|") == 6


def test_describe_skipped_checks() -> None:
    check = make_check("recall/cow", "min", 0.5, math.nan, True, skipped="no cows")

    assert "Not checked: recall/cow min 0.5: no cows." in paragraphs(summary=make_summary([check]))


def test_describe_the_best_trial() -> None:
    tags = {
        "tuner.best_trial": "3",
        "tuned.model.learning_rate": "0.3",
        "tuned.model.optimizer": '"adam"',
    }

    _, tuned = paragraphs(tags=tags)

    assert tuned == (
        "Trained with the settings of trial 3: `model.learning_rate=0.3`, `model.optimizer=adam`."
    )


def test_describe_links_to_the_runs_behind_the_cache() -> None:
    tags = {
        "cached.Transform": "2024-01-02T03:04:05+00:00",
        "cached.Trainer": "run-1",
        "cached.Evaluator": "run-1",
        "cached_nodes": "Transform, Trainer, Evaluator",
    }

    _, cached = paragraphs(tags=tags)

    first = "#/experiments/7/runs?searchFilter=tags.%60tfx.pipeline_run_id%60%20%3D%20%272024-01-02"
    assert cached.startswith("From the cache: Transform computed by [2024-01-02T03:04:05+00:00](")
    assert f"({first}T03%3A04%3A05%2B00%3A00%27)" in cached
    assert "; Trainer, Evaluator computed by [run-1](" in cached
    assert cached.count("](") == 2


def test_describe_refused_data() -> None:
    tags = {"failed_node": "DataGate", "error": "2 anomalies\neval: x: odd\neval: y: odd"}

    assert paragraphs("FAILED", tags) == [
        "**Failed** in DataGate: 2 anomalies",
        "- eval: x: odd\n- eval: y: odd",
    ]


def test_describe_warnings() -> None:
    found = paragraphs(tags={"data.warnings": "eval: x: odd\nand 2 more"})

    assert found[1:] == ["Warnings:", "- eval: x: odd\n- and 2 more"]
    assert len(paragraphs(tags={"data.warnings": "none"})) == 1
