"""Runs without a working tracking server: they succeed, hardly later, and a sync adds them."""

import re
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from mlflow.tracking import MlflowClient

from tests.helpers.e2e_workspace import TIMEOUT_SECONDS, FirstState, Workspace, wait_for
from tests.helpers.mlflow_servers import (
    MlflowServer,
    failing_server,
    free_port,
    mlflow_server,
    silent_server,
)
from tests.helpers.mlflow_store import differences, dump

pytestmark = pytest.mark.e2e

SLACK_SECONDS = 5
"""Seconds by which a run may end later than an untracked one."""
KINDS = ("absent", "failing", "silent")
STEPS = 54
"""Makes six points of a curve, which are 9 or 10 steps apart, since TensorFlow may read the step
late."""


def count_runs(workspace: Workspace) -> int:
    """Counts the runs in MLMD."""
    with sqlite3.connect(workspace.root / "metadata.sqlite") as database:
        query = """
            SELECT COUNT(*) FROM Context JOIN Type ON Type.id = Context.type_id
            WHERE Type.name = 'pipeline_run'
        """
        (count,) = database.execute(query).fetchone()
    return int(count)


def shape(run: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the names of all that a run has, without values; slices may lack undefined ones."""
    return {
        "status": run["status"],
        "params": set(run["params"]),
        "tags": set(run["tags"]),
        "points": {
            key: len(points)
            for key, points in run["metrics"].items()
            if not key.startswith("slice/")
        },
        "files": set(run["files"]),
        "datasets": len(run["datasets"]),
        "models": len(run["models"]),
    }


def test_sync_adds_run_without_server(first_state: FirstState, tmp_path: Path) -> None:
    workspace = first_state.copy(tmp_path / "artifacts")
    done = workspace.call("run", env={"MLFLOW_TRACKING_URI": f"http://127.0.0.1:{free_port()}"})
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    (line,) = re.findall("^not tracked in MLflow: .*$", done.stdout, re.MULTILINE)
    assert "pipeline sync" in line

    assert workspace.call("sync").stdout == "MLflow: 2 runs written, 0 were complete\n"

    live, synced = dump(first_state.store_uri), dump(f"sqlite:///{workspace.root}/mlflow.db")
    first, second = (shape(run) for _, run in sorted(synced["runs"].items()))
    assert first == shape(*live["runs"].values())
    assert second["points"].keys() == first["points"].keys()
    assert second["files"] == first["files"]


# servers that do not work from the start


@pytest.fixture(scope="module")
def urls() -> Iterator[dict[str, str]]:
    """The address of a server of each kind."""
    with ExitStack() as stack:
        yield {
            "absent": f"http://127.0.0.1:{free_port()}",
            "failing": stack.enter_context(failing_server()),
            "silent": stack.enter_context(silent_server()),
        }


@pytest.fixture(scope="module")
def workspace_of_kinds(
    first_state: FirstState, tmp_path_factory: pytest.TempPathFactory
) -> Workspace:
    return first_state.copy(tmp_path_factory.mktemp("kinds") / "artifacts")


@pytest.fixture(scope="module")
def runs(workspace_of_kinds: Workspace, urls: dict[str, str]) -> dict[str, dict[str, Any]]:
    """A run for each kind of server, one without tracking, and one with a working store."""
    trackings = {
        "untracked": "mlflow.enabled=false",
        **{kind: f"mlflow.tracking_uri={urls[kind]}" for kind in KINDS},
        "tracked": "mlflow.enabled=true",
    }
    results = workspace_of_kinds.run_many(
        [
            [
                tracking,
                f"model.seed={seed}",
                f"train.steps={STEPS}",
                "evaluation.thresholds.accuracy={min: 0.1}",
            ]
            for seed, tracking in enumerate(trackings.values(), 40)
        ]
    )
    return dict(zip(trackings, results, strict=True))


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", KINDS)
def test_bad_server_hardly_delays_run(runs: dict[str, dict[str, Any]], kind: str) -> None:
    run = runs[kind]
    assert run["error"] is None
    assert run["states"] == runs["untracked"]["states"]
    assert run["report"]["mlflow_run_id"] is None
    (line,) = re.findall("^not tracked in MLflow: .*$", run["text"], re.MULTILINE)
    assert "pipeline sync" in line
    late = run["seconds_after_nodes"] - runs["untracked"]["seconds_after_nodes"]
    assert late <= SLACK_SECONDS


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_sync_adds_runs_with_bad_server(
    workspace_of_kinds: Workspace, runs: dict[str, dict[str, Any]]
) -> None:
    done = workspace_of_kinds.call("sync")
    assert done.stdout == "MLflow: 5 runs written, 1 were complete\n", done.stderr

    found = dump(f"sqlite:///{workspace_of_kinds.root}/mlflow.db")["runs"]
    tracked = shape(found[runs["tracked"]["report"]["pipeline_run_id"]])
    assert tracked["points"]["train/loss"] > 1
    for kind in KINDS:
        assert shape(found[runs[kind]["report"]["pipeline_run_id"]]) == tracked


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_required_tracking_refuses_bad_server(
    first_state: FirstState, urls: dict[str, str], tmp_path: Path
) -> None:
    workspace = first_state.copy(tmp_path / "artifacts")
    results = workspace.run_many(
        [["mlflow.required=true", f"mlflow.tracking_uri={urls[kind]}"] for kind in KINDS]
    )
    for result in results:
        assert result["error"].startswith("mlflow.required is true, but MLflow fails: ")
        assert result["states"] == {}
    assert count_runs(workspace) == 1


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_required_tracking_leaves_no_run_behind(
    first_state: FirstState, urls: dict[str, str], tmp_path: Path
) -> None:
    workspace = first_state.copy(tmp_path / "artifacts")
    done = workspace.call(
        "run", "--set", "mlflow.required=true", env={"MLFLOW_TRACKING_URI": urls["absent"]}
    )
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: mlflow.required is true, but MLflow fails: ")
    assert count_runs(workspace) == 1


# a server that goes away in the middle


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MlflowServer]:
    with mlflow_server(tmp_path / "server") as server:
        yield server


def follow(process: "subprocess.Popen[str]", node: str) -> tuple[list[str], float]:
    """Reads the output of a run to its end, and measures how long it goes on after a node."""
    assert process.stdout is not None
    lines, ended = [], time.monotonic()
    for line in process.stdout:
        lines.append(line)
        if line.startswith(f"{node}: ") and not line.endswith("running\n"):
            ended = time.monotonic()
    process.communicate(timeout=TIMEOUT_SECONDS)
    return lines, time.monotonic() - ended


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGSTOP], ids=["dies", "hangs"])
def test_sync_completes_run_that_lost_server(
    first_state: FirstState,
    server: MlflowServer,
    runs: dict[str, dict[str, Any]],
    tmp_path: Path,
    death: signal.Signals,
) -> None:
    workspace = first_state.copy(tmp_path / "artifacts")
    to_server = {"MLFLOW_TRACKING_URI": server.url}
    workspace.call("sync", env=to_server)  # the first run comes first in both stores
    process = workspace.start_training(30, env=to_server)
    wait_for(lambda: has_points(server.url, 2), "the first points of a curve")
    if death == signal.SIGKILL:
        server.kill()
    else:
        server.signal(death)
    lines, seconds = follow(process, "Pusher")
    assert process.returncode == 0
    assert any(re.match("not tracked in MLflow: .*pipeline sync", line) for line in lines)
    assert seconds - runs["untracked"]["seconds_after_nodes"] <= SLACK_SECONDS

    if death == signal.SIGKILL:
        server.start()
    else:
        server.signal(signal.SIGCONT)
    done = workspace.call("sync", env=to_server)
    assert done.stdout == "MLflow: 1 runs written, 1 were complete\n", done.stderr
    workspace.call("sync")
    there, elsewhere = dump(server.url), dump(f"sqlite:///{workspace.root}/mlflow.db")
    assert list(differences(there, elsewhere)) == []


def has_points(url: str, count: int) -> bool:
    """Whether a number of runs on a server have a training curve."""
    client = MlflowClient(url)
    experiment = client.get_experiment_by_name("iris")
    runs = client.search_runs([experiment.experiment_id])
    return sum("train/loss" in run.data.metrics for run in runs) == count
