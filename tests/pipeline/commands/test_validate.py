"""`pipeline validate`: the line that it prints."""

import json
import re
from pathlib import Path

import pytest

from pipeline.__main__ import run_command


def test_validate_counts_quarantined_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "".join(f"{n},{'ab'[n % 2]}\n" for n in range(30))
    (tmp_path / "rows.csv").write_text(f"x,kind\n{rows}word,a\n2\n")
    config = {
        "name": "t",
        "data": {"path": "rows.csv", "label": "kind", "quarantine": {"max_rows": 2}},
        "features": {"x": "numeric"},
        "evaluation": {"thresholds": {"accuracy": {"min": 0.5}}},
    }
    path = tmp_path / "pipeline_config.yaml"
    path.write_text(json.dumps(config))  # which is YAML too

    code = run_command(["validate", "--config", str(path)])

    output = capsys.readouterr().out
    assert code == 0
    assert re.search(
        r"valid; rows: 32 read = 30 examples \+ 2 quarantined \+ 0 unlabeled; \d+ to train, \d+ to"
        r" eval; classes: a, b",
        output,
    )
