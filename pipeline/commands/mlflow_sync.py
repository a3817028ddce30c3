"""Writes the runs of MLMD to MLflow where it lacks them, or parts of them."""

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.errors import TrackingError
from pipeline.run.history import History
from pipeline.run.state_dir import check_writable, exclusive
from pipeline.settings.config import Config
from tracking.client import Tracker


@dataclass(frozen=True)
class SyncReport:
    """Pipeline run ids of the runs of a sync.

    Attributes:
        written: Runs that MLflow lacked, or had only in part.
        complete: Runs that MLflow had already.
    """

    written: tuple[str, ...]
    complete: tuple[str, ...]


def sync_runs(config: Config, on_wait: Callable[[str], None]) -> SyncReport:
    """Sends MLflow the events of all runs; MLflow's tracker writes what is missing.

    Args:
        config: Names the state folder and MLflow's store.
        on_wait: Called with a sentence if a run is in progress; the sync waits for its end.

    Returns:
        The runs that were written, and those that were complete.

    Raises:
        TrackingError: If MLflow does not answer; another sync completes what was written.
    """
    check_writable(config.root_dir)
    with exclusive(config.root_dir, on_wait):
        history = History(config)
        history.close_killed()
        runs = history.runs()
        if not runs:
            return SyncReport((), ())
        log_path = config.root_dir / "logs" / f"{config.name}-sync.log"
        log_path.parent.mkdir(exist_ok=True)
        with open(log_path, "a", encoding="utf-8") as log:
            tracker = Tracker(config.tracking_uri, config.mlflow_artifact_dir, log)
            for run in runs:
                for event in run.events():
                    tracker.send(event)
            tracker.close()
        if tracker.error is not None:
            raise TrackingError(f"MLflow fails: {tracker.error} (log: {log_path})")
        history.link(tracker.runs)
    complete = tuple(tracker.untouched)
    return SyncReport(tuple(id_ for id_ in tracker.runs if id_ not in complete), complete)
