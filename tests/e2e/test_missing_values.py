"""Values that are missing in the eval split only."""

from pathlib import Path

import pytest

from tests.helpers.e2e_workspace import Workspace

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

CONFIG = """
name: missing
data: {files: {train: train.csv, eval: eval.csv}, label: kind}
features:
  job: categorical
  married: boolean
  since: datetime
  size: {kind: numeric, fill: mean}
  age: bucketized
evaluation: {thresholds: {accuracy: {min: 0}}, slices: [[job]]}
"""
HEADER = "job,married,since,size,age,kind\n"


def test_run_takes_values_missing_in_eval_only(tmp_path: Path) -> None:
    rows = [
        f"{'xy'[i % 2]},{['no', 'yes'][i % 2]},2024-01-{i % 28 + 1:02},{i}.5,{i},{'ab'[i % 2]}\n"
        for i in range(60)
    ]
    (tmp_path / "train.csv").write_text(HEADER + "".join(rows))
    missing = [",yes,2024-01-01,1,1,a\n", "x,,2024-01-01,1,1,b\n", "x,no,,1,1,a\n"]
    missing += ["y,no,2024-01-01,,1,b\n", "y,no,2024-01-01,1,,a\n", ",,,,,b\n"]
    (tmp_path / "eval.csv").write_text(HEADER + "".join(rows[:20] + missing))
    (tmp_path / "config.yaml").write_text(CONFIG)

    report = Workspace(tmp_path / "artifacts").run("--config", str(tmp_path / "config.yaml"))

    assert report["blessed"]
    assert report["pushed_version"] is not None
    assert report["metrics"]["example_count"] == 26
    warned = " ".join(report["warnings"])
    assert all(name in warned for name in ("job", "married", "since", "size", "age"))
