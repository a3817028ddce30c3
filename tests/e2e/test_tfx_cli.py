"""The pipeline with TFX's own command line, in the same checkout."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.e2e_workspace import TIMEOUT_SECONDS, Workspace
from tests.helpers.paths import PROJECT_DIR, SHIPPED

pytestmark = pytest.mark.e2e


def tfx(home: Path, config: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Runs a `tfx` command for the local engine."""
    return subprocess.run(
        [Path(sys.executable).parent / "tfx", *arguments, "--engine=local"],
        cwd=PROJECT_DIR,
        env={**os.environ, "HOME": str(home), "PIPELINE_CONFIG": str(config)},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )


def write_config(folder: Path, root: Path) -> Path:
    """Writes the shipped configuration with another state folder."""
    text = (SHIPPED).read_text(encoding="utf-8")
    text = text.replace("root: artifacts", f"root: {root}")
    text = text.replace("path: data/iris", f"path: {PROJECT_DIR}/data/iris")
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_create_writes_only_files_of_tfx(tmp_path: Path) -> None:
    config = write_config(tmp_path, tmp_path / "artifacts")
    done = tfx(tmp_path, config, "pipeline", "create", "--pipeline-path=pipeline/local_runner.py")
    assert 'Pipeline "iris" created successfully' in done.stdout, done.stderr
    assert not (tmp_path / "artifacts").exists()
    saved = tmp_path / "tfx" / "local" / "iris" / "pipeline_args.json"
    assert json.loads(saved.read_text(encoding="utf-8"))["pipeline_name"] == "iris"


def test_tfx_run_tracks_as_pipeline_run_does(
    workspace: Workspace, first_run: dict[str, Any], tmp_path: Path
) -> None:
    config = write_config(tmp_path, workspace.root)
    tfx(tmp_path, config, "pipeline", "create", "--pipeline-path=pipeline/local_runner.py")
    done = tfx(tmp_path, config, "run", "create", "--pipeline-name=iris")
    assert done.returncode == 0, done.stderr
    assert "Trainer: cached" in done.stdout
    assert "MLflow run: " in done.stdout
    run = workspace.newest_run()
    assert run.info.run_id in done.stdout
    assert run.info.status == "FINISHED"


def test_create_refuses_wrong_configuration(tmp_path: Path) -> None:
    config = write_config(tmp_path, tmp_path / "artifacts")
    config.write_text(config.read_text(encoding="utf-8") + "trian: 1\n", encoding="utf-8")
    done = tfx(tmp_path, config, "pipeline", "create", "--pipeline-path=pipeline/local_runner.py")
    assert done.returncode != 0
    assert "trian: unknown key; did you mean 'train'?" in done.stderr + done.stdout
