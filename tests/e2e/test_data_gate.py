"""Anomalies in the data: runs that stop, runs that warn, distances to other data."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.e2e_workspace import Workspace, settings, states
from tests.helpers.paths import PROJECT_DIR

pytestmark = pytest.mark.e2e

IRIS = PROJECT_DIR / "data" / "iris" / "iris.csv"


@pytest.fixture(scope="module")
def schema(workspace: Workspace, first_run: dict[str, Any]) -> Path:
    """A reviewed schema with a maximum that some sepals exceed."""
    path: Path = workspace.root.parent / "schema.pbtxt"
    written = workspace.call("schema", "write", "--output", str(path))
    assert written.returncode == 0, written.stderr
    before, name, after = path.read_text().partition('name: "sepal_length"\n')
    path.write_text(f"{before}{name}  float_domain {{ max: 7.5 }}\n{after}")
    return path


TOO_LONG = "train: sepal_length: expected at most 7.5; found up to 7.9, in about 5 of 93 examples"


def test_run_stops_at_data_unlike_schema(workspace: Workspace, schema: Path) -> None:
    arguments = settings(f"data.schema={schema}")

    for _ in range(2):  # a failed node does not come from the cache
        done = workspace.call("run", *arguments)

        assert done.returncode == 1
        first, second, *_ = done.stderr.splitlines()
        assert first.startswith("error: DataGate failed: ")
        assert first.endswith("in the data (validation.stop_at: error)")
        assert second.split(", in about")[0] == TOO_LONG.split(", in about")[0]
        assert "Transform" not in done.stdout
    run = workspace.newest_run()
    assert run.info.status == "FAILED"
    assert run.data.tags["failed_node"] == "DataGate"
    assert "sepal_length" in run.data.tags["error"]


def test_run_warns_of_data_from_cache(workspace: Workspace, schema: Path) -> None:
    arguments = settings(f"data.schema={schema}", "validation.stop_at=never", "train.steps=50")

    report = workspace.run(*arguments)
    shown = workspace.call("run", *arguments)

    assert states(report)["DataGate"] == "done"
    assert report["warnings"][0].startswith("train: sepal_length: expected at most 7.5; found")
    assert "DataGate: cached" in shown.stdout
    assert f"warning: {report['warnings'][0]}\n" in shown.stdout
    tags = workspace.newest_run().data.tags
    assert tags["data.warnings"].splitlines() == report["warnings"]
    assert report["warnings"][0] in tags["mlflow.note.content"]


def write_rows(path: Path, **factors: float) -> None:
    """Writes Iris with multiplied columns, and with a column `site` that is not a feature."""
    with IRIS.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        for name, factor in factors.items():
            row[name] = str(float(row[name]) * factor)
        row["site"] = "north" if factors else "south"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.slow
def test_run_measures_drift_to_passed_data(workspace: Workspace, tmp_path: Path) -> None:
    own = Workspace(tmp_path / "artifacts")
    paths = {name: tmp_path / f"{name}.csv" for name in ("first", "second")}
    write_rows(paths["first"])
    write_rows(paths["second"], sepal_length=1.5)
    drift = settings("validation.drift={'*': 0.2}", "train.steps=20")

    first = own.call("run", *settings(f"data.path={paths['first']}"), *drift)
    refused = [own.call("run", *settings(f"data.path={paths['second']}"), *drift) for _ in range(2)]
    metrics = own.newest_run().data.metrics
    passed = own.run(*settings(f"data.path={paths['second']}", "validation.stop_at=never"), *drift)

    assert "drift: not measured, there is no earlier data that has passed" in first.stdout
    for done in refused:
        assert done.returncode == 1
        (line,) = done.stderr.splitlines()[1:]
        assert line.startswith("drift: sepal_length: expected a Jensen-Shannon distance of at most")
    assert metrics["drift/sepal_length"] > 0.2 > metrics["drift/petal_width"]
    assert metrics["drift/site"] == 1  # a column that the model does not read
    assert [warning.split(":")[1] for warning in passed["warnings"]] == [" sepal_length", " site"]


@pytest.mark.slow
def test_run_measures_skew_to_rows_without_a_label(
    workspace: Workspace, first_run: dict[str, Any], tmp_path: Path
) -> None:
    rows = [line.rpartition(",")[0] for line in IRIS.read_text().splitlines()]
    asked = tmp_path / "asked.csv"
    asked.write_text("".join(f"{row}\n" for row in rows))
    config = {"path": str(asked), "columns": {"*": 0.1}}

    report = workspace.run(*settings(f"validation.skew={json.dumps(config)}"))

    assert report["warnings"] == []
    metrics = workspace.newest_run().data.metrics
    measured = {name for name in metrics if name.startswith("skew/")}
    assert measured == {f"skew/{name}" for name in IRIS.read_text().split("\n")[0].split(",")[:4]}
