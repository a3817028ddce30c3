"""What MLMD says of executions, as TFX's own publishing writes them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.compiler import constants
from tfx.orchestration import metadata
from tfx.orchestration.portable import execution_publish_utils as publish
from tfx.orchestration.portable.mlmd import context_lib
from tfx.types import Artifact, standard_artifacts

from components.mlflow_tracker.events import Output
from pipeline.mlmd import Execution, cancel_running, read_execution

RESOLVER = "tfx.dsl.components.common.resolver.Resolver"
State = metadata_store_pb2.Execution


class Recorder:
    """Records what nodes did, as TFX's launcher does."""

    def __init__(self, handle: metadata.Metadata) -> None:
        self.handle = handle

    def begin(self, node_id: str, run_id: str, type_name: str) -> tuple[int, list[Any]]:
        contexts = [
            context_lib.register_context_if_not_exists(self.handle, kind, name)
            for kind, name in (
                (constants.PIPELINE_CONTEXT_TYPE_NAME, "iris"),
                (constants.PIPELINE_RUN_CONTEXT_TYPE_NAME, run_id),
                (constants.NODE_CONTEXT_TYPE_NAME, f"iris.{node_id}"),
            )
        ]
        execution = publish.register_execution(
            self.handle, metadata_store_pb2.ExecutionType(name=type_name), contexts
        )
        return execution.id, contexts

    def start(self, node_id: str, run_id: str = "run-1") -> int:
        """Leaves a node running."""
        return self.begin(node_id, run_id, "Node")[0]

    def run(self, node_id: str, run_id: str, **outputs: list[Artifact]) -> int:
        execution_id, contexts = self.begin(node_id, run_id, "Node")
        publish.publish_succeeded_execution(self.handle, execution_id, contexts, outputs)
        return execution_id

    def train(self, run_id: str, uri: str = "/model") -> Artifact:
        """Runs a node that makes a model, and gives the model as MLMD knows it."""
        execution_id, contexts = self.begin("Trainer", run_id, "Node")
        outputs, _ = publish.publish_succeeded_execution(
            self.handle, execution_id, contexts, {"model": [make_model(uri)]}
        )
        return outputs["model"][0]

    def run_from_cache(self, node_id: str, run_id: str, **outputs: list[Artifact]) -> int:
        execution_id, contexts = self.begin(node_id, run_id, "Node")
        executions = self.handle.store.get_executions_by_id([execution_id])
        publish.publish_cached_executions(self.handle, contexts, executions, [outputs])
        return execution_id

    def fail(self, node_id: str, run_id: str = "run-1") -> int:
        execution_id, contexts = self.begin(node_id, run_id, "Node")
        publish.publish_failed_execution(self.handle, contexts, execution_id)
        return execution_id

    def resolve(self, node_id: str, run_id: str, **outputs: list[Artifact]) -> int:
        execution_id, contexts = self.begin(node_id, run_id, RESOLVER)
        publish.publish_internal_execution(self.handle, contexts, execution_id, outputs)
        return execution_id

    def read(self, execution_id: int) -> Execution:
        return read_execution(self.handle.store, execution_id)

    def state(self, execution_id: int) -> int:
        (execution,) = self.handle.store.get_executions_by_id([execution_id])
        return int(execution.last_known_state)


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    connection = metadata.sqlite_metadata_connection_config(str(tmp_path / "metadata.sqlite"))
    with metadata.Metadata(connection) as handle:
        yield Recorder(handle)


def make_model(uri: str = "/model", **properties: Any) -> Artifact:
    model = standard_artifacts.Model()
    model.uri = uri
    for name, value in properties.items():
        setter = model.set_int_custom_property
        if isinstance(value, str):
            setter = model.set_string_custom_property
        elif isinstance(value, float):
            setter = model.set_float_custom_property
        setter(name, value)
    return model


# read_execution


def test_read_execution_gives_the_outputs_of_a_node(recorder: Recorder) -> None:
    first = make_model("/first", blessed=1, version="17", share=0.5)
    second, run = make_model("/second"), standard_artifacts.ModelRun()
    run.uri = "/run"
    execution_id = recorder.run("Trainer", "run-1", model=[first, second], model_run=[run])

    execution = recorder.read(execution_id)

    assert (execution.is_failed, execution.is_cached) == (False, False)
    assert execution.computed_by is None
    assert {key: [output.uri for output in found] for key, found in execution.outputs.items()} == {
        "model": ["/first", "/second"],
        "model_run": ["/run"],
    }
    output = execution.outputs["model"][0]
    given = {key: output.properties[key] for key in ("blessed", "version", "share")}
    assert given == {"blessed": 1, "version": "17", "share": 0.5}


def test_read_execution_gives_nothing_of_a_node_without_outputs(recorder: Recorder) -> None:
    assert recorder.read(recorder.run("Node", "run-1")) == Execution(False, False, {}, None)


def test_read_execution_knows_a_failed_node(recorder: Recorder) -> None:
    assert recorder.read(recorder.fail("Trainer")).is_failed


def test_read_execution_names_the_run_that_computed_cached_outputs(recorder: Recorder) -> None:
    model = recorder.train("run-1")
    recorder.run_from_cache("Trainer", "run-2", model=[model])

    execution = recorder.read(recorder.run_from_cache("Trainer", "run-3", model=[model]))

    assert execution.is_cached
    assert execution.computed_by == "run-1"
    assert [output.artifact_id for output in execution.outputs["model"]] == [model.id]


# resolvers


@pytest.fixture
def models(recorder: Recorder) -> tuple[Artifact, Artifact]:
    """Models of two runs."""
    return recorder.train("run-1", "/1"), recorder.train("run-2", "/2")


def test_read_execution_takes_a_first_resolution_for_new(
    recorder: Recorder, models: tuple[Artifact, Artifact]
) -> None:
    execution = recorder.read(recorder.resolve("Resolver", "run-2", model=[models[0]]))

    assert not execution.is_cached
    expected = Output(models[0].id, "/1", execution.outputs["model"][0].properties)
    assert execution.outputs == {"model": [expected]}


def test_read_execution_takes_an_equal_resolution_for_cached(
    recorder: Recorder, models: tuple[Artifact, Artifact]
) -> None:
    recorder.resolve("Resolver", "run-2", model=[models[0]])

    execution = recorder.read(recorder.resolve("Resolver", "run-3", model=[models[0]]))

    assert execution.is_cached
    assert execution.computed_by == "run-1"  # that made the model


def test_read_execution_takes_another_resolution_for_new(
    recorder: Recorder, models: tuple[Artifact, Artifact]
) -> None:
    recorder.resolve("Resolver", "run-2", model=[models[0]])

    assert not recorder.read(recorder.resolve("Resolver", "run-3", model=[models[1]])).is_cached


def test_read_execution_compares_a_resolution_with_the_one_before_of_the_same_node(
    recorder: Recorder, models: tuple[Artifact, Artifact]
) -> None:
    recorder.resolve("Resolver", "run-1", model=[models[0]])
    recorder.resolve("Other", "run-1", model=[models[1]])
    recorder.resolve("Resolver", "run-2", model=[models[1]])
    last = recorder.resolve("Resolver", "run-3", model=[models[0]])
    recorder.resolve("Resolver", "run-4", model=[models[0]])

    assert not recorder.read(last).is_cached


def test_read_execution_takes_resolving_nothing_again_for_cached(recorder: Recorder) -> None:
    recorder.resolve("Resolver", "run-1")

    execution = recorder.read(recorder.resolve("Resolver", "run-2"))

    assert (execution.is_cached, execution.computed_by) == (True, None)


# cancel_running


def test_cancel_running_cancels_what_a_killed_run_left(recorder: Recorder) -> None:
    left = [recorder.start("Trainer"), recorder.start("Transform")]

    cancel_running(recorder.handle.store)

    assert [recorder.state(execution_id) for execution_id in left] == [State.CANCELED] * 2


def test_cancel_running_leaves_what_has_ended(recorder: Recorder) -> None:
    done = recorder.run("Trainer", "run-1", model=[make_model()])
    cached = recorder.run_from_cache("Trainer", "run-2", model=[recorder.train("run-2")])
    failed = recorder.fail("Trainer", "run-3")
    recorder.start("Trainer", "run-4")

    cancel_running(recorder.handle.store)

    states = [recorder.state(execution_id) for execution_id in (done, cached, failed)]
    assert states == [State.COMPLETE, State.CACHED, State.FAILED]


def test_cancel_running_keeps_the_contexts_of_an_execution(recorder: Recorder) -> None:
    execution_id = recorder.start("Trainer")

    cancel_running(recorder.handle.store)

    contexts = recorder.handle.store.get_contexts_by_execution(execution_id)
    assert {context.name for context in contexts} == {"iris", "run-1", "iris.Trainer"}


def test_cancel_running_takes_an_empty_store(recorder: Recorder) -> None:
    cancel_running(recorder.handle.store)

    assert recorder.handle.store.get_executions() == []
