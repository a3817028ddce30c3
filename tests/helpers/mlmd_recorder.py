"""Records executions of nodes in MLMD like TFX's launcher."""

from typing import Any

from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.compiler import constants
from tfx.orchestration import metadata
from tfx.orchestration.portable import execution_publish_utils as publish
from tfx.orchestration.portable.mlmd import context_lib, execution_lib
from tfx.types import Artifact, standard_artifacts

RESOLVER = "tfx.dsl.components.common.resolver.Resolver"


def make_artifact(kind: type[Artifact], uri: str, **properties: Any) -> Artifact:
    """Makes a TFX artifact with custom properties."""
    artifact = kind()
    artifact.uri = uri
    for name, value in properties.items():
        setter = artifact.set_int_custom_property
        if isinstance(value, str):
            setter = artifact.set_string_custom_property
        elif isinstance(value, float):
            setter = artifact.set_float_custom_property
        setter(name, value)
    return artifact


def make_model(uri: str = "/model", **properties: Any) -> Artifact:
    return make_artifact(standard_artifacts.Model, uri, **properties)


class Recorder:
    """Records executions of nodes."""

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
        """Records a node that is left running."""
        return self.begin(node_id, run_id, "Node")[0]

    def run(self, node_id: str, run_id: str, **outputs: list[Artifact]) -> int:
        execution_id, contexts = self.begin(node_id, run_id, "Node")
        publish.publish_succeeded_execution(self.handle, execution_id, contexts, outputs)
        return execution_id

    def train(self, run_id: str, uri: str = "/model") -> Artifact:
        """Records a node with a model as output, and returns the model with its id in MLMD."""
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

    def outputs_before(self, node_id: str) -> dict[str, list[Artifact]]:
        """Reads the outputs of the last execution of a node, as TFX's cache does."""
        (node,) = (
            context
            for context in self.handle.store.get_contexts_by_type(constants.NODE_CONTEXT_TYPE_NAME)
            if context.name == f"iris.{node_id}"
        )
        executions = self.handle.store.get_executions_by_context(node.id)
        last = max(execution.id for execution in executions)
        found: dict[str, list[Artifact]] = execution_lib.get_output_artifacts(self.handle, last)
        return found

    def fail(self, node_id: str, run_id: str = "run-1") -> int:
        execution_id, contexts = self.begin(node_id, run_id, "Node")
        publish.publish_failed_execution(self.handle, contexts, execution_id)
        return execution_id

    def resolve(self, node_id: str, run_id: str, **outputs: list[Artifact]) -> int:
        execution_id, contexts = self.begin(node_id, run_id, RESOLVER)
        publish.publish_internal_execution(self.handle, contexts, execution_id, outputs)
        return execution_id

    def run_context(self, run_id: str) -> metadata_store_pb2.Context:
        return self.handle.store.get_context_by_type_and_name(
            constants.PIPELINE_RUN_CONTEXT_TYPE_NAME, run_id
        )

    def state(self, execution_id: int) -> int:
        (execution,) = self.handle.store.get_executions_by_id([execution_id])
        return int(execution.last_known_state)
