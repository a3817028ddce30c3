"""The text at the end of a run."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pipeline.run.report import Report
from pipeline.run.report_text import metrics_table, missed_thresholds, result_lines, tracking_line
from tests.helpers.tracked_run import END, make_start
from tracking.client import Tracker


def check(
    metric: str, bound: str, limit: float, value: float, holds: bool, skipped: str | None = None
) -> dict[str, Any]:
    return {
        "metric": metric,
        "bound": bound,
        "limit": limit,
        "value": value,
        "holds": holds,
        "skipped": skipped,
    }


CHECKS = [
    check("accuracy", "min", 0.9, 0.51234, False),
    check("accuracy", "change", -0.05, 0.012345, True),
    check("cross_entropy", "max", 0.5, 0.61, False),
    check("cross_entropy", "change", 0.05, 0.01, True),
    check("recall/bee", "change", -0.05, -0.25, False),
    check("recall/ant", "min", 0.5, 0.5, True),
]


def make_report(
    metrics: Mapping[str, float],
    checks: Sequence[Mapping[str, Any]] = (),
    baseline: Mapping[str, float] | None = None,
    blessed: bool | None = None,
    pushed: str | None = None,
    serving_faults: Sequence[str] = (),
) -> Report:
    evaluation = {
        "slices": [{"slice": {}, "metrics": metrics, "baseline": baseline}],
        "checks": checks,
    }
    path = f"/serving/{pushed}" if pushed else None
    return Report("run-1", None, (), evaluation, blessed, pushed, path, serving_faults)


def print_table(report: Report, width: int = 200) -> list[list[str]]:
    """Prints the table as to a file, and splits it into cells: columns are two spaces apart."""
    stream = StringIO()
    Console(file=stream, width=width).print(metrics_table(report))
    return [
        [cell.strip() for cell in line.split("  ") if cell.strip()]
        for line in stream.getvalue().splitlines()
    ]


# metrics_table


def test_metrics_table_has_all_columns() -> None:
    metrics = {"accuracy": 0.51234, "cross_entropy": 0.61, "example_count": 8.0}
    report = make_report(metrics, CHECKS, baseline={"accuracy": 0.5})

    assert print_table(report) == [
        ["metric", "value", "previous", "thresholds"],
        ["accuracy", "0.5123", "0.5", "min 0.9 MISSED, max_worsening 0.05 holds"],
        ["cross_entropy", "0.61", "max 0.5 MISSED, max_worsening 0.05 holds"],
        ["example_count", "8"],
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.51234, "0.5123"), (9999.0, "9999"), (503_600.0, "503,600"), (-12345.6, "-12,346")],
)
def test_metrics_table_writes_large_numbers_whole(value: float, text: str) -> None:
    assert print_table(make_report({"rmse": value}))[1] == ["rmse", text]


@pytest.mark.parametrize(
    "word",
    [
        "plain",
        "[b]",
        "[/b]",
    ],
)
def test_metrics_table_shows_any_word(word: str) -> None:
    _, row = print_table(make_report({f"recall/{word}": 1.0}))

    assert row[0] == f"recall/{word}"


def test_metrics_table_folds_long_names() -> None:
    name = "recall/" + "x" * 100

    cells = print_table(make_report({name: 1.0}), width=80)

    assert "".join(row[0] for row in cells[1:]) == name


# result_lines


def test_result_lines_of_a_pushed_model() -> None:
    report = make_report({"accuracy": 1.0}, blessed=True, pushed="17")

    assert list(result_lines(report)) == [
        "blessed: every threshold holds",
        "pushed: version 17 at /serving/17",
    ]


def test_result_lines_of_a_model_not_blessed() -> None:
    report = make_report({"accuracy": 0.51234}, CHECKS, blessed=False)

    assert list(result_lines(report)) == [
        "not blessed: accuracy 0.5123 is below min 0.9; cross_entropy 0.61 is above max 0.5;"
        " recall/bee changed by -0.25 against the baseline, which is worse by more than"
        " max_worsening 0.05",
        "not pushed: the model that was served before stays",
    ]


def test_result_lines_list_serving_faults() -> None:
    report = make_report({"accuracy": 1.0}, blessed=True, serving_faults=["it says NaN"])

    assert list(result_lines(report)) == [
        "blessed: every threshold holds",
        "serving check: it says NaN",
        "not pushed: the model that was served before stays",
    ]


def test_result_lines_of_a_rolled_back_model() -> None:
    report = replace(make_report({}, blessed=True), rolled_back_version="16")

    assert list(result_lines(report))[-1] == (
        "not pushed: version 16, which has this model, was rolled back; `pipeline"
        " promote 16` serves it again"
    )


def test_result_lines_list_skipped_checks() -> None:
    skipped = check("recall/bee", "min", 0.5, float("nan"), True, "no bees")
    report = make_report({"accuracy": 1.0}, [skipped], blessed=True, pushed="17")

    assert next(result_lines(report)) == "not checked: recall/bee min 0.5: no bees"


def test_result_lines_say_why_a_baseline_was_not_compared() -> None:
    report = make_report({"accuracy": 1.0})
    report = replace(report, evaluation={**report.evaluation, "baseline_obstacle": "it reads 'x'"})

    line = "not compared with the model blessed before: it reads 'x'"
    assert next(result_lines(report)) == line


def test_metrics_table_marks_skipped_checks() -> None:
    skipped = check("precision", "change", -0.1, float("nan"), True, "undefined for the baseline")
    report = make_report({"precision": 1.0}, [skipped])

    assert print_table(report)[1] == ["precision", "1", "max_worsening 0.1 not checked"]


def test_result_lines_start_with_warnings() -> None:
    report = replace(
        make_report({}, blessed=True, pushed="17"),
        warnings=[f"eval: x: {index}" for index in range(7)],
        notes=["drift: not measured"],
    )

    assert list(result_lines(report))[:7] == [
        "drift: not measured",
        *(f"warning: eval: x: {index}" for index in range(5)),
        "warning: and 2 more",
    ]


def test_missed_thresholds_include_undefined_metrics() -> None:
    report = make_report({}, [check("recall/bee", "min", 0.5, float("nan"), False)])

    (line,) = missed_thresholds(report)

    assert line.startswith("recall/bee nan ")


def test_missed_thresholds_without_evaluation() -> None:
    assert missed_thresholds(Report("run-1", None, (), {}, None, None, None)) == []


# tracking_line


def test_tracking_line_shows_the_error(tmp_path: Path) -> None:
    tracker = Tracker("http://127.0.0.1:1", tmp_path)
    tracker.send(make_start())
    tracker.send(END)
    tracker.close()

    line = tracking_line(tracker, "http://127.0.0.1:1")

    assert line.startswith("not tracked in MLflow: ")
    assert "127.0.0.1" in line
    assert "pipeline sync" in line


def test_tracking_line_without_tracking() -> None:
    line = tracking_line(None, "http://127.0.0.1:1")

    assert line.startswith("not tracked in MLflow: mlflow.enabled is false")
    assert "pipeline sync" in line


def test_tracking_line_says_where_to_look(tracking_uri: str, tmp_path: Path) -> None:
    tracker = Tracker(tracking_uri, tmp_path / "artifacts")
    tracker.send(make_start())
    tracker.wait_for_run()
    tracker.close()
    run_id = tracker.mlflow_run_id

    on_disk = tracking_line(tracker, tracking_uri)
    at_server = tracking_line(tracker, "http://alice:secret@host:5000")

    assert on_disk == (
        f"MLflow run: {run_id} (to look at it: make ui,"
        f" or mlflow ui --backend-store-uri={tracking_uri})"
    )
    where = f"http://***@host:5000/#/experiments/{tracker.experiment_id}/runs/{run_id}"
    assert at_server == f"MLflow run: {run_id} (to look at it: {where})"
