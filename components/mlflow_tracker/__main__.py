"""The tracker process: events come in as lines, and go to MLflow; what became of them goes out.

    MLFLOW_TRACKING_URI=... python -m components.mlflow_tracker EXPERIMENT ARTIFACT_DIR

Each line out is a JSON object: `{"mlflow_run_id": ..., "experiment_id": ...}` once the run is
there, `{"written": EVENT}` for each event, or `{"error": ...}`, after which nothing more is
written. If the events end without a `RunEnd`, the runner was killed, and so is the run.
"""

import json
import os
import signal
import sys
import time
from typing import Any

from components.mlflow_tracker.client import TRACKING_URI
from components.mlflow_tracker.events import NodeOutcome, RunEnd, RunStart, read_events
from components.mlflow_tracker.projection import Projection, project


def main() -> None:
    """Writes events until they end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the runner is interrupted, and says so here
    try:
        _track(os.environ[TRACKING_URI], *sys.argv[1:3])
    except Exception as error:
        words = str(error).strip().splitlines() or [""]
        _say({"error": f"{type(error).__name__}: {words[0]}"})
        raise


def _track(tracking_uri: str, experiment: str, artifact_dir: str) -> None:
    from components.mlflow_tracker.store import RunWriter  # imports MLflow, which may fail too

    writer = RunWriter(tracking_uri, experiment, artifact_dir)
    cached: list[str] = []
    ended = False
    for event in read_events(sys.stdin):
        if isinstance(event, RunStart):
            writer.start(event)
            _say({"mlflow_run_id": writer.run_id, "experiment_id": writer.experiment_id})
        elif isinstance(event, NodeOutcome):
            projection = project(event)
            if event.computed_by is not None:
                cached.append(event.node_id)
                computed_by = writer.find_run(event.computed_by) or event.computed_by
                projection.tags[f"cached.{event.node_id}"] = computed_by
            writer.write(projection)
        else:
            writer.write(Projection(tags={"cached_nodes": ", ".join(cached) or "none"}))
            writer.end(event)
            ended = True
        _say({"written": type(event).__name__})
    if writer.run_id and not ended:
        writer.end(RunEnd("KILLED", int(time.time() * 1000)))


def _say(message: dict[str, Any]) -> None:
    try:
        print(json.dumps(message), flush=True)
    except BrokenPipeError:  # the runner was killed; its run is still to be ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
