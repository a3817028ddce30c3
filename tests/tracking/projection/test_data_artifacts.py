"""Artifacts of the data nodes, projected."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.projections import project, tags_of
from tests.helpers.tracked_run import (
    END,
    END_MS,
    make_outcome,
    make_start,
    write_anomalies,
    write_schema,
    write_statistics,
)
from tracking.projection.event_files import Metric
from tracking.projection.projector import Projector

# statistics, schema, anomalies


def test_statistics_count_the_rows_of_every_split(projector: Projector, tmp_path: Path) -> None:
    write_statistics(tmp_path, train=99, eval=51)

    projection = projector.project(make_outcome(folder=tmp_path, outputs={"statistics": {}}))

    assert projection.metrics == []
    end = projector.project(END)
    assert end.metrics[1:] == [
        Metric("rows/train", 99.0, 0, END_MS),
        Metric("rows/eval", 51.0, 0, END_MS),
    ]
    assert "99 rows to train, 51 rows to eval" in end.tags["mlflow.note.content"]
    assert set(projection.artifacts) == {"data/statistics.html", "data/class_balance.png"}


def test_statistics_with_numeric_label_draw_a_histogram(tmp_path: Path) -> None:
    write_statistics(tmp_path, train=2, eval=1)
    outcome = make_outcome("StatisticsGen", folder=tmp_path, outputs={"statistics": {}})

    projection = Projector(make_start(label="width"), "7").project(outcome)

    assert projection.artifacts["data/label_histogram.png"]().startswith(b"\x89PNG")
    assert "data/class_balance.png" not in projection.artifacts


def test_schema_makes_datasets(projector: Projector, tmp_path: Path) -> None:
    write_statistics(tmp_path / "statistics", train=99, eval=51)
    write_schema(tmp_path / "schema")
    projector.project(make_outcome(outputs={"examples": {"input_fingerprint": "ab12"}}))
    projector.project(make_outcome(folder=tmp_path / "statistics", outputs={"statistics": {}}))

    projection = projector.project(make_outcome(folder=tmp_path / "schema", outputs={"schema": {}}))

    assert [(data.name, data.context) for data in projection.datasets] == [
        ("iris.csv (train)", "training"),
        ("iris.csv (eval)", "evaluation"),
    ]
    schema = projection.artifacts["data/schema.txt"]()
    assert schema == (tmp_path / "schema" / "schema.pbtxt").read_bytes()


@pytest.mark.parametrize(
    ("path", "properties", "tags"),
    [
        ("/data/iris.csv", {"span": 0}, {}),
        ("/data/{SPAN}", {"span": 7}, {"data.path": "/data/7", "data.span": "7"}),
        (
            "/data/{SPAN:3}/v{VERSION}",
            {"span": 0, "version": 12},
            {"data.path": "/data/000/v12", "data.span": "0", "data.version": "12"},
        ),
        (
            "/data/{YYYY}-{MM}-{DD}.csv",
            {"span": 19_723},
            {"data.path": "/data/2024-01-01.csv", "data.span": "19723"},
        ),
    ],
)
def test_examples_name_the_span(
    path: str, properties: dict[str, Any], tags: dict[str, str]
) -> None:
    projector = Projector(make_start(data_path=path))

    projection = projector.project(make_outcome(outputs={"examples": properties}))

    assert tags_of(projection) == tags


def test_schema_makes_datasets_of_the_span(tmp_path: Path) -> None:
    projector = Projector(make_start(data_path="/data/{SPAN}"))
    write_statistics(tmp_path / "statistics", train=99, eval=51)
    write_schema(tmp_path / "schema")
    projector.project(make_outcome(outputs={"examples": {"span": 7}}))
    projector.project(make_outcome(folder=tmp_path / "statistics", outputs={"statistics": {}}))

    projection = projector.project(make_outcome(folder=tmp_path / "schema", outputs={"schema": {}}))

    assert [(data.name, data.source) for data in projection.datasets] == [
        ("7 (train)", '{"uri": "/data/7"}'),
        ("7 (eval)", '{"uri": "/data/7"}'),
    ]


@pytest.mark.parametrize(
    ("train", "evaluated", "tag"),
    [([], [], "none"), (["b", "a"], ["c", "a"], "a, b, c")],
)
def test_anomalies_are_named_in_a_tag(
    tmp_path: Path, train: list[str], evaluated: list[str], tag: str
) -> None:
    write_anomalies(tmp_path, train=train, eval=evaluated)

    projection = project(make_outcome(folder=tmp_path, outputs={"anomalies": {}}))

    assert tags_of(projection) == {"anomalies": tag}
    assert set(projection.artifacts) == {"data/anomalies.html"}


def test_distances_become_metrics(tmp_path: Path) -> None:
    found = [
        {"column": "petal width", "distance": 0.25},
        {"column": "größe", "distance": 0.5},
        {"column": "gone", "distance": None},
    ]
    report = {"kind": "skew", "baseline": "asked.csv", "distances": found}
    (tmp_path / "distances.json").write_text(json.dumps(report))

    projection = project(make_outcome(folder=tmp_path, outputs={"distances": {}}))

    assert projection.metrics == [
        Metric("skew/petal width", 0.25, 0, END_MS),
        Metric("skew/größe", 0.5, 0, END_MS),
    ]
    assert tags_of(projection) == {"skew.baseline": "asked.csv"}
    assert json.loads(projection.artifacts["data/skew.json"]()) == report


def test_distances_without_a_baseline(tmp_path: Path) -> None:
    report = {"kind": "drift", "baseline": None, "distances": []}
    (tmp_path / "distances.json").write_text(json.dumps(report))

    projection = project(make_outcome(folder=tmp_path, outputs={"distances": {}}))

    assert tags_of(projection) == {"drift.baseline": "none"}


@pytest.mark.parametrize(
    ("count", "tag"),
    [
        (0, "none"),
        (1, "eval: x: 0"),
        (7, "\n".join([*(f"eval: x: {i}" for i in range(5)), "and 2 more"])),
    ],
)
def test_findings_become_a_tag_and_a_file(tmp_path: Path, count: int, tag: str) -> None:
    found = [{"split": "eval", "column": "x", "text": str(index)} for index in range(count)]
    (tmp_path / "findings.json").write_text(json.dumps({"findings": found, "notes": []}))

    projection = project(make_outcome(folder=tmp_path, outputs={"findings": {}}))

    assert tags_of(projection) == {"data.warnings": tag}
    files = {name: content().decode() for name, content in projection.artifacts.items()}
    lines = "".join(f"eval: x: {index}\n" for index in range(count))
    assert files == ({"data/warnings.txt": lines} if count else {})


def test_reviewed_schema_replaces_the_inferred_one(tmp_path: Path) -> None:
    write_schema(tmp_path / "inferred")
    write_schema(tmp_path / "reviewed")
    start = make_start(params={"data.schema": "schema.pbtxt"})

    def shown(node_id: str, folder: str) -> bool:
        outcome = make_outcome(node_id, folder=tmp_path / folder, outputs={"schema": {}})
        return "data/schema.txt" in Projector(start).project(outcome).artifacts

    assert not shown("SchemaGen", "inferred")
    assert shown("ImportSchemaGen", "reviewed")


# quarantine


@pytest.mark.parametrize("numbers", [{"quarantined": 3, "unlabeled": 5}, {"quarantined": 8}])
def test_examples_count_the_rows_that_were_read(
    projector: Projector, tmp_path: Path, numbers: dict[str, int]
) -> None:
    write_statistics(tmp_path, train=20)
    outputs = {"examples": {"rows": 28, "examples_train": 20, **numbers}}
    projector.project(make_outcome("CsvExampleGen", outputs=outputs))
    projector.project(make_outcome("StatisticsGen", folder=tmp_path, outputs={"statistics": {}}))

    metrics = projector.project(END).metrics

    rows = [(metric.key, metric.value) for metric in metrics if metric.key.startswith("rows/")]
    assert rows == [
        ("rows/train", 20),
        ("rows/read", 28),
        ("rows/examples", 20),
        ("rows/quarantine", numbers["quarantined"]),
        ("rows/unlabeled", numbers.get("unlabeled", 0)),
    ]
