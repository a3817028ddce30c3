"""Artifacts of Evaluator and ServingCheck, projected."""

import json
from pathlib import Path

from tests.helpers.projections import project, tags_of
from tests.helpers.tracked_run import (
    END_MS,
    make_check,
    make_outcome,
    make_summary,
    write_summary,
)
from tracking.projection.event_files import Metric

# evaluation


def test_evaluation_becomes_metrics(tmp_path: Path) -> None:
    write_summary(tmp_path, make_summary(baseline={"accuracy": 0.75}))

    projection = project(make_outcome(folder=tmp_path, outputs={"evaluation": {}}))

    assert projection.metrics == [
        Metric("accuracy", 0.5, 0, END_MS),
        Metric("recall/b.x2a.e", 0.25, 0, END_MS),
        Metric("baseline/accuracy", 0.75, 0, END_MS),
        Metric("difference/accuracy", -0.25, 0, END_MS),
        Metric("slice/legs:6 color:red/accuracy", 1.0, 0, END_MS),
    ]
    assert "evaluation/summary.json" in projection.artifacts


def test_evaluation_names_missed_thresholds(tmp_path: Path) -> None:
    checks = [
        make_check("accuracy", "min", 0.9, 0.5, False, -0.4),
        make_check("accuracy", "max", 1.0, 0.5, True, 0.5),
        make_check("cross_entropy", "max", 0.1, 0.25, False, -0.15),
    ]
    write_summary(tmp_path, make_summary(checks))

    tags = tags_of(project(make_outcome(folder=tmp_path, outputs={"evaluation": {}})))

    assert tags["thresholds.missed"] == "accuracy 0.5, min 0.9; cross_entropy 0.25, max 0.1"


def test_evaluation_without_missed_thresholds(tmp_path: Path) -> None:
    write_summary(tmp_path, make_summary([make_check("accuracy", "min", 0.5, 0.5, True, 0.0)]))

    tags = tags_of(project(make_outcome(folder=tmp_path, outputs={"evaluation": {}})))

    assert tags["thresholds.missed"] == "none"


def test_evaluation_tags_its_table_for_the_ui(tmp_path: Path) -> None:
    write_summary(tmp_path, make_summary())

    projection = project(make_outcome(folder=tmp_path, outputs={"evaluation": {}}))

    (table,) = json.loads(projection.tags["mlflow.loggedArtifacts"])
    assert table == {"path": "evaluation/metrics.json", "type": "table"}
    assert table["path"] in projection.artifacts


# serving check


def test_serving_check_becomes_metrics_and_a_tag(tmp_path: Path) -> None:
    report = {"rows": 3, "faults": ["a", "b"], "greatest_difference": 1e-7, "milliseconds": 0.5}
    (tmp_path / "serving_check.json").write_text(json.dumps(report))

    projection = project(
        make_outcome("ServingCheck", folder=tmp_path, outputs={"serving_blessing": {}})
    )

    assert tags_of(projection) == {"serving.faults": "a; b"}
    assert [(metric.key, metric.value) for metric in projection.metrics] == [
        ("serving/greatest_difference", 1e-7),
        ("serving/milliseconds", 0.5),
    ]


def test_serving_check_without_measurements(tmp_path: Path) -> None:
    (tmp_path / "serving_check.json").write_text('{"rows": 3, "faults": []}')

    projection = project(
        make_outcome("ServingCheck", folder=tmp_path, outputs={"serving_blessing": {}})
    )

    assert tags_of(projection) == {"serving.faults": "none"}
    assert projection.metrics == []
