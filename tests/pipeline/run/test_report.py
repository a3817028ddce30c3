"""What came out of a run."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline.run.report import Report, find_output, make_report
from tracking.events import NodeOutcome, Output

SUMMARY = {
    "classes": ["ant", "bee"],
    "slices": [
        {"slice": {}, "metrics": {"accuracy": 0.5}, "baseline": {"accuracy": 0.25}},
        {"slice": {"legs": 6}, "metrics": {"accuracy": 1.0}, "baseline": None},
    ],
    "confusion_matrix": [[1, 0], [1, 0]],
    "checks": [],
}


def outcome(node_id: str, **outputs: Sequence[Output]) -> NodeOutcome:
    listed = {key: list(found) for key, found in outputs.items()}
    return NodeOutcome(node_id, "done", 1.25, 1000, 1, listed)


def blessing(blessed: int) -> Output:
    return Output(1, "/blessing", {"blessed": blessed})


def pushed_model(**properties: Any) -> Output:
    return Output(2, "/pushed", properties)


@pytest.fixture
def evaluation(tmp_path: Path) -> Output:
    (tmp_path / "summary.json").write_text(json.dumps(SUMMARY))
    return Output(3, str(tmp_path), {})


PUSHED = pushed_model(pushed=1, pushed_version="17", pushed_destination="/serving/17")


@pytest.fixture
def report(evaluation: Output) -> Report:
    return make_report(
        "run-1",
        "abc",
        [
            outcome("Trainer"),
            outcome("Evaluator", blessing=[blessing(1)], evaluation=[evaluation]),
            outcome("Pusher", pushed_model=[PUSHED]),
        ],
    )


# make_report


def test_make_report_reads_the_evaluation(report: Report) -> None:
    assert report.evaluation == SUMMARY
    assert (report.metrics, report.baseline) == ({"accuracy": 0.5}, {"accuracy": 0.25})


def test_make_report_names_the_runs(report: Report) -> None:
    assert (report.pipeline_run_id, report.mlflow_run_id) == ("run-1", "abc")


def test_make_report_knows_where_the_model_was_pushed(report: Report) -> None:
    assert (report.pushed_version, report.pushed_path) == ("17", "/serving/17")


@pytest.mark.parametrize(("blessed", "expected"), [(1, True), (0, False)])
def test_make_report_knows_whether_the_model_is_blessed(blessed: int, expected: bool) -> None:
    report = make_report("run-1", None, [outcome("Evaluator", blessing=[blessing(blessed)])])

    assert report.blessed is expected


def test_make_report_knows_that_the_model_was_not_pushed() -> None:
    node = outcome("Pusher", pushed_model=[pushed_model(pushed=0)])

    report = make_report("run-1", None, [node])

    assert (report.pushed_version, report.pushed_path) == (None, None)
    assert report.rolled_back_version is None


def test_make_report_knows_which_version_was_rolled_back() -> None:
    model = pushed_model(pushed=0, rolled_back_version="16")

    report = make_report("run-1", None, [outcome("Pusher", pushed_model=[model])])

    assert (report.pushed_version, report.rolled_back_version) == (None, "16")
    assert report.to_json()["rolled_back_version"] == "16"


def test_make_report_is_empty_for_a_run_that_came_to_nothing() -> None:
    report = make_report("run-1", None, [])

    assert report == Report("run-1", None, (), {}, None, None, None)
    assert (report.metrics, report.baseline) == ({}, {})


def test_make_report_reads_what_the_gate_warns_of(tmp_path: Path) -> None:
    found = {"severity": "warning", "split": "eval", "column": "x", "text": "odd"}
    content = {"findings": [found, {**found, "column": ""}], "notes": ["drift: not measured"]}
    (tmp_path / "findings.json").write_text(json.dumps(content))

    report = make_report(
        "run-1", None, [outcome("DataGate", findings=[Output(4, str(tmp_path), {})])]
    )

    assert report.warnings == ("eval: x: odd", "eval: odd")
    assert report.notes == ("drift: not measured",)
    assert report.to_json()["warnings"] == ["eval: x: odd", "eval: odd"]


def test_report_has_no_baseline_where_none_was_evaluated(tmp_path: Path) -> None:
    first = {**SUMMARY["slices"][0], "baseline": None}
    (tmp_path / "summary.json").write_text(json.dumps({**SUMMARY, "slices": [first]}))
    node = outcome("Evaluator", evaluation=[Output(3, str(tmp_path), {})])

    assert make_report("run-1", None, [node]).baseline == {}


def test_report_gives_an_object_of_plain_values(report: Report) -> None:
    assert json.loads(json.dumps(report.to_json())) == {
        "pipeline_run_id": "run-1",
        "mlflow_run_id": "abc",
        "blessed": True,
        "serving_faults": [],
        "pushed_version": "17",
        "pushed_path": "/serving/17",
        "rolled_back_version": None,
        "metrics": {"accuracy": 0.5},
        "warnings": [],
        "nodes": [
            {"id": "Trainer", "state": "done", "seconds": 1.25},
            {"id": "Evaluator", "state": "done", "seconds": 1.25},
            {"id": "Pusher", "state": "done", "seconds": 1.25},
        ],
    }


def test_make_report_warns_of_rows_that_are_put_aside() -> None:
    properties = {"rows": 6300, "quarantined": 3}
    node = outcome("CsvExampleGen", examples=[Output(3, "/examples", properties)])

    assert make_report("run-1", None, [node]).warnings == (
        "3 of 6,300 rows are put aside in /examples/quarantine.csv",
    )


def test_make_report_says_what_the_model_answers_wrongly(tmp_path: Path) -> None:
    (tmp_path / "serving_check.json").write_text('{"rows": 3, "faults": ["serving: NaN"]}')
    node = outcome("ServingCheck", serving_blessing=[Output(3, str(tmp_path), {"blessed": 0})])

    report = make_report("run-1", None, [node])

    assert report.serving_faults == ["serving: NaN"]
    assert report.to_json()["serving_faults"] == ["serving: NaN"]


# find_output


def test_find_output_finds_the_artifact_of_the_node() -> None:
    first, second = Output(1, "/1", {}), Output(2, "/2", {})
    outcomes = [outcome("A", x=[first]), outcome("B", x=[second], y=[first])]

    assert find_output(outcomes, "B", "x") == second


@pytest.mark.parametrize(("node_id", "key"), [("A", "y"), ("B", "x"), ("A", "empty")])
def test_find_output_finds_nothing_that_is_not_there(node_id: str, key: str) -> None:
    assert find_output([outcome("A", x=[Output(1, "/1", {})], empty=[])], node_id, key) is None
