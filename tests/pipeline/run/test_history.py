"""What MLMD keeps of a run, on a real store."""

import os
from pathlib import Path

import pytest
from ml_metadata.proto import metadata_store_pb2

from pipeline.run.history import Journal, Run
from pipeline.run.interrupted import samples_path, unfinished_dir
from pipeline.settings.config import Config
from tests.helpers.journaled_run import finish, journal_run, make_artifacts
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
def journal(config: Config) -> Journal:
    return Journal(config)


def record(journal: Journal, start: RunStart, *outcomes: NodeOutcome, end: RunEnd = END) -> None:
    journal.start(start)
    for outcome in outcomes:
        journal.add(start.pipeline_run_id, outcome)
    journal.end(start.pipeline_run_id, end)


# start, add, end, runs


def test_journal_tells_a_run_as_the_runner_told_it(
    journal: Journal, recorder: Recorder, tmp_path: Path
) -> None:
    told = journal_run(journal, recorder, make_start(), tmp_path / "1")

    (run,) = journal.runs()

    assert list(run.events()) == told
    assert run.outcomes[-1].outputs["pushed_model"][0].properties["pushed_version"] == "17"
    assert run.mlflow_run_id is None


def test_journal_tells_which_run_computed_what_came_from_the_cache(
    journal: Journal, recorder: Recorder, tmp_path: Path
) -> None:
    journal_run(journal, recorder, make_start("run-1"), tmp_path / "1")
    told = journal_run(journal, recorder, make_start("run-2", start_ms=START_MS + 1), None)

    run = journal.runs()[1]

    assert list(run.events()) == told
    assert {(outcome.state, outcome.computed_by) for outcome in run.outcomes} == {
        ("cached", "run-1")
    }
    assert run.outcomes[0].outputs["examples"][0].uri == "/examples"


def test_journal_tells_of_nodes_that_did_not_end_well(journal: Journal, tmp_path: Path) -> None:
    failed = make_outcome("Transform", "failed", execution_id=None, error="ValueError: größer")
    killed = make_outcome("Trainer", "killed", execution_id=None, unfinished_dir=str(tmp_path))
    record(journal, make_start("run-1"), failed, end=RunEnd("FAILED", START_MS + 5))
    record(journal, make_start("run-2"), killed, end=RunEnd("KILLED", START_MS + 6))

    runs = journal.runs()

    assert [run.outcomes for run in runs] == [(failed,), (killed,)]
    assert [run.end for run in runs] == [
        RunEnd("FAILED", START_MS + 5),
        RunEnd("KILLED", START_MS + 6),
    ]


def test_journal_gives_runs_and_nodes_in_their_order(journal: Journal) -> None:
    outcomes = [
        make_outcome(node_id, execution_id=None, end_ms=START_MS + index)
        for index, node_id in enumerate(["Z", "B", "C", "A"])
    ]
    record(journal, make_start("second", start_ms=START_MS + 1))
    record(journal, make_start("first", start_ms=START_MS), *outcomes)

    first, second = journal.runs()

    assert (first.start.pipeline_run_id, second.start.pipeline_run_id) == ("first", "second")
    assert [outcome.node_id for outcome in first.outcomes] == ["Z", "B", "C", "A"]


def test_journal_tells_the_samples_before_the_end(journal: Journal, config: Config) -> None:
    samples = [Samples(START_MS + index, {"system/cpu": 1.0}) for index in range(2)]
    path = samples_path(config.pipeline_root, "run-1")
    path.parent.mkdir(parents=True)
    path.write_text("".join(map(to_line, samples)))
    record(journal, make_start())

    (run,) = journal.runs()

    assert list(run.events()) == [make_start(), *samples, END]


def test_journal_leaves_out_runs_that_go_on_and_those_of_others(
    journal: Journal, recorder: Recorder
) -> None:
    record(journal, make_start("run-1"))
    journal.start(make_start("run-2"))
    recorder.run("Trainer", "a run of another program", model=[make_model()])

    assert [run.start.pipeline_run_id for run in journal.runs()] == ["run-1"]


def test_journal_and_tfx_share_the_context_of_a_run(journal: Journal, recorder: Recorder) -> None:
    journal.start(make_start())
    recorder.run("Trainer", "run-1", model=[make_model()])
    journal.end("run-1", END)

    executions = recorder.handle.store.get_executions_by_context(recorder.run_context("run-1").id)

    assert len(executions) == 1
    assert len(journal.runs()) == 1


def test_journal_of_a_new_state_folder_has_no_runs(journal: Journal) -> None:
    assert journal.runs() == []
    journal.link({})
    journal.close_killed()
    assert journal.runs() == []


# link


def link_of(item: State | metadata_store_pb2.Context | metadata_store_pb2.Artifact) -> str:
    return str(item.custom_properties["mlflow_run_id"].string_value)


def linked(recorder: Recorder, run: Run, node_id: str) -> str:
    """Gives the MLflow run id on the execution of a node."""
    (outcome,) = (outcome for outcome in run.outcomes if outcome.node_id == node_id)
    (execution,) = recorder.handle.store.get_executions_by_id([outcome.execution_id])
    return link_of(execution)


def test_link_marks_the_run_its_training_and_its_push(
    journal: Journal, recorder: Recorder, tmp_path: Path
) -> None:
    journal_run(journal, recorder, make_start("run-1"), tmp_path / "1")
    journal_run(journal, recorder, make_start("run-2", start_ms=START_MS + 1), tmp_path / "2")

    journal.link({"run-1": "ml-1", "run-2": "ml-2"})

    runs = journal.runs()
    assert [run.mlflow_run_id for run in runs] == ["ml-1", "ml-2"]
    for run, mlflow_run_id in zip(runs, ["ml-1", "ml-2"], strict=True):
        assert link_of(recorder.run_context(run.start.pipeline_run_id)) == mlflow_run_id
        assert linked(recorder, run, "Trainer") == mlflow_run_id
        assert linked(recorder, run, "Evaluator") == ""
        pushed = run.outcomes[-1].outputs["pushed_model"][0]
        assert pushed.properties["mlflow_run_id"] == mlflow_run_id
        assert pushed.properties["pushed_version"] == "17"


def test_link_leaves_a_model_that_came_from_the_cache_to_the_run_that_pushed_it(
    journal: Journal, recorder: Recorder, tmp_path: Path
) -> None:
    journal_run(journal, recorder, make_start("run-1"), tmp_path / "1")
    later = make_start("run-2", start_ms=START_MS + 1)
    journal.start(later)
    for node_id in ("Trainer", "Pusher"):
        cached = recorder.run_from_cache(node_id, "run-2", **recorder.outputs_before(node_id))
        journal.add("run-2", finish(recorder, node_id, cached, START_MS))
    journal.end("run-2", END)

    journal.link({"run-1": "ml-1"})
    journal.link({"run-2": "ml-2"})

    first, second = journal.runs()
    assert linked(recorder, first, "Trainer") == "ml-1"
    assert linked(recorder, second, "Trainer") == "ml-2"  # its own execution
    pusher = next(outcome for outcome in second.outcomes if outcome.node_id == "Pusher")
    assert pusher.outputs["pushed_model"][0].properties["mlflow_run_id"] == "ml-1"


def test_link_takes_a_run_that_neither_trained_nor_pushed(
    journal: Journal, recorder: Recorder
) -> None:
    failed = make_outcome("Trainer", "failed", execution_id=None, error="ValueError: x")
    record(journal, make_start(), failed, end=RunEnd("FAILED", START_MS))

    journal.link({"run-1": "ml-1"})

    assert link_of(recorder.run_context("run-1")) == "ml-1"
    assert journal.runs()[0].outcomes == (failed,)


# close_killed


def test_close_killed_ends_a_run_that_never_did(
    journal: Journal, recorder: Recorder, config: Config, tmp_path: Path
) -> None:
    journal.start(make_start())
    nodes = dict(make_artifacts(tmp_path / "1"))
    statistics = recorder.run("StatisticsGen", "run-1", **nodes["StatisticsGen"])
    done = finish(recorder, "StatisticsGen", statistics, START_MS + 1)
    journal.add("run-1", done)
    left = recorder.start("Trainer", "run-1")
    folder = unfinished_dir(config.pipeline_root, "Trainer")
    assert folder is not None
    append_points(events_path(folder / "ab12" / "eval"), [("loss", 1.5, 1, START_MS)])

    journal.close_killed()

    (run,) = journal.runs()
    assert run.end == RunEnd("KILLED", None)
    first, killed = run.outcomes
    assert first == done
    assert (killed.node_id, killed.state, killed.seconds) == ("Trainer", "killed", None)
    assert killed.execution_id is None  # as the tracker of a killed run has it
    assert killed.unfinished_dir is not None
    kept = events_path(Path(killed.unfinished_dir) / "eval")
    assert kept.read_bytes() == events_path(folder / "ab12" / "eval").read_bytes()
    assert recorder.state(left) == State.CANCELED


def test_close_killed_keeps_no_curves_of_trainings_before_the_run(
    journal: Journal, recorder: Recorder, config: Config
) -> None:
    folder = unfinished_dir(config.pipeline_root, "Trainer")
    assert folder is not None
    append_points(events_path(folder / "ab12"), [("loss", 1.5, 1, START_MS)])
    os.utime(events_path(folder / "ab12"), (START_MS / 1000 - 1,) * 2)
    journal.start(make_start())
    recorder.start("Trainer", "run-1")

    journal.close_killed()

    assert journal.runs()[0].outcomes[0].unfinished_dir is None


def test_close_killed_leaves_runs_that_have_ended(
    journal: Journal, recorder: Recorder, tmp_path: Path
) -> None:
    journal_run(journal, recorder, make_start("run-1"), tmp_path / "1")
    before = journal.runs()
    journal.start(make_start("run-2", start_ms=START_MS + 1))

    journal.close_killed()
    once = journal.runs()
    journal.close_killed()

    assert once[:1] == before
    assert once[1].outcomes == ()
    assert journal.runs() == once


def test_close_killed_cancels_the_executions_that_no_run_of_the_journal_has(
    journal: Journal, recorder: Recorder
) -> None:
    left = recorder.start("Trainer", "a run of another program")

    journal.close_killed()

    assert recorder.state(left) == State.CANCELED
    assert journal.runs() == []
