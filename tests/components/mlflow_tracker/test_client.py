"""The tracker process, as a runner uses it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from components.mlflow_tracker import client
from components.mlflow_tracker.client import Tracker
from components.mlflow_tracker.events import NodeOutcome, Output, RunEnd, RunStart

START = RunStart("run-1", "a run", 1_700_000_000_000, {"seed": 1}, "name: iris\n", "/nowhere")
END = RunEnd("FINISHED", 1_700_000_009_000)
MakeTracker = Callable[[str], Tracker]


@pytest.fixture
def make_tracker(tmp_path: Path) -> MakeTracker:
    return lambda tracking_uri: Tracker(tracking_uri, "iris", tmp_path / "artifacts")


def find_run(tracking_uri: str, pipeline_run_id: str = "run-1") -> Run | None:
    store = MlflowClient(tracking_uri)
    experiment = store.get_experiment_by_name("iris")
    if experiment is None:
        return None
    query = f"tags.`tfx.pipeline_run_id` = '{pipeline_run_id}'"
    runs = store.search_runs([experiment.experiment_id], query)
    return runs[0] if runs else None


def outcome(node_id: str, computed_by: str | None = None, **outputs: list[Output]) -> NodeOutcome:
    state = "cached" if computed_by else "done"
    return NodeOutcome(node_id, state, 1.5, 1_700_000_001_000, 1, outputs, computed_by)


# a store that answers


def test_tracker_writes_a_run(make_tracker: MakeTracker, tracking_uri: str) -> None:
    first = make_tracker(tracking_uri)
    first.send(START)
    first.close(END)
    second = make_tracker(tracking_uri)
    second.send(RunStart(**{**vars(START), "pipeline_run_id": "run-2"}))
    second.send(outcome("Trainer", computed_by="run-1"))
    second.send(outcome("Transform", computed_by="a run that was not tracked"))
    second.send(outcome("Evaluator", blessing=[Output(1, "/nowhere", {"blessed": 1})]))
    second.close(END)

    run = find_run(tracking_uri, "run-2")
    assert run is not None
    assert (second.error, second.mlflow_run_id) == (None, run.info.run_id)
    assert second.experiment_id == run.info.experiment_id
    assert (run.info.status, run.info.end_time) == ("FINISHED", 1_700_000_009_000)
    assert run.data.params == {"seed": "1"}
    assert run.data.metrics == {
        "seconds/Trainer": 1.5,
        "seconds/Transform": 1.5,
        "seconds/Evaluator": 1.5,
    }
    assert run.data.tags["blessed"] == "true"
    assert run.data.tags["cached_nodes"] == "Trainer, Transform"
    assert run.data.tags["cached.Trainer"] == first.mlflow_run_id
    assert run.data.tags["cached.Transform"] == "a run that was not tracked"
    first_run = find_run(tracking_uri)
    assert first_run is not None
    assert first_run.data.tags["cached_nodes"] == "none"


_TRACK_AND_DIE = """
import os, signal, sys, time
from pathlib import Path
from components.mlflow_tracker.client import Tracker
from components.mlflow_tracker.events import RunStart
tracker = Tracker(sys.argv[1], "iris", Path(sys.argv[2]))
tracker.send(RunStart("run-1", "a run", 1, {}, "", "/nowhere"))
time.sleep(0.3)  # the tracker process is still importing MLflow
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_tracker_kills_the_run_of_a_runner_that_was_killed(
    tracking_uri: str, tmp_path: Path
) -> None:
    runner = subprocess.run([sys.executable, "-c", _TRACK_AND_DIE, tracking_uri, str(tmp_path)])
    assert runner.returncode == -signal.SIGKILL

    assert wait_for(lambda: status_of(tracking_uri) == "KILLED"), status_of(tracking_uri)


def status_of(tracking_uri: str) -> str | None:
    run = find_run(tracking_uri)
    return run and run.info.status


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def test_tracker_outlives_an_interrupt_in_the_terminal(
    make_tracker: MakeTracker, tracking_uri: str
) -> None:
    before = children()
    tracker = make_tracker(tracking_uri)
    tracker.send(START)
    (process_id,) = children() - before
    assert os.getsid(process_id) != os.getsid(0)
    assert wait_for(lambda: find_run(tracking_uri) is not None)

    os.kill(process_id, signal.SIGINT)
    tracker.close(END)

    assert tracker.error is None


def children() -> set[int]:
    path = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    return {int(process_id) for process_id in path.read_text().split()}


# what may go wrong


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port where connections are taken and never answered."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield int(listener.getsockname()[1])


def seconds_of(call: Callable[..., None], *args: Any) -> float:
    start = time.monotonic()
    call(*args)
    return time.monotonic() - start


def test_tracker_says_that_the_server_is_not_there(
    make_tracker: MakeTracker, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "SERVER_GRACE_SECONDS", 60.0)  # it is not silence that ends this
    tracker = make_tracker(f"http://127.0.0.1:{closed_port}")

    seconds = [seconds_of(tracker.send, START), seconds_of(tracker.close, END)]

    assert seconds[0] < 1
    assert seconds[1] < 30
    assert tracker.error is not None
    assert f"http://127.0.0.1:{closed_port}" in tracker.error
    assert tracker.mlflow_run_id is None


def test_tracker_does_not_wait_for_a_silent_server(
    make_tracker: MakeTracker, silent_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "SERVER_GRACE_SECONDS", 0.5)
    tracker = make_tracker(f"http://127.0.0.1:{silent_port}")
    wide = RunStart(**{**vars(START), "config_yaml": "x" * 1_000_000})  # more than a pipe holds

    seconds = [seconds_of(tracker.send, wide), seconds_of(tracker.close, END)]

    assert seconds[0] < 1
    assert seconds[1] < 3
    assert tracker.error == "no answer for 0 s"


def test_tracker_says_that_its_process_ended(make_tracker: MakeTracker, tracking_uri: str) -> None:
    before = children()
    tracker = make_tracker(tracking_uri)
    tracker.send(START)
    (process_id,) = children() - before

    os.kill(process_id, signal.SIGKILL)
    time.sleep(0.2)
    tracker.send(outcome("Trainer"))
    tracker.close(END)

    assert tracker.error == "the tracker process ended"
    assert process_id not in children()
