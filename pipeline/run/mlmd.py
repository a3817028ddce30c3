"""Reads executions from MLMD as plain values, and marks abandoned ones."""

from collections.abc import Iterator
from dataclasses import dataclass

from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.compiler import constants

from tracking.events import Output

_RESOLVER_TYPE = "tfx.dsl.components.common.resolver.Resolver"
_OUTPUT_EVENTS = (
    metadata_store_pb2.Event.OUTPUT,
    metadata_store_pb2.Event.INTERNAL_OUTPUT,
)


@dataclass(frozen=True)
class Execution:
    """A node's execution.

    Attributes:
        is_failed: Whether it failed.
        is_cached: Whether its outputs were taken from an earlier execution.
        outputs: Artifacts by output key.
        computed_by: If it is cached, the pipeline run that computed the outputs.
    """

    is_failed: bool
    is_cached: bool
    outputs: dict[str, list[Output]]
    computed_by: str | None


def read_execution(store: MetadataStore, execution_id: int) -> Execution:
    """Reads an execution.

    Args:
        store: MLMD.
        execution_id: Its id.

    Returns:
        The execution. A resolver counts as cached if it found the same artifacts as in its
        previous execution.
    """
    (execution,) = store.get_executions_by_id([execution_id])
    outputs = _read_outputs(store, execution_id)
    is_cached = execution.last_known_state == metadata_store_pb2.Execution.CACHED
    if execution.type == _RESOLVER_TYPE:
        previous = _previous_execution_id(store, execution_id)
        is_cached = previous is not None and outputs == _read_outputs(store, previous)
    return Execution(
        is_failed=execution.last_known_state == metadata_store_pb2.Execution.FAILED,
        is_cached=is_cached,
        outputs=outputs,
        computed_by=_computed_by(store, outputs) if is_cached else None,
    )


def running_nodes(store: MetadataStore, context_id: int) -> Iterator[tuple[str, int]]:
    """Finds the nodes of a pipeline run that are marked as running.

    Args:
        store: MLMD.
        context_id: The pipeline run's context.

    Yields:
        Node id, and when the node began in milliseconds since the epoch.
    """
    for execution in store.get_executions_by_context(context_id):
        if execution.last_known_state == metadata_store_pb2.Execution.RUNNING:
            node = _node_context(store, execution.id).name.rpartition(".")[2]
            yield node, execution.create_time_since_epoch


def cancel_running(store: MetadataStore) -> None:
    """Marks executions that a killed run left in the state running as canceled."""
    running = [
        execution
        for execution in store.get_executions()
        if execution.last_known_state == metadata_store_pb2.Execution.RUNNING
    ]
    for execution in running:
        execution.last_known_state = metadata_store_pb2.Execution.CANCELED
    if running:
        store.put_executions(running)


def _read_outputs(store: MetadataStore, execution_id: int) -> dict[str, list[Output]]:
    events = [
        event
        for event in store.get_events_by_execution_ids([execution_id])
        if event.type in _OUTPUT_EVENTS
    ]
    artifacts = {
        artifact.id: artifact
        for artifact in store.get_artifacts_by_id([event.artifact_id for event in events])
    }
    outputs: dict[str, list[Output]] = {}
    for event in events:
        artifact = artifacts[event.artifact_id]
        properties = {
            key: getattr(value, value.WhichOneof("value"))
            for key, value in artifact.custom_properties.items()
            if value.WhichOneof("value") in ("int_value", "double_value", "string_value")
        }
        output = Output(artifact.id, artifact.uri, properties)
        outputs.setdefault(event.path.steps[0].key, []).append(output)
    return outputs


def _previous_execution_id(store: MetadataStore, execution_id: int) -> int | None:
    """Finds the previous execution of the same node."""
    node = _node_context(store, execution_id)
    earlier = (execution.id for execution in store.get_executions_by_context(node.id))
    return max((id_ for id_ in earlier if id_ < execution_id), default=None)


def _node_context(store: MetadataStore, execution_id: int) -> metadata_store_pb2.Context:
    (node,) = (
        context
        for context in store.get_contexts_by_execution(execution_id)
        if context.type == constants.NODE_CONTEXT_TYPE_NAME
    )
    return node


def _computed_by(store: MetadataStore, outputs: dict[str, list[Output]]) -> str | None:
    """Names the pipeline run that made the first of the outputs."""
    artifact_ids = [output.artifact_id for listed in outputs.values() for output in listed]
    executions = [
        event.execution_id
        for event in store.get_events_by_artifact_ids(artifact_ids[:1])
        if event.type == metadata_store_pb2.Event.OUTPUT
    ]
    contexts = store.get_contexts_by_execution(min(executions)) if executions else []
    runs = (c.name for c in contexts if c.type == constants.PIPELINE_RUN_CONTEXT_TYPE_NAME)
    return next(runs, None)
