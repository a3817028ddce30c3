"""The command line as a process."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.__main__ import run_command
from tests.helpers.paths import PROJECT_DIR


def test_main_ends_quietly_if_nobody_reads_any_more() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "pipeline", "validate"]

    done = subprocess.run(
        command, cwd=PROJECT_DIR, stdout=writer, stderr=subprocess.PIPE, text=True
    )

    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


def test_validate_says_how_many_rows_are_put_aside(
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
    assert re.search(r"valid; rows: \d+ to train, \d+ to eval, 2 put aside; classes: a, b", output)


def test_no_module_hides_one_of_the_standard_library() -> None:
    # TFX starts pipeline/local_runner.py by its path, which puts the folder first on sys.path.
    names = {path.stem for path in (PROJECT_DIR / "pipeline").glob("*.py")}

    assert names & sys.stdlib_module_names == set()
