"""The runner's side of tracking: a process that writes to MLflow, so that no run waits for it."""

import json
import os
import queue
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from components.mlflow_tracker.events import Event, RunEnd, to_line

SERVER_GRACE_SECONDS = 5.0
"""How long the end of a run waits for a tracking server that says nothing."""
STORE_GRACE_SECONDS = 120.0
"""The same for a store on disk, which is slow at worst, but there."""
TRACKING_URI = "MLFLOW_TRACKING_URI"
_SOURCE_DIR = Path(__file__).resolve().parents[2]
_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",  # a run talks to its own tracking server only
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
}
"""What the process is told of MLflow, unless the environment says otherwise."""


def is_server(tracking_uri: str) -> bool:
    """Whether a tracking URI names a server, which is asked by HTTP, and not a store."""
    return tracking_uri.startswith(("http://", "https://"))


class Tracker:
    """A tracker process.

    Attributes:
        mlflow_run_id: The run's id in MLflow, None while it is not known.
        experiment_id: Its experiment's.
        error: Why the run is not tracked, None while it is.
    """

    def __init__(self, tracking_uri: str, experiment: str, artifact_dir: Path) -> None:
        """Starts the process; its chatter goes where this process's standard error goes.

        Args:
            tracking_uri: MLflow's store or server.
            experiment: Name of the experiment.
            artifact_dir: Folder of the artifacts of an experiment in a store on disk.
        """
        self._grace_seconds = (
            SERVER_GRACE_SECONDS if is_server(tracking_uri) else STORE_GRACE_SECONDS
        )
        self.mlflow_run_id: str | None = None
        self.experiment_id: str | None = None
        self.error: str | None = None
        self._messages: queue.Queue[dict[str, Any]] = queue.Queue()
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._pending = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "components.mlflow_tracker", experiment, str(artifact_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=_SOURCE_DIR,  # first on the path of `-m`, before any package of the same name
            start_new_session=True,  # Ctrl-C in a terminal is not meant for it
            # Not among the arguments, which every user of the machine may read.
            env=_ENVIRONMENT | os.environ | {TRACKING_URI: tracking_uri},
        )
        self._threads = [
            threading.Thread(target=target, daemon=True) for target in (self._write, self._listen)
        ]
        for thread in self._threads:
            thread.start()

    def send(self, event: Event) -> None:
        """Passes an event on; never waits, and never fails."""
        self._pending += 1
        self._lines.put(to_line(event))

    def close(self, end: RunEnd) -> None:
        """Ends the run, and waits until it is written or MLflow has been silent for too long."""
        self.send(end)
        self._lines.put(None)
        deadline = time.monotonic() + self._grace_seconds
        while self._pending > 0 and self.error is None:
            try:
                message = self._messages.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                self.error = f"no answer for {self._grace_seconds:.0f} s"
                break
            self._take(message)
        if self.error is not None:
            self._process.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join()

    def _take(self, message: dict[str, Any]) -> None:
        self._pending -= "written" in message
        self.error = message.get("error", self.error)
        self.mlflow_run_id = message.get("mlflow_run_id", self.mlflow_run_id)
        self.experiment_id = message.get("experiment_id", self.experiment_id)

    def _write(self) -> None:
        """Writes the lines in a thread, since a pipe holds little of what nobody reads yet."""
        assert self._process.stdin is not None
        with suppress(OSError), self._process.stdin as pipe:  # the process says itself why it ends
            for line in iter(self._lines.get, None):
                pipe.write(line)
                pipe.flush()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as pipe:
            for line in pipe:
                self._messages.put(json.loads(line))
        self._messages.put({"error": "the tracker process ended"})
