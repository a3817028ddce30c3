"""The runner's side of tracking: a process that writes to MLflow, so that no run waits for it."""

import json
import os
import queue
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from tracking.events import Event, to_line
from tracking.uris import is_server

SERVER_GRACE_SECONDS = 4.0
"""How long the end of a run waits for a tracking server that says nothing."""
STORE_GRACE_SECONDS = 120.0
"""The same for a store on disk, which is slow at worst, but there; and for the process to start."""
TRACKING_URI = "MLFLOW_TRACKING_URI"
_SOURCE_DIR = Path(__file__).resolve().parents[1]
_ENVIRONMENT = {
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",  # a run talks to its own tracking server only
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
}
"""What the process is told of MLflow, unless the environment says otherwise."""


class Tracker:
    """A tracker process.

    Attributes:
        mlflow_run_id: The last run's id in MLflow, None while it is not known.
        experiment_id: Its experiment's.
        error: Why the run is not tracked, None while it is.
        runs: By pipeline run id, the MLflow run ids of those that have been written.
        untouched: The pipeline runs among them that were complete before.
        champion: The version of the registered model that is served, as a `Promotion` has found it.
    """

    def __init__(
        self, tracking_uri: str, artifact_dir: Path, chatter: IO[str] | None = None
    ) -> None:
        """Starts the process.

        Args:
            tracking_uri: MLflow's store or server.
            artifact_dir: Folder of the artifacts of an experiment in a store on disk.
            chatter: Where MLflow's chatter goes; None for this process's standard error.
        """
        self._silence_seconds = (
            SERVER_GRACE_SECONDS if is_server(tracking_uri) else STORE_GRACE_SECONDS
        )
        self.mlflow_run_id: str | None = None
        self.experiment_id: str | None = None
        self.error: str | None = None
        self.runs: dict[str, str] = {}
        self.untouched: list[str] = []
        self.champion: str | None = None
        self._messages: queue.Queue[dict[str, Any]] = queue.Queue()
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._pending = 0
        self._is_ready = False
        self._is_silent = False
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tracking", str(artifact_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=chatter,
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

    def wait_for_run(self) -> None:
        """Waits until the run is there, or `error` says why it will not be."""
        while self.mlflow_run_id is None and self.error is None:
            self._take_next()

    def close(self) -> None:
        """Waits until all is written, or MLflow has been silent for too long."""
        self._lines.put(None)
        while self._pending > 0 and self.error is None:
            self._take_next()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(0 if self._is_silent else self._silence_seconds)
        self._process.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join()

    def _take_next(self) -> None:
        patience = self._silence_seconds if self._is_ready else STORE_GRACE_SECONDS
        try:
            message = self._messages.get(timeout=patience)
        except queue.Empty:
            self.error = f"no answer for {patience:.0f} s"
            self._is_silent = True
            return
        self._is_ready = True
        self._pending -= "written" in message
        self.error = message.get("error", self.error)
        self.champion = message.get("champion", self.champion)
        if "mlflow_run_id" in message:
            self.mlflow_run_id = message["mlflow_run_id"]
            self.experiment_id = message["experiment_id"]
            self.runs[message["pipeline_run_id"]] = message["mlflow_run_id"]
            if message["was_complete"]:
                self.untouched.append(message["pipeline_run_id"])

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
