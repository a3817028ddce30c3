"""The worker processes of a server, which share its ports, and their supervisor.

The supervisor loads no TensorFlow, and outlives what ends a worker. It starts each worker as
`python -m serving`, writes models and settings as one line to its standard input, and reads from a
pipe when the worker is ready. A worker whose standard input ends knows that the supervisor is gone,
and stops.
"""

import json
import logging
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from serving.errors import StartError
from serving.listeners import Listeners, reserve_port
from serving.settings import ServingSettings
from serving.suspects import SuspectList, take_notes
from serving.telemetry import MULTIPROCESS_DIR

EXIT_CANNOT_START = 2
"""Exit code of a worker that need not be started again."""
_POLL_SECONDS = 0.1
_FIRST_PAUSE_SECONDS = 0.1
_MAX_PAUSE_SECONDS = 30.0
_log = logging.getLogger(__name__)

OnReady = Callable[[list[str]], None]
"""Called once all workers are ready, with the lines of `Server.describe`."""


@dataclass
class _Worker:
    """The state of one worker, whose process is replaced when it dies.

    Attributes:
        process: The running process; None while none runs.
        is_told_to_stop: Whether the signal has been passed on.
        ready: Descriptor from which `lines` are read.
        lines: The lines of `Server.describe`; None until the worker is ready.
        pause_seconds: Pause before the next start.
        start_at: Earliest start, as `time.monotonic()`.
    """

    process: subprocess.Popen[bytes] | None = None
    is_told_to_stop: bool = False
    ready: int = -1
    lines: list[str] | None = None
    pause_seconds: float = _FIRST_PAUSE_SECONDS
    start_at: float = 0.0


def run_workers(
    folders: Mapping[str, Path],
    settings: ServingSettings,
    listeners: Listeners,
    on_ready: OnReady,
) -> None:
    """Serves until SIGTERM or SIGINT, then waits for all workers; a second signal kills them.

    A worker that dies is replaced after a pause, which doubles while it keeps failing to start.

    Args:
        folders: Model name to the folder of its versions.
        settings: The section `serving`, with the number of workers.
        listeners: The ports that the workers share.
        on_ready: Called once all workers are ready.

    Raises:
        StartError: If a worker cannot start; it has printed the reason.
    """
    reserve_port(listeners.rest)
    reserve_port(listeners.grpc)
    ports = {"rest_port": listeners.rest_port, "grpc_port": listeners.grpc_port}
    with tempfile.TemporaryDirectory(prefix="serving-") as shared_dir:
        task = {
            "folders": {name: str(folder) for name, folder in folders.items()},
            "settings": settings.model_copy(update=ports).model_dump(mode="json"),
            "shared_dir": shared_dir,
        }
        os.environ[MULTIPROCESS_DIR] = shared_dir
        Supervisor(task, settings.workers, Path(shared_dir), on_ready).run()


class Supervisor:
    """Starts workers, replaces those that die, and passes signals on."""

    def __init__(
        self, task: Mapping[str, object], n_workers: int, shared_dir: Path, on_ready: OnReady
    ) -> None:
        """Prepares the workers; `run` starts them.

        Args:
            task: Models and settings, sent to each worker as JSON.
            n_workers: Number of workers.
            shared_dir: Folder for the files through which they share metrics and suspects.
            on_ready: Called once all workers are ready.
        """
        self._task = json.dumps(task).encode() + b"\n"
        self._workers = [_Worker() for _ in range(n_workers)]
        self._shared_dir = shared_dir
        self._suspects = SuspectList(shared_dir)
        from serving.telemetry import multiprocess  # reads the environment

        self._metrics = multiprocess.SupervisorMetrics(shared_dir)
        self._on_ready: OnReady | None = on_ready
        self._signal: int | None = None

    def run(self) -> None:
        """Runs the workers until a signal has come and all of them have ended.

        Raises:
            StartError: If a worker cannot start.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        try:
            while self._signal is None or any(worker.process for worker in self._workers):
                for worker in self._workers:
                    self._check(worker)
                if self._on_ready and all(worker.lines for worker in self._workers):
                    self._on_ready(self._workers[0].lines or [])
                    self._on_ready = None
                time.sleep(_POLL_SECONDS)
        finally:
            self._kill()

    def _check(self, worker: _Worker) -> None:
        if worker.process is None:
            if self._signal is None and time.monotonic() >= worker.start_at:
                self._start(worker)
            return
        if self._signal is not None and not worker.is_told_to_stop:
            worker.process.send_signal(self._signal)
            worker.is_told_to_stop = True
        if worker.lines is None:
            worker.lines = _read_lines(worker.ready)
        code = worker.process.poll()
        if code is None:
            return
        pid, was_ready = worker.process.pid, worker.lines is not None
        self._reset(worker)
        if self._signal is not None:
            return
        if code == EXIT_CANNOT_START and not was_ready:
            raise StartError("a worker cannot start, see above")
        if was_ready:
            worker.pause_seconds = _FIRST_PAUSE_SECONDS
        self._report(pid, code, worker.pause_seconds)
        worker.start_at = time.monotonic() + worker.pause_seconds
        worker.pause_seconds = min(2 * worker.pause_seconds, _MAX_PAUSE_SECONDS)

    def _report(self, pid: int, code: int, pause_seconds: float) -> None:
        """Logs and counts the death of a worker, and suspects what it was answering."""
        digests = take_notes(self._shared_dir, pid)
        self._suspects.record(digests)
        reason = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        self._metrics.count_death(pid, reason)
        _log.error(
            "worker %d died (%s) with %d requests to answer; replaced in %g s",
            pid,
            reason,
            len(digests),
            pause_seconds,
        )

    def _start(self, worker: _Worker) -> None:
        worker.ready, writer = os.pipe()
        worker.process = subprocess.Popen(
            [sys.executable, "-m", "serving", str(writer)],
            stdin=subprocess.PIPE,
            pass_fds=[writer],
            start_new_session=True,  # Ctrl-C goes to the supervisor alone, which passes it on
        )
        os.close(writer)
        assert worker.process.stdin is not None
        worker.process.stdin.write(self._task)
        worker.process.stdin.flush()

    def _reset(self, worker: _Worker) -> None:
        assert worker.process is not None
        assert worker.process.stdin is not None
        worker.process.stdin.close()
        os.close(worker.ready)
        worker.process = worker.lines = None

    def _stop(self, number: int, _: FrameType | None) -> None:
        if self._signal is not None:
            self._kill()
            os._exit(128 + number)
        self._signal = number

    def _kill(self) -> None:
        for worker in self._workers:
            if worker.process is not None:
                worker.process.kill()


def _read_lines(descriptor: int) -> list[str] | None:
    """Reads the lines that a worker writes when it is ready; None if it is not ready yet."""
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        if not selector.select(0):
            return None
    text = os.read(descriptor, 2**16)
    return json.loads(text) if text else None
