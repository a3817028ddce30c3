"""Failures of MLflow and of the tracker process."""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.helpers.tracked_run import (
    END,
    make_outcome,
    make_start,
)
from tests.helpers.tracker_processes import MakeTracker, children, wait_for
from tracking import client
from tracking.uris import hide_credentials

# failures


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts connections and never responds."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield int(listener.getsockname()[1])


class _Refusing(BaseHTTPRequestHandler):
    """A server that refuses the user."""

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
    monkeypatch.setattr(client, "SERVER_GRACE_SECONDS", 60.0)  # the test does not end by a timeout
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
    monkeypatch.setattr(client, "SERVER_GRACE_SECONDS", 0.01)  # far less than the imports take
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
