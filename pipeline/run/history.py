"""The history of a pipeline's runs in MLMD, from which their MLflow runs can be written again.

TFX records what each node read and wrote. How the run was started, how long its nodes took and how
it ended are custom properties of the run's context, events as lines of JSON:

    run.start        a RunStart
    run.node.<id>    a NodeOutcome without its outputs, which TFX records
    run.end          a RunEnd
    mlflow_run_id    the run's id in MLflow, once it has one
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.compiler import constants

from pipeline.graph.metadata_store import connection_config
from pipeline.run.interrupted import keep_unfinished, read_samples
from pipeline.run.mlmd import cancel_running, read_execution, running_nodes
from pipeline.settings.config import Config
from tracking.events import (
    Event,
    NodeOutcome,
    RunEnd,
    RunStart,
    Samples,
    read_events,
    to_line,
)

MLFLOW_RUN_ID = "mlflow_run_id"
_START, _NODE, _END = "run.start", "run.node.", "run.end"
_RUN_TYPE = constants.PIPELINE_RUN_CONTEXT_TYPE_NAME


@dataclass(frozen=True)
class Run:
    """A run that has ended, read from MLMD.

    Attributes:
        start: How it began.
        outcomes: How its nodes ended, in the order in which they ended.
        end: How it ended.
        samples: System metrics taken during the run.
        mlflow_run_id: Its id in MLflow, None if it was never tracked.
    """

    start: RunStart
    outcomes: tuple[NodeOutcome, ...]
    end: RunEnd
    samples: tuple[Samples, ...]
    mlflow_run_id: str | None

    def events(self) -> Iterator[Event]:
        """Yields the events that the runner sent to the tracker, except for the node starts."""
        yield self.start
        yield from self.outcomes
        yield from self.samples
        yield self.end


class History:
    """Writes and reads the runs of a pipeline in MLMD."""

    def __init__(self, config: Config) -> None:
        """Prepares access to the store; nothing is opened yet.

        Args:
            config: The configuration.
        """
        self._connection = connection_config(config)
        self._pipeline_root = config.pipeline_root

    def start(self, start: RunStart) -> None:
        """Records the start of a run."""
        with self._store() as store:
            type_ = metadata_store_pb2.ContextType(name=_RUN_TYPE)
            context = metadata_store_pb2.Context(
                type_id=store.put_context_type(type_, can_add_fields=True, can_omit_fields=True),
                name=start.pipeline_run_id,
            )
            context.custom_properties[_START].string_value = to_line(start)
            store.put_contexts([context])

    def add(self, pipeline_run_id: str, outcome: NodeOutcome) -> None:
        """Records how a node ended."""
        line = to_line(replace(outcome, outputs={}, computed_by=None))
        self._set(pipeline_run_id, f"{_NODE}{outcome.node_id}", line)

    def end(self, pipeline_run_id: str, end: RunEnd) -> None:
        """Records the end of a run."""
        self._set(pipeline_run_id, _END, to_line(end))

    def _set(self, pipeline_run_id: str, key: str, value: str) -> None:
        with self._store() as store:
            context = store.get_context_by_type_and_name(_RUN_TYPE, pipeline_run_id)
            context.custom_properties[key].string_value = value
            store.put_contexts([context])

    def link(self, mlflow_run_ids: Mapping[str, str]) -> None:
        """Writes the MLflow run id to a run, its Trainer execution and the model it pushed.

        A cached Pusher pushed nothing: its model keeps the id of the run that did.

        Args:
            mlflow_run_ids: MLflow run ids by pipeline run id.
        """
        with self._store() as store:
            for pipeline_run_id, mlflow_run_id in mlflow_run_ids.items():
                context = store.get_context_by_type_and_name(_RUN_TYPE, pipeline_run_id)
                trained = _read_outcome(store, context, "Trainer")
                pushed = _read_outcome(store, context, "Pusher")
                trainings = store.get_executions_by_id(
                    [trained.execution_id] if trained is not None and trained.execution_id else []
                )
                models = store.get_artifacts_by_id(
                    [output.artifact_id for output in pushed.outputs["pushed_model"]]
                    if pushed is not None and pushed.state == "done"
                    else []
                )
                for item in (context, *trainings, *models):
                    item.custom_properties[MLFLOW_RUN_ID].string_value = mlflow_run_id
                store.put_contexts([context])
                store.put_executions(trainings)
                store.put_artifacts(models)

    def close_killed(self) -> None:
        """Records the end of runs whose process died before it could.

        The caller holds the state folder, so that no other run is in progress.
        """
        with self._store() as store:
            for context in store.get_contexts_by_type(_RUN_TYPE):
                if _START in context.custom_properties and _END not in context.custom_properties:
                    self._close(store, context)
            cancel_running(store)

    def _close(self, store: MetadataStore, context: metadata_store_pb2.Context) -> None:
        start = _read(context, _START)
        assert isinstance(start, RunStart)
        for node_id, begun_ms in running_nodes(store, context.id):
            kept = keep_unfinished(
                self._pipeline_root, node_id, start.pipeline_run_id, start.start_ms
            )
            outcome = NodeOutcome(node_id, "killed", None, begun_ms, unfinished_dir=kept)
            context.custom_properties[f"{_NODE}{node_id}"].string_value = to_line(outcome)
        context.custom_properties[_END].string_value = to_line(RunEnd("KILLED", None))
        store.put_contexts([context])

    def runs(self) -> list[Run]:
        """Reads all runs that have ended, in the order in which they started."""
        with self._store() as store:
            runs = [
                self._read_run(store, context)
                for context in store.get_contexts_by_type(_RUN_TYPE)
                if {_START, _END} <= context.custom_properties.keys()
            ]
        return sorted(runs, key=lambda run: run.start.start_ms)

    def _read_run(self, store: MetadataStore, context: metadata_store_pb2.Context) -> Run:
        start, end = _read(context, _START), _read(context, _END)
        assert isinstance(start, RunStart)
        assert isinstance(end, RunEnd)
        nodes = (
            key.removeprefix(_NODE) for key in context.custom_properties if key.startswith(_NODE)
        )
        outcomes = [
            outcome
            for node in nodes
            if (outcome := _read_outcome(store, context, node)) is not None
        ]
        return Run(
            start=start,
            outcomes=tuple(sorted(outcomes, key=lambda outcome: outcome.end_ms)),
            end=end,
            samples=tuple(read_samples(self._pipeline_root, start.pipeline_run_id)),
            mlflow_run_id=context.custom_properties[MLFLOW_RUN_ID].string_value or None,
        )

    @contextmanager
    def _store(self) -> Iterator[MetadataStore]:
        Path(self._connection.sqlite.filename_uri).parent.mkdir(parents=True, exist_ok=True)
        yield MetadataStore(self._connection)


def _read(context: metadata_store_pb2.Context, key: str) -> Event:
    (event,) = read_events([context.custom_properties[key].string_value])
    return event


def _read_outcome(
    store: MetadataStore, context: metadata_store_pb2.Context, node_id: str
) -> NodeOutcome | None:
    """Reads how a node ended, with its outputs from TFX's records; None if it did not run."""
    if f"{_NODE}{node_id}" not in context.custom_properties:
        return None
    outcome = _read(context, f"{_NODE}{node_id}")
    assert isinstance(outcome, NodeOutcome)
    if outcome.execution_id is None or outcome.state in ("failed", "killed"):
        return outcome
    execution = read_execution(store, outcome.execution_id)
    return replace(outcome, outputs=execution.outputs, computed_by=execution.computed_by)
