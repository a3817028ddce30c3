"""The tracker process: reads events from standard input, and writes them to MLflow.

    MLFLOW_TRACKING_URI=... python -m tracking ARTIFACT_DIR

The input is the events of one or several runs, one run after the other, or a `Promotion`, a JSON
object per line. The output is messages, a JSON object per line as well:

    {"ready": true}          MLflow is imported
    {"mlflow_run_id": ..., "experiment_id": ..., "pipeline_run_id": ..., "was_complete": ...}
                             the MLflow run was found or made
    {"champion": VERSION}    the result of a `Promotion`
    {"progress": true}       MLflow has responded
    {"written": EVENT}       an event is written
    {"error": ...}           MLflow failed; nothing more is written

If the input ends without a `RunEnd`, the runner was killed, and the run is ended as KILLED.
"""

import json
import os
import queue
import re
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tracking.client import TRACKING_URI
from tracking.events import (
    Event,
    NodeOutcome,
    Promotion,
    RunEnd,
    RunStart,
    read_events,
)
from tracking.projection.projector import Projector
from tracking.quick_imports import quick_imports
from tracking.uris import hide_credentials

if TYPE_CHECKING:
    from tracking.store.run_writer import RunWriter

_STDOUT = 1
POLL_SECONDS = 1.0
"""How often the files of a training in progress are read."""


def main() -> None:
    """Writes events until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the runner is interrupted, and sends a RunEnd
    try:
        with quick_imports():
            from tracking.store import run_writer  # imports MLflow, which may fail too

        _say({"ready": True})
        # MLflow prints URIs, which may contain credentials; the runner expects JSON only.
        with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
            uri = os.environ[TRACKING_URI]
            run_writer.open_store(uri)  # takes most of a second, while the runner imports TFX
            _track(
                partial(run_writer.RunWriter, uri, sys.argv[1]),
                partial(run_writer.reconcile_champion, uri),
            )
    except Exception as error:
        _say({"error": hide_credentials(_describe(error))})
        sys.exit(hide_credentials(traceback.format_exc()))


def _track(
    make_writer: Callable[[RunStart, Callable[[], None]], "RunWriter"],
    reconcile_champion: Callable[[Promotion, Callable[[], None]], str | None],
) -> None:
    run: _Run | None = None
    for event in _events_or_none():
        if isinstance(event, Promotion):
            _say({"champion": reconcile_champion(event, _say_progress)})
            _say({"written": type(event).__name__})
            continue
        if isinstance(event, RunStart):
            run = _Run(make_writer(event, _say_progress), event)
        if run is None:
            if event is None:  # nothing to do yet: time to import the figures, half a second
                import_module("tracking.figures.classification")
            continue
        if event is None:
            run.poll()
        else:
            run.write(event)
            _say({"written": type(event).__name__})
    if run is not None:
        run.close()


class _Run:
    """A run that is being written; a run that was complete before is not changed."""

    def __init__(self, writer: "RunWriter", start: RunStart) -> None:
        self._writer = writer
        self._projector = Projector(start, writer.experiment_id)
        self._has_ended = writer.is_complete
        _say(
            {
                "mlflow_run_id": writer.run_id,
                "experiment_id": writer.experiment_id,
                "pipeline_run_id": start.pipeline_run_id,
                "was_complete": writer.is_complete,
            }
        )
        if not self._has_ended:
            writer.reconcile_champion()  # the runner may have been killed after a push

    def write(self, event: Event) -> None:
        if self._has_ended:
            return
        self._writer.write(self._projector.project(event))
        if isinstance(event, NodeOutcome) and "pushed_model" in event.outputs:
            self._writer.reconcile_champion()
        if isinstance(event, RunEnd):
            end_ms = self._projector.last_ms if event.end_ms is None else event.end_ms
            self._writer.end(RunEnd(event.status, end_ms))
            self._has_ended = True

    def poll(self) -> None:
        if not self._has_ended:
            self._writer.write(self._projector.poll())

    def close(self) -> None:
        self.poll()
        self.write(RunEnd("KILLED", None))
        self._writer.reconcile_champion()


def _events_or_none() -> Iterator[Event | None]:
    """Yields events as they arrive, and None if there was none for `POLL_SECONDS`."""
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def read() -> None:
        for line in sys.stdin:
            lines.put(line)
        lines.put("")

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=POLL_SECONDS)
        except queue.Empty:
            yield None
            continue
        if not line:
            return
        yield from read_events([line])


def _describe(error: Exception) -> str:
    """Describes an error in one line; of errors that urllib3 wraps, only the cause."""
    words = (str(error).strip().splitlines() or [""])[0]
    failed = re.fullmatch(
        r"(.*?) failed with exception .*?(\[Errno \d+\] [\w ]+|timed out).*", words
    )
    return f"{type(error).__name__}: {' failed: '.join(failed.groups()) if failed else words}"


def _say_progress() -> None:
    _say({"progress": True})


def _say(message: dict[str, Any]) -> None:
    try:
        print(json.dumps(message), file=sys.__stdout__, flush=True)
    except BrokenPipeError:  # the runner was killed; its run must still be ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), _STDOUT)


if __name__ == "__main__":
    main()
