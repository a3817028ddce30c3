"""Several processes that share the server's ports, and the one that looks after them.

This one loads no TensorFlow. A worker is `python -m serving`; it is told its task by a line on its
standard input, whose end tells it that it is alone, and says that it is ready by a line in a pipe.
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

from prometheus_client.multiprocess import mark_process_dead

from serving.errors import StartError
from serving.listeners import Listeners, reserve_port
from serving.settings import ServingSettings

MULTIPROCESS_DIR = "PROMETHEUS_MULTIPROC_DIR"
"""Names the folder through which processes tell each other's metrics."""
EXIT_CANNOT_START = 2
_POLL_SECONDS = 0.1
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
_log = logging.getLogger(__name__)

OnReady = Callable[[list[str]], None]
"""Told once all workers answer: what they serve, and where, in lines."""


@dataclass
class _Worker:
    """A place for a process, and the one that has it."""

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

    A worker that dies is replaced, at once the first time, then after ever longer pauses.

    Args:
        folders: Model name to the folder of its versions.
        settings: How to serve them, and by how many.
        listeners: The ports that they share.
        on_ready: Told once all of them answer.

    Raises:
        StartError: If one cannot start at all; it has said why.
    """
    reserve_port(listeners.rest)
    reserve_port(listeners.grpc)
    ports = {"rest_port": listeners.rest_port, "grpc_port": listeners.grpc_port}
    task = {
        "folders": {name: str(folder) for name, folder in folders.items()},
        "settings": settings.model_copy(update=ports).model_dump(mode="json"),
    }
    with tempfile.TemporaryDirectory(prefix="serving-metrics-") as metrics_dir:
        Supervisor(task, settings.workers, metrics_dir, on_ready).run()


class Supervisor:
    """Starts workers, replaces those that die, and ends with the last of them."""

    def __init__(
        self, task: Mapping[str, object], n_workers: int, metrics_dir: str, on_ready: OnReady
    ) -> None:
        """Starts nothing yet.

        Args:
            task: What each worker is told.
            n_workers: How many.
            metrics_dir: A folder for what they count.
            on_ready: Told once all of them answer.
        """
        self._task = json.dumps(task).encode() + b"\n"
        self._workers = [_Worker() for _ in range(n_workers)]
        self._metrics_dir = metrics_dir
        self._on_ready: OnReady | None = on_ready
        self._signal: int | None = None

    def run(self) -> None:
        """Looks after them until all have ended after a signal.

        Raises:
            StartError: If one cannot start at all.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        try:
            while self._signal is None or any(worker.process for worker in self._workers):
                for worker in self._workers:
                    self._look_after(worker)
                if self._on_ready and all(worker.lines for worker in self._workers):
                    self._on_ready(self._workers[0].lines or [])
                    self._on_ready = None
                time.sleep(_POLL_SECONDS)
        finally:
            self._kill()

    def _look_after(self, worker: _Worker) -> None:
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
        self._forget(worker)
        if self._signal is not None:
            return
        if code == EXIT_CANNOT_START and not was_ready:
            raise StartError("a worker cannot start, see above")
        mark_process_dead(pid, self._metrics_dir)  # type: ignore[no-untyped-call]
        if was_ready:
            worker.pause_seconds = _FIRST_PAUSE_SECONDS
        _log.error("worker %d: died (%d), replaced in %g s", pid, code, worker.pause_seconds)
        worker.start_at = time.monotonic() + worker.pause_seconds
        worker.pause_seconds = min(2 * worker.pause_seconds, _LONGEST_PAUSE_SECONDS)

    def _start(self, worker: _Worker) -> None:
        worker.ready, writer = os.pipe()
        worker.process = subprocess.Popen(
            [sys.executable, "-m", "serving", str(writer)],
            stdin=subprocess.PIPE,
            pass_fds=[writer],
            env={**os.environ, MULTIPROCESS_DIR: self._metrics_dir},
            start_new_session=True,  # a Ctrl-C at the terminal is for this process to pass on
        )
        os.close(writer)
        assert worker.process.stdin is not None
        worker.process.stdin.write(self._task)
        worker.process.stdin.flush()

    def _forget(self, worker: _Worker) -> None:
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
    """Reads what a worker says when it is ready; None as long as it has not."""
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        if not selector.select(0):
            return None
    text = os.read(descriptor, 2**16)
    return json.loads(text) if text else None
