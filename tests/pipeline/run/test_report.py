"""The report of a run, read from the results of its nodes."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline.run.node_result import NodeResult
from pipeline.run.report import Report, find_output, make_report
from tracking.events import Output

SUMMARY = {
    "classes": ["ant", "bee"],
    "slices": [
        {"slice": {}, "metrics": {"accuracy": 0.5}, "baseline": {"accuracy": 0.25}},
        {"slice": {"legs": 6}, "metrics": {"accuracy": 1.0}, "baseline": None},
    ],
    "confusion_matrix": [[1, 0], [1, 0]],
    "checks": [],
}


def result(node_id: str, **outputs: Sequence[Output]) -> NodeResult:
    listed = {key: list(found) for key, found in outputs.items()}
    return NodeResult(node_id, "done", 1.25, 1000, 1, listed)


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
            result("Trainer"),
            result("Evaluator", blessing=[blessing(1)], evaluation=[evaluation]),
            result("Pusher", pushed_model=[PUSHED]),
        ],
    )


# make_report


def test_make_report_reads_the_evaluation(report: Report) -> None:
    assert report.evaluation == SUMMARY
    assert (report.metrics, report.baseline) == ({"accuracy": 0.5}, {"accuracy": 0.25})


def test_make_report_names_the_runs(report: Report) -> None:
    assert (report.pipeline_run_id, report.mlflow_run_id) == ("run-1", "abc")


def test_make_report_tells_where_the_model_was_pushed(report: Report) -> None:
    assert (report.pushed_version, report.pushed_path) == ("17", "/serving/17")


@pytest.mark.parametrize(("blessed", "expected"), [(1, True), (0, False)])
def test_make_report_tells_if_the_model_is_blessed(blessed: int, expected: bool) -> None:
    report = make_report("run-1", None, [result("Evaluator", blessing=[blessing(blessed)])])

    assert report.blessed is expected


def test_make_report_of_a_model_that_was_not_pushed() -> None:
    node = result("Pusher", pushed_model=[pushed_model(pushed=0)])

    report = make_report("run-1", None, [node])

    assert (report.pushed_version, report.pushed_path) == (None, None)
    assert report.rolled_back_version is None


def test_make_report_names_the_rolled_back_version() -> None:
    model = pushed_model(pushed=0, rolled_back_version="16")

    report = make_report("run-1", None, [result("Pusher", pushed_model=[model])])

    assert (report.pushed_version, report.rolled_back_version) == (None, "16")
    assert report.to_json()["rolled_back_version"] == "16"


def test_make_report_is_empty_without_nodes() -> None:
    report = make_report("run-1", None, [])

    assert report == Report("run-1", None, (), {}, None, None, None)
    assert (report.metrics, report.baseline) == ({}, {})


def test_make_report_lists_the_findings_of_the_gate(tmp_path: Path) -> None:
    found = {"severity": "warning", "split": "eval", "column": "x", "text": "odd"}
    content = {"findings": [found, {**found, "column": ""}], "notes": ["drift: not measured"]}
    (tmp_path / "findings.json").write_text(json.dumps(content))

    report = make_report(
        "run-1", None, [result("DataGate", findings=[Output(4, str(tmp_path), {})])]
    )

    assert report.warnings == ("eval: x: odd", "eval: odd")
    assert report.notes == ("drift: not measured",)
    assert report.to_json()["warnings"] == ["eval: x: odd", "eval: odd"]


def test_report_baseline_is_empty_without_one(tmp_path: Path) -> None:
    first = {**SUMMARY["slices"][0], "baseline": None}
    (tmp_path / "summary.json").write_text(json.dumps({**SUMMARY, "slices": [first]}))
    node = result("Evaluator", evaluation=[Output(3, str(tmp_path), {})])

    assert make_report("run-1", None, [node]).baseline == {}


def test_to_json_has_plain_values(report: Report) -> None:
    assert json.loads(json.dumps(report.to_json())) == {
        "pipeline_run_id": "run-1",
        "mlflow_run_id": "abc",
        "blessed": True,
        "serving_faults": [],
        "pushed_version": "17",
        "pushed_path": "/serving/17",
        "rolled_back_version": None,
        "metrics": {"accuracy": 0.5},
        "rows": None,
        "warnings": [],
        "nodes": [
            {"id": "Trainer", "state": "done", "seconds": 1.25},
            {"id": "Evaluator", "state": "done", "seconds": 1.25},
            {"id": "Pusher", "state": "done", "seconds": 1.25},
        ],
    }


def test_make_report_warns_of_quarantined_rows() -> None:
    properties = {"rows": 6310, "quarantined": 3, "unlabeled": 10, "examples_train": 6297}
    node = result("CsvExampleGen", examples=[Output(3, "/examples", properties)])

    report = make_report("run-1", None, [node])

    assert report.warnings == ("3 of 6,310 rows are put aside in /examples/quarantine.csv",)
    assert report.to_json()["rows"] == {
        "read": 6310,
        "examples": 6297,
        "quarantined": 3,
        "unlabeled": 10,
    }


def test_make_report_lists_serving_faults(tmp_path: Path) -> None:
    (tmp_path / "serving_check.json").write_text('{"rows": 3, "faults": ["serving: NaN"]}')
    node = result("ServingCheck", serving_blessing=[Output(3, str(tmp_path), {"blessed": 0})])

    report = make_report("run-1", None, [node])

    assert report.serving_faults == ["serving: NaN"]
    assert report.to_json()["serving_faults"] == ["serving: NaN"]


# find_output


def test_find_output_finds_the_artifact() -> None:
    first, second = Output(1, "/1", {}), Output(2, "/2", {})
    results = [result("A", x=[first]), result("B", x=[second], y=[first])]

    assert find_output(results, "B", "x") == second


@pytest.mark.parametrize(("node_id", "key"), [("A", "y"), ("B", "x"), ("A", "empty")])
def test_find_output_is_none_without_an_artifact(node_id: str, key: str) -> None:
    assert find_output([result("A", x=[Output(1, "/1", {})], empty=[])], node_id, key) is None
