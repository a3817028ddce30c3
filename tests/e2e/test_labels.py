"""Labels as they are written: leading zeros, blanks and gaps, from `init` to a prediction."""

import csv
from pathlib import Path

import pytest
import tensorflow as tf

from pipeline.__main__ import run_command
from tests.helpers.e2e_workspace import Workspace

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

LABELS = ("01", "02", " 10", "01 ", "02", "10", "01", "02", "10", "")
"""Labels of consecutive rows, repeated."""
CLASSES = ["01", "02", "10"]
BLANKS = "60 labels have blanks around them, such as ' 10', '01 '"


def write_table(path: Path) -> None:
    """Writes 300 rows whose column `a` is the number of the label and a little more."""
    labels = [LABELS[row % len(LABELS)] for row in range(300)]
    rows = [f"{int(label or 5)}.{row:03},{label}\n" for row, label in enumerate(labels)]
    path.write_text("a,code\n" + "".join(rows))


def test_labels_are_as_written_everywhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_table(tmp_path / "rows.csv")
    config = str(tmp_path / "config.yaml")
    workspace = Workspace(tmp_path / "artifacts")

    run_command(["init", str(tmp_path / "rows.csv"), "--label", "code", "--output", config])
    report = workspace.run("--config", config, "--set", "evaluation.slices=[[code]]")

    said = capsys.readouterr().out
    assert BLANKS in said
    assert "30 of 300 rows have no label and are left out" in said
    assert report["rows"] == {"read": 300, "examples": 270, "quarantined": 0, "unlabeled": 30}
    assert any(BLANKS in warning for warning in report["warnings"])
    run = workspace.mlflow().get_run(report["mlflow_run_id"]).data
    assert {f"recall/{name}" for name in CLASSES} <= run.metrics.keys()
    assert {f"slice/code:{name}/example_count" for name in CLASSES} <= run.metrics.keys()
    counts = {name: run.metrics[f"rows/{name}"] for name in ("read", "examples", "unlabeled")}
    assert counts == {"read": 300, "examples": 270, "unlabeled": 30}
    assert BLANKS in run.tags["data.warnings"]

    pushed = Path(report["pushed_path"])
    assert (pushed / "assets.extra" / "classes").read_text().split() == CLASSES
    answer = tf.saved_model.load(str(pushed)).signatures["serving_default"](
        a=tf.constant([1.0, 2.0, 10.0])
    )
    assert [name.decode() for name in answer["classes"].numpy().ravel()] == CLASSES
    (tmp_path / "new.csv").write_text("code,a\n,1\n 02 ,2\nx,10\n")
    files = ["--input", str(tmp_path / "new.csv"), "--output", str(tmp_path / "out.csv")]
    assert workspace.call("predict", "--config", config, *files).returncode == 0
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["predicted"] for row in rows] == CLASSES
    assert {f"probability_{name}" for name in CLASSES} <= rows[0].keys()
