"""The history of runs, in a real MLMD store."""

import json
import os
from pathlib import Path

import pytest
from ml_metadata.proto import metadata_store_pb2

from pipeline.run.history import History, Run
from pipeline.run.interrupted import samples_path, unfinished_dir
from pipeline.settings.config import Config
from tests.helpers.history_run import finish, make_artifacts, record_run
from tests.helpers.mlmd_recorder import Recorder, make_model
from tests.helpers.tracked_run import (
    END,
    START_MS,
    append_points,
    events_path,
    make_outcome,
    make_start,
)
from tracking.events import NodeOutcome, RunEnd, RunStart, Samples, to_line

State = metadata_store_pb2.Execution


@pytest.fixture
def history(config: Config) -> History:
    return History(config)


def record(history: History, start: RunStart, *outcomes: NodeOutcome, end: RunEnd = END) -> None:
    history.start(start)
    for outcome in outcomes:
        history.add(start.pipeline_run_id, outcome)
    history.end(start.pipeline_run_id, end)


# start, add, end, runs


def test_history_returns_the_recorded_events(
    history: History, recorder: Recorder, tmp_path: Path
) -> None:
    told = record_run(history, recorder, make_start(), tmp_path / "1")

    (run,) = history.runs()

    assert list(run.events()) == told
    assert run.outcomes[-1].outputs["pushed_model"][0].properties["pushed_version"] == "17"
    assert run.mlflow_run_id is None


def test_history_names_the_run_behind_cached_nodes(
    history: History, recorder: Recorder, tmp_path: Path
) -> None:
    record_run(history, recorder, make_start("run-1"), tmp_path / "1")
    told = record_run(history, recorder, make_start("run-2", start_ms=START_MS + 1), None)

    run = history.runs()[1]

    assert list(run.events()) == told
    assert {(outcome.state, outcome.computed_by) for outcome in run.outcomes} == {
        ("cached", "run-1")
    }
    assert run.outcomes[0].outputs["examples"][0].uri == "/examples"


def test_history_has_failed_and_killed_nodes(history: History, tmp_path: Path) -> None:
    failed = make_outcome("Transform", "failed", execution_id=None, error="ValueError: größer")
    killed = make_outcome("Trainer", "killed", execution_id=None, unfinished_dir=str(tmp_path))
    record(history, make_start("run-1"), failed, end=RunEnd("FAILED", START_MS + 5))
    record(history, make_start("run-2"), killed, end=RunEnd("KILLED", START_MS + 6))

    runs = history.runs()

    assert [run.outcomes for run in runs] == [(failed,), (killed,)]
    assert [run.end for run in runs] == [
        RunEnd("FAILED", START_MS + 5),
        RunEnd("KILLED", START_MS + 6),
    ]


def test_history_sorts_runs_and_nodes_by_time(history: History) -> None:
    outcomes = [
        make_outcome(node_id, execution_id=None, end_ms=START_MS + index)
        for index, node_id in enumerate(["Z", "B", "C", "A"])
    ]
    record(history, make_start("second", start_ms=START_MS + 1))
    record(history, make_start("first", start_ms=START_MS), *outcomes)

    first, second = history.runs()

    assert (first.start.pipeline_run_id, second.start.pipeline_run_id) == ("first", "second")
    assert [outcome.node_id for outcome in first.outcomes] == ["Z", "B", "C", "A"]


def test_history_yields_samples_before_the_end(history: History, config: Config) -> None:
    samples = [Samples(START_MS + index, {"system/cpu": 1.0}) for index in range(2)]
    path = samples_path(config.pipeline_root, "run-1")
    path.parent.mkdir(parents=True)
    path.write_text("".join(map(to_line, samples)))
    record(history, make_start())

    (run,) = history.runs()

    assert list(run.events()) == [make_start(), *samples, END]


def test_history_skips_unfinished_and_foreign_runs(history: History, recorder: Recorder) -> None:
    record(history, make_start("run-1"))
    history.start(make_start("run-2"))
    recorder.run("Trainer", "a run of another program", model=[make_model()])

    assert [run.start.pipeline_run_id for run in history.runs()] == ["run-1"]


def test_history_shares_the_run_context_with_tfx(history: History, recorder: Recorder) -> None:
    history.start(make_start())
    recorder.run("Trainer", "run-1", model=[make_model()])
    history.end("run-1", END)

    executions = recorder.handle.store.get_executions_by_context(recorder.run_context("run-1").id)

    assert len(executions) == 1
    assert len(history.runs()) == 1


def test_history_reads_runs_of_version_0_1(history: History, recorder: Recorder) -> None:
    record(history, make_start())
    context = recorder.run_context("run-1")
    values = json.loads(context.custom_properties["run.start"].string_value)
    values["origin"] = values.pop("provenance")
    context.custom_properties["run.start"].string_value = json.dumps(values)
    recorder.handle.store.put_contexts([context])

    assert history.runs()[0].start == make_start()


def test_history_of_a_new_state_folder_is_empty(history: History) -> None:
    assert history.runs() == []
    history.link({})
    history.close_killed()
    assert history.runs() == []


# link


def link_of(item: State | metadata_store_pb2.Context | metadata_store_pb2.Artifact) -> str:
    return str(item.custom_properties["mlflow_run_id"].string_value)


def linked(recorder: Recorder, run: Run, node_id: str) -> str:
    """Reads the MLflow run id from the execution of a node."""
    (outcome,) = (outcome for outcome in run.outcomes if outcome.node_id == node_id)
    (execution,) = recorder.handle.store.get_executions_by_id([outcome.execution_id])
    return link_of(execution)


def test_link_marks_run_training_and_push(
    history: History, recorder: Recorder, tmp_path: Path
) -> None:
    record_run(history, recorder, make_start("run-1"), tmp_path / "1")
    record_run(history, recorder, make_start("run-2", start_ms=START_MS + 1), tmp_path / "2")

    history.link({"run-1": "ml-1", "run-2": "ml-2"})

    runs = history.runs()
    assert [run.mlflow_run_id for run in runs] == ["ml-1", "ml-2"]
    for run, mlflow_run_id in zip(runs, ["ml-1", "ml-2"], strict=True):
        assert link_of(recorder.run_context(run.start.pipeline_run_id)) == mlflow_run_id
        assert linked(recorder, run, "Trainer") == mlflow_run_id
        assert linked(recorder, run, "Evaluator") == ""
        pushed = run.outcomes[-1].outputs["pushed_model"][0]
        assert pushed.properties["mlflow_run_id"] == mlflow_run_id
        assert pushed.properties["pushed_version"] == "17"


def test_link_keeps_the_mark_of_a_cached_push(
    history: History, recorder: Recorder, tmp_path: Path
) -> None:
    record_run(history, recorder, make_start("run-1"), tmp_path / "1")
    later = make_start("run-2", start_ms=START_MS + 1)
    history.start(later)
    for node_id in ("Trainer", "Pusher"):
        cached = recorder.run_from_cache(node_id, "run-2", **recorder.outputs_before(node_id))
        history.add("run-2", finish(recorder, node_id, cached, START_MS))
    history.end("run-2", END)

    history.link({"run-1": "ml-1"})
    history.link({"run-2": "ml-2"})

    first, second = history.runs()
    assert linked(recorder, first, "Trainer") == "ml-1"
    assert linked(recorder, second, "Trainer") == "ml-2"  # its own execution
    pusher = next(outcome for outcome in second.outcomes if outcome.node_id == "Pusher")
    assert pusher.outputs["pushed_model"][0].properties["mlflow_run_id"] == "ml-1"


def test_link_of_a_run_without_training_and_push(history: History, recorder: Recorder) -> None:
    failed = make_outcome("Trainer", "failed", execution_id=None, error="ValueError: x")
    record(history, make_start(), failed, end=RunEnd("FAILED", START_MS))

    history.link({"run-1": "ml-1"})

    assert link_of(recorder.run_context("run-1")) == "ml-1"
    assert history.runs()[0].outcomes == (failed,)


# close_killed


def test_close_killed_ends_a_killed_run(
    history: History, recorder: Recorder, config: Config, tmp_path: Path
) -> None:
    history.start(make_start())
    nodes = dict(make_artifacts(tmp_path / "1"))
    statistics = recorder.run("StatisticsGen", "run-1", **nodes["StatisticsGen"])
    done = finish(recorder, "StatisticsGen", statistics, START_MS + 1)
    history.add("run-1", done)
    left = recorder.start("Trainer", "run-1")
    folder = unfinished_dir(config.pipeline_root, "Trainer")
    assert folder is not None
    append_points(events_path(folder / "ab12" / "eval"), [("loss", 1.5, 1, START_MS)])

    history.close_killed()

    (run,) = history.runs()
    assert run.end == RunEnd("KILLED", None)
    first, killed = run.outcomes
    assert first == done
    assert (killed.node_id, killed.state, killed.seconds) == ("Trainer", "killed", None)
    assert killed.execution_id is None  # as the tracker of a killed run has it
    assert killed.unfinished_dir is not None
    kept = events_path(Path(killed.unfinished_dir) / "eval")
    assert kept.read_bytes() == events_path(folder / "ab12" / "eval").read_bytes()
    assert recorder.state(left) == State.CANCELED


def test_close_killed_keeps_no_earlier_curves(
    history: History, recorder: Recorder, config: Config
) -> None:
    folder = unfinished_dir(config.pipeline_root, "Trainer")
    assert folder is not None
    append_points(events_path(folder / "ab12"), [("loss", 1.5, 1, START_MS)])
    os.utime(events_path(folder / "ab12"), (START_MS / 1000 - 1,) * 2)
    history.start(make_start())
    recorder.start("Trainer", "run-1")

    history.close_killed()

    assert history.runs()[0].outcomes[0].unfinished_dir is None


def test_close_killed_leaves_ended_runs(
    history: History, recorder: Recorder, tmp_path: Path
) -> None:
    record_run(history, recorder, make_start("run-1"), tmp_path / "1")
    before = history.runs()
    history.start(make_start("run-2", start_ms=START_MS + 1))

    history.close_killed()
    once = history.runs()
    history.close_killed()

    assert once[:1] == before
    assert once[1].outcomes == ()
    assert history.runs() == once


def test_close_killed_cancels_foreign_executions(history: History, recorder: Recorder) -> None:
    left = recorder.start("Trainer", "a run of another program")

    history.close_killed()

    assert recorder.state(left) == State.CANCELED
    assert history.runs() == []
