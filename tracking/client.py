"""Starts the tracker process and sends it events, so that no run waits for MLflow."""

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
"""How long the end of a run waits for a tracking server that does not respond."""
STORE_GRACE_SECONDS = 120.0
"""How long it waits for a store on disk, which may be slow, and for the process to start."""
TRACKING_URI = "MLFLOW_TRACKING_URI"
_SOURCE_DIR = Path(__file__).resolve().parents[1]
_ENVIRONMENT = {
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",  # a run talks to its own tracking server only
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
}
"""Settings of MLflow in the process, unless the environment has others."""


class Tracker:
    """A tracker process.

    Attributes:
        mlflow_run_id: MLflow's id of the last run; None until it is known.
        experiment_id: Id of the experiment of that run; None until it is known.
        error: Why runs are not tracked; None as long as they are.
        runs: MLflow run ids by pipeline run id, of all runs found or made.
        untouched: Pipeline run ids of the runs that were complete before.
        champion: The version of the registered model that is served; set by a `Promotion`.
    """

    def __init__(
        self, tracking_uri: str, artifact_dir: Path, chatter: IO[str] | None = None
    ) -> None:
        """Starts the process.

        Args:
            tracking_uri: URI of MLflow's store or server.
            artifact_dir: Folder for the artifacts of experiments in a store on disk.
            chatter: File for the output of MLflow; None for standard error of this process.
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
            cwd=_SOURCE_DIR,  # `-m` finds this package before others of its name
            start_new_session=True,  # else Ctrl-C in a terminal would end it
            # The URI is not an argument, since all users of the machine can read those.
            env=_ENVIRONMENT | os.environ | {TRACKING_URI: tracking_uri},
        )
        self._threads = [
            threading.Thread(target=target, daemon=True) for target in (self._write, self._listen)
        ]
        for thread in self._threads:
            thread.start()

    def send(self, event: Event) -> None:
        """Sends an event without waiting; never fails."""
        self._pending += 1
        self._lines.put(to_line(event))

    def wait_for_run(self) -> None:
        """Waits until the MLflow run is found or made, or until `error` is set."""
        while self.mlflow_run_id is None and self.error is None:
            self._take_next()

    def close(self) -> None:
        """Ends the process once all is written, or if MLflow does not respond for too long."""
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
        """Writes the lines in a thread: a full pipe blocks until the process reads from it."""
        assert self._process.stdin is not None
        with (
            suppress(OSError),
            self._process.stdin as pipe,
        ):  # the process reports itself why it ended
            for line in iter(self._lines.get, None):
                pipe.write(line)
                pipe.flush()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as pipe:
            for line in pipe:
                self._messages.put(json.loads(line))
        self._messages.put({"error": "the tracker process ended"})
