"""The tracker process with a store that works."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from tests.helpers.tracked_run import (
    END,
    END_MS,
    append_points,
    events_path,
    make_outcome,
    make_start,
)
from tests.helpers.tracker_processes import MakeTracker, children, wait_for
from tracking.client import Tracker
from tracking.events import NodeStart
from tracking.store.run_writer import RunWriter


def find_run(tracking_uri: str, pipeline_run_id: str = "run-1") -> Run | None:
    store = MlflowClient(tracking_uri)
    experiment = store.get_experiment_by_name("iris")
    if experiment is None:
        return None
    query = f"tags.`tfx.pipeline_run_id` = '{pipeline_run_id}'"
    runs = store.search_runs([experiment.experiment_id], query)
    return runs[0] if runs else None


def test_tracker_writes_runs_one_after_the_other(
    make_tracker: MakeTracker, tracking_uri: str, tmp_path: Path
) -> None:
    RunWriter(tracking_uri, str(tmp_path / "artifacts"), make_start("run-0")).end(END)
    tracker = make_tracker(tracking_uri)

    tracker.send(make_start("run-0"))
    tracker.send(END)
    tracker.send(make_start())
    tracker.send(make_outcome("Evaluator", outputs={"blessing": {"blessed": 1}}))
    tracker.send(END)
    tracker.send(make_start("run-2"))
    tracker.send(make_outcome("Evaluator", "cached", computed_by="run-1"))
    tracker.send(END)
    tracker.close()

    assert tracker.error is None
    assert list(tracker.runs) == ["run-0", "run-1", "run-2"]
    assert tracker.untouched == ["run-0"]
    for pipeline_run_id, mlflow_run_id in tracker.runs.items():
        run = find_run(tracking_uri, pipeline_run_id)
        assert run is not None
        assert run.info.run_id == mlflow_run_id
        assert (run.info.status, run.info.end_time) == ("FINISHED", END_MS)
        assert run.data.tags["tfx.tracked"] == "complete"
    assert run is not None
    assert (tracker.mlflow_run_id, tracker.experiment_id) == (
        run.info.run_id,
        run.info.experiment_id,
    )
    assert run.data.tags["cached_nodes"] == "Evaluator"
    computed = find_run(tracking_uri)
    assert computed is not None
    assert computed.data.tags["blessed"] == "true"  # from its own events only
    assert computed.data.tags["cached_nodes"] == "none"


def test_tracker_connects_before_a_run_begins(
    tracking_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")
    imports = tmp_path / "imports.txt"
    with open(imports, "w", encoding="utf-8") as chatter:
        tracker = Tracker(tracking_uri, tmp_path / "artifacts", chatter)

        def has_imported(module: str) -> bool:
            return f"{module}\n" in imports.read_text("utf-8")

        assert wait_for(lambda: has_imported("matplotlib.figure"))
        assert has_imported("mlflow.store.tracking.sqlalchemy_store")
        tracker.close()
    assert tracker.error is None


def test_tracker_shows_a_training_in_progress(
    make_tracker: MakeTracker, tracking_uri: str, tmp_path: Path
) -> None:
    tracker = make_tracker(tracking_uri)
    tracker.send(make_start())
    tracker.wait_for_run()
    assert tracker.mlflow_run_id is not None
    store, run_id = MlflowClient(tracking_uri), tracker.mlflow_run_id
    assert store.get_run(run_id).info.status == "RUNNING"
    tracker.send(NodeStart("Trainer", 0, str(tmp_path / "unfinished")))

    path = events_path(tmp_path / "unfinished" / "training")

    def latest_step() -> int:
        return max((m.step for m in store.get_metric_history(run_id, "train/loss")), default=0)

    for step in (1, 2):
        append_points(path, [("loss", 1 / step, step, 1000 * step)])
        deadline = time.monotonic() + 5
        while latest_step() < step:
            assert time.monotonic() < deadline
            time.sleep(0.1)

    path.parent.rename(tmp_path / "7")
    tracker.send(make_outcome("Trainer", folder=tmp_path / "7", outputs={"model_run": {}}))
    tracker.send(END)
    tracker.close()

    history = store.get_metric_history(run_id, "train/loss")
    assert sorted((m.step, m.value) for m in history) == [(1, 1.0), (2, 0.5)]


_TRACK_AND_DIE = """
import os, signal, sys, time
from pathlib import Path
sys.path.append("tests/helpers")
from tests.helpers.tracked_run import END_MS, append_points, events_path, make_start
from tracking.client import Tracker
from tracking.events import NodeStart
folder = Path(sys.argv[2])
tracker = Tracker(sys.argv[1], folder)
tracker.send(make_start())
tracker.send(NodeStart("Trainer", 0, str(folder / "unfinished")))
time.sleep(0.3)  # the tracker process is still importing MLflow
append_points(events_path(folder / "unfinished" / "7"), [("loss", 1.0, 1, END_MS)])
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_tracker_ends_the_run_of_a_killed_runner(tracking_uri: str, tmp_path: Path) -> None:
    runner = subprocess.run([sys.executable, "-c", _TRACK_AND_DIE, tracking_uri, str(tmp_path)])
    assert runner.returncode == -signal.SIGKILL

    def is_whole() -> bool:
        run = find_run(tracking_uri)
        return run is not None and "tfx.tracked" in run.data.tags

    assert wait_for(is_whole)
    run = find_run(tracking_uri)
    assert run is not None
    assert run.info.status == "KILLED"
    assert run.data.metrics["train/loss"] == 1.0
    assert run.info.end_time == END_MS  # the time of its last event


def test_tracker_survives_an_interrupt(make_tracker: MakeTracker, tracking_uri: str) -> None:
    before = children()
    tracker = make_tracker(tracking_uri)
    tracker.send(make_start())
    (process_id,) = children() - before
    assert os.getsid(process_id) != os.getsid(0)
    tracker.wait_for_run()

    os.kill(process_id, signal.SIGINT)
    tracker.send(END)
    tracker.close()

    assert tracker.error is None
