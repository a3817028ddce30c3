"""MLflow runs, written again from MLMD."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from pipeline.commands.mlflow_sync import SyncReport, sync_runs
from pipeline.errors import StateError, TrackingError
from pipeline.run.history import History
from pipeline.run.interrupted import unfinished_dir
from pipeline.settings.config import Config
from pipeline.settings.load import load_config
from tests.helpers.history_run import record_run
from tests.helpers.mlmd_recorder import Recorder
from tests.helpers.paths import SHIPPED
from tests.helpers.tracked_run import END_MS, START_MS, append_points, events_path, make_start
from tracking.events import Event, RunEnd, RunStart
from tracking.projection.projector import Projector
from tracking.store.run_writer import RunWriter

FIRST = make_start("run-1")
SECOND = make_start("run-2", start_ms=START_MS + 1000)


@pytest.fixture(autouse=True)
def store(tracking_uri: str, config: Config) -> None:
    """Makes sure that the store of the configuration is the one whose schema exists."""
    assert config.tracking_uri == tracking_uri


@pytest.fixture
def history(config: Config) -> History:
    return History(config)


def write_live(config: Config, events: Iterable[Event]) -> None:
    """Writes a run as the tracker process does during the run."""
    writer = None
    for event in events:
        if isinstance(event, RunStart):
            writer = RunWriter(config.tracking_uri, str(config.mlflow_artifact_dir), event)
            projector = Projector(event, writer.experiment_id)
        assert writer is not None
        writer.write(projector.project(event))
        if isinstance(event, RunEnd):
            writer.end(event)


def find_runs(config: Config) -> dict[str, Run]:
    """Finds the runs by their pipeline run ids."""
    client = MlflowClient(config.tracking_uri)
    experiment = client.get_experiment_by_name("iris")
    found = client.search_runs([experiment.experiment_id])
    runs = {run.data.tags["tfx.pipeline_run_id"]: run for run in found}
    assert len(runs) == len(found)  # one for each
    return runs


def content(config: Config, run: Run) -> dict[str, Any]:
    """Returns all parts of a run that a user sees."""
    client = MlflowClient(config.tracking_uri)
    folder = Path(run.info.artifact_uri.removeprefix("file://"))
    return {
        "info": (run.info.run_name, run.info.status, run.info.start_time, run.info.end_time),
        "params": run.data.params,
        "tags": run.data.tags,
        "points": {
            key: sorted(
                (m.step, m.timestamp, m.value)
                for m in client.get_metric_history(run.info.run_id, key)
            )
            for key in run.data.metrics
        },
        "artifacts": {
            str(path.relative_to(folder)): path.read_bytes()
            for path in folder.rglob("*")
            if path.suffix in (".json", ".yaml", ".txt")
        },
        "names": sorted(str(path.relative_to(folder)) for path in folder.rglob("*.*")),
        "datasets": sorted(
            (data.dataset.name, data.dataset.digest) for data in run.inputs.dataset_inputs
        ),
    }


def test_sync_makes_runs_equal_to_live_ones(
    config: Config, history: History, recorder: Recorder, tmp_path: Path
) -> None:
    told = record_run(history, recorder, FIRST, tmp_path / "1")
    told_from_cache = record_run(history, recorder, SECOND, None)
    report = sync_runs(config, print)
    rebuilt = {key: content(config, run) for key, run in find_runs(config).items()}
    for run in find_runs(config).values():
        MlflowClient(config.tracking_uri).set_tag(run.info.run_id, "tfx.pipeline_run_id", "old")

    write_live(config, told)
    write_live(config, told_from_cache)

    assert report == SyncReport(written=("run-1", "run-2"), complete=())
    client = MlflowClient(config.tracking_uri)
    query = "tags.`tfx.pipeline_run_id` != 'old'"
    live = client.search_runs(["1"], query)
    assert {run.data.tags["tfx.pipeline_run_id"]: content(config, run) for run in live} == rebuilt
    first, second = rebuilt["run-1"], rebuilt["run-2"]
    assert first["info"] == ("a run", "FINISHED", START_MS, END_MS)
    assert first["points"]["eval/accuracy"] == [(1, START_MS + 2, 0.75), (2, START_MS + 3, 0.5)]
    assert json.loads(first["artifacts"]["evaluation/summary.json"])["checks"] != []
    assert len(first["datasets"]) == 2
    assert first["tags"]["pushed_version"] == "17"
    assert second["tags"]["cached.Trainer"] == "run-1"
    assert second["points"]["eval/accuracy"] == first["points"]["eval/accuracy"]


def test_sync_completes_incomplete_runs_only(
    config: Config, history: History, recorder: Recorder, tmp_path: Path
) -> None:
    told = record_run(history, recorder, FIRST, tmp_path / "1")
    told_again = record_run(history, recorder, SECOND, None)
    write_live(config, told)
    before = find_runs(config)["run-1"].to_dictionary()
    write_live(config, told_again[:2])  # the tracker process was killed

    report = sync_runs(config, print)

    assert report == SyncReport(written=("run-2",), complete=("run-1",))
    runs = find_runs(config)
    assert runs["run-1"].to_dictionary() == before
    assert runs["run-2"].info.status == "FINISHED"
    assert runs["run-2"].data.metrics["accuracy"] == 0.5
    assert [run.mlflow_run_id for run in history.runs()] == [
        runs["run-1"].info.run_id,
        runs["run-2"].info.run_id,
    ]


def test_sync_ends_killed_run_with_its_curves(
    config: Config, history: History, recorder: Recorder
) -> None:
    history.start(FIRST)
    recorder.start("Trainer", "run-1")
    folder = unfinished_dir(config.pipeline_root, "Trainer")
    assert folder is not None
    append_points(events_path(folder / "ab12"), [("loss", 1.5, 1, START_MS + 50)])

    report = sync_runs(config, print)

    run = find_runs(config)["run-1"]
    assert report.written == ("run-1",)
    assert (run.info.status, run.info.end_time) == ("KILLED", START_MS + 50)
    assert run.data.metrics["train/loss"] == 1.5
    assert "Killed" in run.data.tags["mlflow.note.content"]


def test_sync_without_runs_writes_nothing(tmp_path: Path) -> None:
    empty = load_config(SHIPPED, [f"paths.root={tmp_path / 'empty'}"])

    assert sync_runs(empty, print) == SyncReport((), ())


def test_sync_reports_failing_mlflow_once(
    config: Config,
    history: History,
    recorder: Recorder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    record_run(history, recorder, FIRST, tmp_path / "1")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://alice:secret@127.0.0.1:1")  # a closed port

    with pytest.raises(TrackingError, match=r"MLflow fails: .*127\.0\.0\.1") as caught:
        sync_runs(config, print)

    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)
    assert caught.value.exit_code == 2
    assert history.runs()[0].mlflow_run_id is None


def test_sync_refuses_unwritable_state_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    config = load_config(SHIPPED, [f"paths.root={tmp_path / 'file'}"])

    with pytest.raises(StateError, match="cannot be written"):
        sync_runs(config, print)
