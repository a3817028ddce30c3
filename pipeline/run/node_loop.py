"""Runs the nodes of a compiled pipeline one after another, and notifies an observer."""

import ctypes
import time
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, Protocol

from absl import logging
from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.compiler import constants
from tfx.orchestration import metadata
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable import launcher, runtime_parameter_utils
from tfx.proto.orchestration import pipeline_pb2

from components.data_gate.report import DataRefusedError
from pipeline.errors import NodeFailedError, RunKilledError
from pipeline.run.interrupts import Interrupts
from pipeline.run.mlmd import cancel_running, read_execution
from pipeline.run.node_result import NodeResult, NodeState
from tabular.csv.checked_files import ChangedFileError
from tabular.csv.row_counts import LostRowsError, RowCounts
from tracking.events import Output
from trainer.user_functions import one_line

_MAX_CHARS = 400


class Observer(Protocol):
    """Receives what happens in a run."""

    def run_started(self, pipeline_run_id: str, node_ids: list[str]) -> None:
        """Called before the first node, with all nodes in the order in which they will run."""

    def node_started(self, node_id: str) -> None:
        """Called before a node runs."""

    def node_finished(self, result: NodeResult) -> None:
        """Called after a node has ended in any state."""


def run_nodes(
    pipeline: pipeline_pb2.Pipeline,
    pipeline_run_id: str,
    observer: Observer,
    interrupts: Interrupts,
) -> None:
    """Runs a pipeline as TFX's LocalDagRunner does, which has no hooks between nodes.

    Args:
        pipeline: The compiled pipeline; its run id is filled in.
        pipeline_run_id: The name of the run.
        observer: Notified of the start of the run and of the start and end of each node.
        interrupts: Tells whether the user has interrupted the run.

    Raises:
        NodeFailedError: If a node fails, or if numbers of rows do not add up; later nodes do not
            run.
        RunKilledError: If the run is interrupted.
    """
    runtime_parameter_utils.substitute_runtime_parameter(
        pipeline, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: pipeline_run_id}
    )
    deployment = runner_utils.extract_local_deployment_config(pipeline)
    choice = deployment.metadata_connection_config
    connection = getattr(choice, choice.WhichOneof("connection_config"))
    nodes = [node.pipeline_node for node in pipeline.nodes]
    observer.run_started(pipeline_run_id, [node.node_info.id for node in nodes])
    for node in nodes:
        node_id = node.node_info.id
        node_launcher = launcher.Launcher(
            pipeline_node=node,
            mlmd_connection=metadata.Metadata(connection),
            pipeline_info=pipeline.pipeline_info,
            pipeline_runtime_spec=pipeline.runtime_spec,
            executor_spec=runner_utils.extract_executor_spec(deployment, node_id),
            custom_driver_spec=runner_utils.extract_custom_driver_spec(deployment, node_id),
        )
        _run_node(node_id, node_launcher, connection, observer, interrupts)


def _run_node(
    node_id: str,
    node_launcher: launcher.Launcher,
    connection: metadata_store_pb2.ConnectionConfig,
    observer: Observer,
    interrupts: Interrupts,
) -> None:
    start = time.monotonic()

    def ended(state: NodeState, **values: Any) -> None:
        seconds, end_ms = time.monotonic() - start, int(time.time() * 1000)
        observer.node_finished(NodeResult(node_id, state, seconds, end_ms, **values))

    try:
        observer.node_started(node_id)
        return_free_memory()
        info = node_launcher.launch()
        with metadata.Metadata(connection) as handle:
            execution = read_execution(handle.store, info.execution_id)
        if execution.is_failed:
            raise RuntimeError("its inputs could not be resolved")
        _check_rows(execution.outputs)
    except (Exception, KeyboardInterrupt) as error:
        if interrupts.received:
            interrupts.acknowledge()
            with metadata.Metadata(connection) as handle:
                cancel_running(handle.store)
            ended("killed")
            raise RunKilledError(node_id) from None
        logging.exception("%s failed", node_id)
        ended("failed", error=describe_error(error))
        raise NodeFailedError(node_id, describe_error(error)) from error
    ended(
        "cached" if execution.is_cached else "done",
        execution_id=info.execution_id,
        outputs=execution.outputs,
        computed_by=execution.computed_by,
    )


def _check_rows(outputs: Mapping[str, Sequence[Output]]) -> None:
    """Checks the numbers of rows of examples, also of those from the cache.

    Raises:
        LostRowsError: If they do not add up.
    """
    for output in chain.from_iterable(outputs.values()):
        if "quarantined" in output.properties:
            RowCounts.from_properties(output.properties).check()


def return_free_memory() -> None:
    """Returns memory to the system that has been freed, but that glibc still holds.

    Otherwise it adds to what the next node takes: with ten million rows, a tenth of the peak.
    """
    ctypes.CDLL(None).malloc_trim(0)


def describe_error(error: BaseException) -> str:
    """Describes an error in one line of at most 400 characters.

    The messages of `DataRefusedError`, `ChangedFileError` and `LostRowsError` are written for the
    user, and returned whole.
    """
    if isinstance(error, (DataRefusedError, ChangedFileError, LostRowsError)):
        return str(error)
    return one_line(error)[:_MAX_CHARS]
