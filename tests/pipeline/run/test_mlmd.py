"""Executions read from MLMD, as written by TFX's publishing functions."""

import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.types import Artifact, standard_artifacts

from pipeline.run.mlmd import Execution, cancel_running, read_execution, running_nodes
from tests.helpers.mlmd_recorder import Recorder, make_model
from tracking.events import Output

State = metadata_store_pb2.Execution


def read(recorder: Recorder, execution_id: int) -> Execution:
    return read_execution(recorder.handle.store, execution_id)


# read_execution


def test_read_execution_has_the_outputs(recorder: Recorder) -> None:
    first = make_model("/first", blessed=1, version="17", share=0.5)
    second, run = make_model("/second"), standard_artifacts.ModelRun()
    run.uri = "/run"
    execution_id = recorder.run("Trainer", "run-1", model=[first, second], model_run=[run])

    execution = read(recorder, execution_id)

    assert (execution.is_failed, execution.is_cached) == (False, False)
    assert execution.computed_by is None
    assert {key: [output.uri for output in found] for key, found in execution.outputs.items()} == {
        "model": ["/first", "/second"],
        "model_run": ["/run"],
    }
    output = execution.outputs["model"][0]
    given = {key: output.properties[key] for key in ("blessed", "version", "share")}
    assert given == {"blessed": 1, "version": "17", "share": 0.5}


def test_read_execution_without_outputs(recorder: Recorder) -> None:
    assert read(recorder, recorder.run("Node", "run-1")) == Execution(False, False, {}, None)


def test_read_execution_of_a_failed_node(recorder: Recorder) -> None:
    assert read(recorder, recorder.fail("Trainer")).is_failed


def test_read_execution_names_the_computing_run(recorder: Recorder) -> None:
    model = recorder.train("run-1")
    recorder.run_from_cache("Trainer", "run-2", model=[model])

    execution = read(recorder, recorder.run_from_cache("Trainer", "run-3", model=[model]))

    assert execution.is_cached
    assert execution.computed_by == "run-1"
    assert [output.artifact_id for output in execution.outputs["model"]] == [model.id]


# resolvers


@pytest.fixture
def models(recorder: Recorder) -> tuple[Artifact, Artifact]:
    """Models of two runs."""
    return recorder.train("run-1", "/1"), recorder.train("run-2", "/2")


def test_read_execution_first_resolution_is_not_cached(
    recorder: Recorder, models: tuple[Artifact, Artifact]
) -> None:
    execution = read(recorder, recorder.resolve("Resolver", "run-2", model=[models[0]]))

    assert not execution.is_cached
    expected = Output(models[0].id, "/1", execution.outputs["model"][0].properties)
    assert execution.outputs == {"model": [expected]}


def test_read_execution_equal_resolution_is_cached(
    recorder: Recorder, models: tuple[Artifact, Artifact]
) -> None:
    recorder.resolve("Resolver", "run-2", model=[models[0]])

    execution = read(recorder, recorder.resolve("Resolver", "run-3", model=[models[0]]))

    assert execution.is_cached
    assert execution.computed_by == "run-1"  # that made the model


def test_read_execution_new_resolution_is_not_cached(
    recorder: Recorder, models: tuple[Artifact, Artifact]
) -> None:
    recorder.resolve("Resolver", "run-2", model=[models[0]])

    assert not read(recorder, recorder.resolve("Resolver", "run-3", model=[models[1]])).is_cached


def test_read_execution_compares_the_same_resolver(
    recorder: Recorder, models: tuple[Artifact, Artifact]
) -> None:
    recorder.resolve("Resolver", "run-1", model=[models[0]])
    recorder.resolve("Other", "run-1", model=[models[1]])
    recorder.resolve("Resolver", "run-2", model=[models[1]])
    last = recorder.resolve("Resolver", "run-3", model=[models[0]])
    recorder.resolve("Resolver", "run-4", model=[models[0]])

    assert not read(recorder, last).is_cached


def test_read_execution_empty_twice_is_cached(recorder: Recorder) -> None:
    recorder.resolve("Resolver", "run-1")

    execution = read(recorder, recorder.resolve("Resolver", "run-2"))

    assert (execution.is_cached, execution.computed_by) == (True, None)


# running_nodes


def test_running_nodes_finds_nodes_of_the_run(recorder: Recorder) -> None:
    recorder.run("Transform", "run-1")
    recorder.start("Trainer", "run-2")
    left = recorder.start("Trainer", "run-1")
    recorder.start("Tuner", "run-1")

    found = sorted(running_nodes(recorder.handle.store, recorder.run_context("run-1").id))

    assert [node_id for node_id, _ in found] == ["Trainer", "Tuner"]
    (execution,) = recorder.handle.store.get_executions_by_id([left])
    assert found[0][1] == execution.create_time_since_epoch


def test_running_nodes_is_empty_after_the_end(recorder: Recorder) -> None:
    recorder.run("Transform", "run-1")
    recorder.fail("Trainer", "run-1")

    assert list(running_nodes(recorder.handle.store, recorder.run_context("run-1").id)) == []


# cancel_running


def test_cancel_running_cancels_abandoned_nodes(recorder: Recorder) -> None:
    left = [recorder.start("Trainer"), recorder.start("Transform")]

    cancel_running(recorder.handle.store)

    assert [recorder.state(execution_id) for execution_id in left] == [State.CANCELED] * 2


def test_cancel_running_leaves_ended_nodes(recorder: Recorder) -> None:
    done = recorder.run("Trainer", "run-1", model=[make_model()])
    cached = recorder.run_from_cache("Trainer", "run-2", model=[recorder.train("run-2")])
    failed = recorder.fail("Trainer", "run-3")
    recorder.start("Trainer", "run-4")

    cancel_running(recorder.handle.store)

    states = [recorder.state(execution_id) for execution_id in (done, cached, failed)]
    assert states == [State.COMPLETE, State.CACHED, State.FAILED]


def test_cancel_running_keeps_contexts(recorder: Recorder) -> None:
    execution_id = recorder.start("Trainer")

    cancel_running(recorder.handle.store)

    contexts = recorder.handle.store.get_contexts_by_execution(execution_id)
    assert {context.name for context in contexts} == {"iris", "run-1", "iris.Trainer"}


def test_cancel_running_of_an_empty_store(recorder: Recorder) -> None:
    cancel_running(recorder.handle.store)

    assert recorder.handle.store.get_executions() == []
