"""Writes to MLflow what it lacks of the runs that MLMD has."""

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.errors import TrackingError
from pipeline.run.history import Journal
from pipeline.run.state_dir import check_writable, exclusive
from pipeline.settings.config import Config
from tracking.client import Tracker


@dataclass(frozen=True)
class SyncReport:
    """What a sync came to.

    Attributes:
        written: Pipeline run ids of the runs that MLflow lacked, or had in part.
        complete: Those of the runs that it had.
    """

    written: tuple[str, ...]
    complete: tuple[str, ...]


def sync(config: Config, on_wait: Callable[[str], None]) -> SyncReport:
    """Tells MLflow every run again that does not stand there as a whole.

    Args:
        config: The configuration, which names the state folder and MLflow's store.
        on_wait: Told, in a sentence, if a run goes on; the sync waits for its end.

    Returns:
        Which runs were written.

    Raises:
        TrackingError: If MLflow does not answer; what it has of a run is completed by another sync.
    """
    check_writable(config.root_dir)
    with exclusive(config.root_dir, on_wait):
        journal = Journal(config)
        journal.close_killed()
        runs = journal.runs()
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
        journal.link(tracker.runs)
    complete = tuple(tracker.untouched)
    return SyncReport(tuple(id_ for id_ in tracker.runs if id_ not in complete), complete)
