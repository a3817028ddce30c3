"""Runs that are interrupted, killed or started twice: nothing is lost, the next one resumes."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.e2e_workspace import (
    CHECKPOINT_STEPS,
    LONG_STEPS,
    TIMEOUT_SECONDS,
    Workspace,
    long_training,
    ran,
    wait_for,
)
from tests.helpers.paths import PROJECT_DIR

pytestmark = pytest.mark.e2e


@pytest.mark.slow
def test_run_interrupted_in_any_node_resumes(
    tmp_path: Path,
) -> None:
    root = tmp_path / "artifacts"
    done = subprocess.run(
        [sys.executable, PROJECT_DIR / "tests" / "e2e" / "interrupt_nodes.py", root],
        cwd=PROJECT_DIR,
        env={**os.environ, "PYTHONPATH": str(PROJECT_DIR)},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )
    runs = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(runs) == 12, done.stderr[-2000:]
    finished: set[str] = set()
    for run in runs[:-1]:
        *before, (last, state) = run["states"].items()
        assert (last, state) == (run["victim"], "killed")
        assert {node for node, how in before if how == "cached"} == finished
        finished |= {node for node, how in before if how == "done"}
    assert set(runs[-1]["states"].values()) == {"cached", "done"}
    assert runs[-1]["states"]["Pusher"] == "done"
    client = Workspace(root).mlflow()
    statuses = [run.info.status for run in client.search_runs(["1"], order_by=["start_time"])]
    assert statuses == ["KILLED"] * 11 + ["FINISHED"]


@pytest.mark.slow
def test_interrupted_training_resumes(workspace: Workspace, first_run: dict[str, Any]) -> None:
    process = workspace.start_training(21)
    os.killpg(process.pid, signal.SIGINT)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 130
    assert stderr == "error: interrupted in Trainer\n"
    assert workspace.newest_run().info.status == "KILLED"

    run_id = workspace.run(*long_training(21))["mlflow_run_id"]
    history = workspace.mlflow().get_metric_history(run_id, "train/loss")
    steps = sorted(point.step for point in history)
    assert steps[-1] > LONG_STEPS - 100
    early = [step for step in steps if step <= CHECKPOINT_STEPS]
    assert early == sorted(set(early)), "the training began anew"
    assert not list(workspace.root.glob("pipeline_root/iris/Trainer/model_run/unfinished"))


@pytest.mark.slow
def test_terminated_run_is_marked_killed(workspace: Workspace, first_run: dict[str, Any]) -> None:
    process = workspace.start_training(22)
    process.terminate()
    process.communicate(timeout=20)
    assert process.returncode == 130
    assert workspace.newest_run().info.status == "KILLED"


def test_run_killed_outright_is_marked_killed(
    workspace: Workspace, first_run: dict[str, Any]
) -> None:
    process = workspace.start_training(23)
    process.kill()
    process.communicate()
    wait_for(lambda: workspace.newest_run().info.status == "KILLED", "the mark")
    assert ran(workspace.run()) <= {"BaselineResolver", "Evaluator", "Pusher"}


@pytest.mark.slow
def test_second_run_at_once_waits_for_the_first(
    workspace: Workspace, first_run: dict[str, Any]
) -> None:
    processes = [
        subprocess.Popen(
            workspace.command("run", "--set", f"model.seed={seed}"),
            cwd=workspace.project_dir,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for seed in (11, 12)
    ]
    outputs = [process.communicate(timeout=TIMEOUT_SECONDS)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert sum("waiting for another run in" in output for output in outputs) == 1
    versions = [re.search(r"pushed: version (\d+)", output) for output in outputs]
    assert len({version.group(1) for version in versions if version}) == 2
