"""The tracker process, as a runner uses it."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from tests.helpers.tracked_run import (
    END,
    END_MS,
    append_points,
    events_path,
    make_outcome,
    make_start,
)
from tracking import client
from tracking.client import Tracker
from tracking.events import NodeStart
from tracking.store.run_writer import RunWriter
from tracking.uris import hide_credentials

MakeTracker = Callable[[str], Tracker]


@pytest.fixture
def make_tracker(tmp_path: Path) -> MakeTracker:
    return lambda tracking_uri: Tracker(tracking_uri, tmp_path / "artifacts")


def find_run(tracking_uri: str, pipeline_run_id: str = "run-1") -> Run | None:
    store = MlflowClient(tracking_uri)
    experiment = store.get_experiment_by_name("iris")
    if experiment is None:
        return None
    query = f"tags.`tfx.pipeline_run_id` = '{pipeline_run_id}'"
    runs = store.search_runs([experiment.experiment_id], query)
    return runs[0] if runs else None


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


# a store that answers


def test_tracker_writes_runs_one_after_the_other(
    make_tracker: MakeTracker, tracking_uri: str, tmp_path: Path
) -> None:
    RunWriter(tracking_uri, str(tmp_path / "artifacts"), make_start("run-0")).end(END)
    tracker = make_tracker(tracking_uri)

    tracker.send(make_start("run-0"))
    tracker.send(END)
    tracker.send(make_start())
    tracker.send(make_outcome("Evaluator", outputs={"blessing": {"blessed": 1}}))
    tracker.send(END)
    tracker.send(make_start("run-2"))
    tracker.send(make_outcome("Evaluator", "cached", computed_by="run-1"))
    tracker.send(END)
    tracker.close()

    assert tracker.error is None
    assert list(tracker.runs) == ["run-0", "run-1", "run-2"]
    assert tracker.untouched == ["run-0"]
    for pipeline_run_id, mlflow_run_id in tracker.runs.items():
        run = find_run(tracking_uri, pipeline_run_id)
        assert run is not None
        assert run.info.run_id == mlflow_run_id
        assert (run.info.status, run.info.end_time) == ("FINISHED", END_MS)
        assert run.data.tags["tfx.tracked"] == "complete"
    assert run is not None
    assert (tracker.mlflow_run_id, tracker.experiment_id) == (
        run.info.run_id,
        run.info.experiment_id,
    )
    assert run.data.tags["cached_nodes"] == "Evaluator"
    computed = find_run(tracking_uri)
    assert computed is not None
    assert computed.data.tags["blessed"] == "true"  # of its own events only
    assert computed.data.tags["cached_nodes"] == "none"


def test_tracker_connects_before_a_run_begins(
    tracking_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")
    imports = tmp_path / "imports.txt"
    with open(imports, "w", encoding="utf-8") as chatter:
        tracker = Tracker(tracking_uri, tmp_path / "artifacts", chatter)

        def has_imported(module: str) -> bool:
            return f"{module}\n" in imports.read_text("utf-8")

        assert wait_for(lambda: has_imported("matplotlib.figure"))
        assert has_imported("mlflow.store.tracking.sqlalchemy_store")
        tracker.close()
    assert tracker.error is None


def test_tracker_shows_a_training_in_progress(
    make_tracker: MakeTracker, tracking_uri: str, tmp_path: Path
) -> None:
    tracker = make_tracker(tracking_uri)
    tracker.send(make_start())
    tracker.wait_for_run()
    assert tracker.mlflow_run_id is not None
    store, run_id = MlflowClient(tracking_uri), tracker.mlflow_run_id
    assert store.get_run(run_id).info.status == "RUNNING"
    tracker.send(NodeStart("Trainer", 0, str(tmp_path / "unfinished")))

    path = events_path(tmp_path / "unfinished" / "training")

    def latest_step() -> int:
        return max((m.step for m in store.get_metric_history(run_id, "train/loss")), default=0)

    for step in (1, 2):
        append_points(path, [("loss", 1 / step, step, 1000 * step)])
        deadline = time.monotonic() + 5
        while latest_step() < step:
            assert time.monotonic() < deadline
            time.sleep(0.1)

    path.parent.rename(tmp_path / "7")
    tracker.send(make_outcome("Trainer", folder=tmp_path / "7", outputs={"model_run": {}}))
    tracker.send(END)
    tracker.close()

    history = store.get_metric_history(run_id, "train/loss")
    assert sorted((m.step, m.value) for m in history) == [(1, 1.0), (2, 0.5)]


_TRACK_AND_DIE = """
import os, signal, sys, time
from pathlib import Path
sys.path.append("tests/helpers")
from tests.helpers.tracked_run import END_MS, append_points, events_path, make_start
from tracking.client import Tracker
from tracking.events import NodeStart
folder = Path(sys.argv[2])
tracker = Tracker(sys.argv[1], folder)
tracker.send(make_start())
tracker.send(NodeStart("Trainer", 0, str(folder / "unfinished")))
time.sleep(0.3)  # the tracker process is still importing MLflow
append_points(events_path(folder / "unfinished" / "7"), [("loss", 1.0, 1, END_MS)])
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_tracker_ends_the_run_of_a_killed_runner(tracking_uri: str, tmp_path: Path) -> None:
    runner = subprocess.run([sys.executable, "-c", _TRACK_AND_DIE, tracking_uri, str(tmp_path)])
    assert runner.returncode == -signal.SIGKILL

    def is_whole() -> bool:
        run = find_run(tracking_uri)
        return run is not None and "tfx.tracked" in run.data.tags

    assert wait_for(is_whole)
    run = find_run(tracking_uri)
    assert run is not None
    assert run.info.status == "KILLED"
    assert run.data.metrics["train/loss"] == 1.0
    assert run.info.end_time == END_MS  # the last thing known of it


def test_tracker_survives_an_interrupt(make_tracker: MakeTracker, tracking_uri: str) -> None:
    before = children()
    tracker = make_tracker(tracking_uri)
    tracker.send(make_start())
    (process_id,) = children() - before
    assert os.getsid(process_id) != os.getsid(0)
    tracker.wait_for_run()

    os.kill(process_id, signal.SIGINT)
    tracker.send(END)
    tracker.close()

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


class _Refusing(BaseHTTPRequestHandler):
    """Answers as a server does that does not know the user."""

    def do_GET(self) -> None:
        self.send_error(401, "who is there?")

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def refusing_port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Refusing) as server:
        threading.Thread(target=server.serve_forever).start()
        yield server.server_port
        server.shutdown()


def seconds_of(call: Callable[..., None], *args: Any) -> float:
    start = time.monotonic()
    call(*args)
    return time.monotonic() - start


def test_tracker_reports_an_unreachable_server(
    make_tracker: MakeTracker, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "SERVER_GRACE_SECONDS", 60.0)  # it is not silence that ends this
    tracker = make_tracker(f"http://127.0.0.1:{closed_port}")

    seconds = [seconds_of(tracker.send, make_start()), seconds_of(tracker.send, END)]
    seconds.append(seconds_of(tracker.close))

    assert max(seconds[:2]) < 1
    assert seconds[2] < 40
    assert tracker.error is not None
    assert f"http://127.0.0.1:{closed_port}" in tracker.error
    assert tracker.mlflow_run_id is None


def test_tracker_hides_credentials_in_errors(
    make_tracker: MakeTracker, closed_port: int, capfd: pytest.CaptureFixture[str]
) -> None:
    tracker = make_tracker(f"http://alice:secret@127.0.0.1:{closed_port}")
    tracker.send(make_start())
    tracker.wait_for_run()
    logged = ""

    def is_logged() -> bool:
        nonlocal logged
        logged += "".join(capfd.readouterr())
        return "\nmlflow.exceptions.MlflowException" in logged

    assert wait_for(is_logged, 10), logged
    tracker.close()

    assert tracker.error is not None
    assert "//***@127.0.0.1" in tracker.error
    assert "Traceback" in logged
    for secret in ("alice", "secret"):
        assert secret not in tracker.error + logged


def test_tracker_reports_the_error_of_the_server(
    make_tracker: MakeTracker, refusing_port: int
) -> None:
    tracker = make_tracker(f"http://127.0.0.1:{refusing_port}")
    tracker.send(make_start())

    tracker.wait_for_run()

    assert tracker.error is not None
    assert "401" in tracker.error
    assert tracker.mlflow_run_id is None
    tracker.close()


def test_tracker_gives_up_on_a_silent_server(
    make_tracker: MakeTracker, silent_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "SERVER_GRACE_SECONDS", 0.5)
    before = children()
    tracker = make_tracker(f"http://127.0.0.1:{silent_port}")
    assert wait_for(lambda: not tracker._messages.empty())  # ready: MLflow is imported
    wide = make_start(config_yaml="x" * 1_000_000)  # more than a pipe holds

    seconds = [seconds_of(tracker.send, wide), seconds_of(tracker.send, END)]
    seconds.append(seconds_of(tracker.close))

    assert max(seconds[:2]) < 0.5
    assert 0.5 <= seconds[2] < 2
    assert tracker.error == "no answer for 0 s"
    assert children() == before


def test_tracker_gives_its_process_time_to_start(
    make_tracker: MakeTracker, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "SERVER_GRACE_SECONDS", 0.01)  # far less than importing takes
    monkeypatch.setattr(client, "STORE_GRACE_SECONDS", 0.25)
    tracker = make_tracker(f"http://127.0.0.1:{closed_port}")
    tracker.send(make_start())

    seconds = seconds_of(tracker.wait_for_run)

    assert 0.25 <= seconds < 1
    tracker.close()


def test_tracker_reports_that_its_process_ended(
    make_tracker: MakeTracker, tracking_uri: str
) -> None:
    before = children()
    tracker = make_tracker(tracking_uri)
    tracker.send(make_start())
    (process_id,) = children() - before

    os.kill(process_id, signal.SIGKILL)
    time.sleep(0.2)
    tracker.send(make_outcome("Trainer"))
    tracker.close()

    assert tracker.error == "the tracker process ended"
    assert process_id not in children()


# credentials


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("http://alice:secret@host:5000/x", "http://***@host:5000/x"),
        ("at https://secret@a and mysql://u:p@b/db", "at https://***@a and mysql://***@b/db"),
        ("http://host:5000/x", "http://host:5000/x"),
        ("http://host/a@b", "http://host/a@b"),
        ("alice@example.com", "alice@example.com"),
        pytest.param(
            "http://alice:p@ss@host",
            "http://***@host",
        ),
    ],
)
def test_hide_credentials_hides_user_and_password(text: str, hidden: str) -> None:
    assert hide_credentials(text) == hidden
