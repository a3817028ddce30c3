"""Runs with data in spans."""

from pathlib import Path

import pytest

from tests.helpers.e2e_workspace import Workspace, ran, settings
from tests.helpers.paths import PROJECT_DIR

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

IRIS = (PROJECT_DIR / "data" / "iris" / "iris.csv").read_text().splitlines()


def write_span(folder: Path, span: int, rows: list[str]) -> None:
    (folder / f"span-{span}").mkdir(parents=True)
    (folder / f"span-{span}" / "rows.csv").write_text(
        "".join(f"{line}\n" for line in (IRIS[0], *rows))
    )


def test_run_takes_the_newest_span(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "artifacts")
    data = tmp_path / "data"
    arguments = settings(
        f"data.path={data}/span-{{SPAN}}",
        "data.split={train: 2, eval: 1, test: 1}",
        "train.steps=20",
    )

    write_span(data, 1, IRIS[1:])
    workspace.run(*arguments)
    first = workspace.newest_run().data
    write_span(data, 2, IRIS[1::2])
    second_report = workspace.run(*arguments)
    second = workspace.newest_run().data
    again = workspace.run(*arguments)
    third = workspace.newest_run()

    splits = ("rows/train", "rows/eval", "rows/test")
    assert first.tags["data.span"] == "1"
    assert sum(first.metrics[split] for split in splits) == 150
    assert second.tags["data.span"] == "2"
    assert second.tags["data.path"] == f"{data}/span-2"
    assert sum(second.metrics[split] for split in splits) == 75
    assert {"CsvExampleGen", "StatisticsGen", "Transform", "Trainer"} <= ran(second_report)
    assert ran(again) <= {"BaselineResolver"}
    assert third.data.tags["data.span"] == "2"
    assert {"span-2 (test)", "span-2 (train)"} <= {
        found.dataset.name for found in third.inputs.dataset_inputs
    }
