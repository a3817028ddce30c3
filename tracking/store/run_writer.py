"""Writes a run to MLflow; the run is found by its tag, or made.

Writing the same values again changes nothing: MLflow stores equal points of a metric once, and
everything else has a key.
"""

import fcntl
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import mlflow
from mlflow.entities import Dataset, DatasetInput, InputTag
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import (
    MLFLOW_DATASET_CONTEXT,
    MLFLOW_EXPERIMENT_PRIMARY_METRIC_GREATER_IS_BETTER,
    MLFLOW_EXPERIMENT_PRIMARY_METRIC_NAME,
)

from tracking.events import Promotion, RunEnd, RunStart
from tracking.projection import datasets
from tracking.projection.names import MAX_NAME_CHARS, RUN_ID_TAG
from tracking.projection.projection import Projection, TrainedModel
from tracking.store.batches import find_run, log_batches
from tracking.store.conflicts import settle
from tracking.store.pyfunc_model import input_example, read_columns
from tracking.store.registry import Registry
from tracking.store.saved_view import VIEW_TAG, saved_view
from tracking.store.trial_runs import TrialWriter
from tracking.uris import is_server

COMPLETE_TAG = "tfx.tracked"
"""Tag of runs that are written completely; set last."""


class RunWriter:
    """Writes the MLflow run of one pipeline run.

    Attributes:
        run_id: Id of the MLflow run.
        experiment_id: Id of its experiment.
        is_complete: Whether the run was complete before, or was deleted by the user.
    """

    def __init__(
        self,
        tracking_uri: str,
        artifact_dir: str,
        start: RunStart,
        on_progress: Callable[[], None] = lambda: None,
    ) -> None:
        """Connects to the store, and finds or makes the experiment and the run.

        Args:
            tracking_uri: URI of MLflow's store or server.
            artifact_dir: Folder for the artifacts of new experiments; a server has its own.
            start: How the run began.
            on_progress: Called whenever MLflow has responded.

        Raises:
            MlflowException: If the store cannot be reached, or the experiment was deleted.
        """
        self._client = open_store(tracking_uri)
        with _one_at_a_time(tracking_uri):
            folder = None if is_server(tracking_uri) else Path(artifact_dir, start.experiment)
            self.experiment_id = self._get_experiment(start, folder.as_uri() if folder else None)
        self._start = start
        self._on_progress = on_progress
        self._registry = Registry(
            self._client, start.pipeline_name, self.experiment_id, on_progress
        )
        self._version: str | None = None
        run = find_run(self._client, self.experiment_id, RUN_ID_TAG, start.pipeline_run_id)
        self.is_complete = run is not None and (
            run.info.lifecycle_stage == "deleted" or COMPLETE_TAG in run.data.tags
        )
        if run is None:
            tags = {RUN_ID_TAG: start.pipeline_run_id}
            run = self._client.create_run(
                self.experiment_id, start.start_ms, tags, start.run_name[:MAX_NAME_CHARS]
            )
        self.run_id = str(run.info.run_id)
        self._trials = TrialWriter(
            self._client, start, self.experiment_id, self.run_id, on_progress
        )
        on_progress()

    def _get_experiment(self, start: RunStart, location: str | None) -> str:
        name = start.experiment
        found = self._client.get_experiment_by_name(name)
        if found is None:
            try:
                self._client.create_experiment(name, location, _experiment_tags(start))
            except MlflowException:  # another process was quicker, or it cannot be made
                if self._client.get_experiment_by_name(name) is None:
                    raise
            found = self._client.get_experiment_by_name(name)
        for key, value in _experiment_tags(start).items():
            if found.tags.get(key) != value:
                settle(self._client.set_experiment_tag, found.experiment_id, key, value)
        return str(found.experiment_id)

    def write(self, projection: Projection) -> None:
        """Writes a projection to the run, its trials and the registry."""
        log_batches(
            self._client,
            self.run_id,
            projection.params,
            projection.metrics,
            projection.tags,
            self._on_progress,
        )
        self._write_artifacts(projection.artifacts)
        if projection.datasets:
            settle(
                self._client.log_inputs,
                self.run_id,
                [_input(data) for data in projection.datasets],
            )
            self._on_progress()
        for trial in projection.trials:
            self._trials.write(trial)
        if projection.model is not None:
            self._register(projection.model)
        if projection.pushed_version is not None and self._version is not None:
            self._registry.set_pushed(self._version, projection.pushed_version)

    def reconcile_champion(self) -> None:
        """Moves the alias `champion` to the model that is served, whichever run pushed it."""
        self._registry.reconcile_champion(self._start.push_dir)
        self._on_progress()

    def end(self, end: RunEnd) -> None:
        """Ends the run, and marks it as complete."""
        self._trials.end(end)
        self._client.set_terminated(self.run_id, end.status, end.end_ms)
        self._client.set_tag(self.run_id, COMPLETE_TAG, "complete")
        self._on_progress()

    def _write_artifacts(self, artifacts: Mapping[str, Callable[[], bytes]]) -> None:
        if not artifacts:
            return
        with tempfile.TemporaryDirectory() as folder:
            for name, make_content in artifacts.items():
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(make_content())
                self._on_progress()
            self._client.log_artifacts(self.run_id, folder)
        self._on_progress()

    def _register(self, model: TrainedModel) -> None:
        columns = read_columns(model.saved_model_dir)
        row = input_example(model.statistics, columns)
        self._version = self._registry.register(
            self.run_id, model.saved_model_dir, row if row.keys() == set(columns) else None
        )
        self._registry.set_challenger(self._version, model.trained_ms)
        self._client.set_tag(self.run_id, "model_version", self._version)
        self._on_progress()


def open_store(tracking_uri: str) -> MlflowClient:
    """Connects to MLflow, and makes a store on disk if it is absent.

    Args:
        tracking_uri: URI of MLflow's store or server; it becomes the tracking URI of this process.

    Returns:
        A client.

    Raises:
        MlflowException: If a store cannot be opened. A server is not contacted yet.
    """
    mlflow.set_tracking_uri(tracking_uri)
    with _one_at_a_time(tracking_uri):
        return MlflowClient(tracking_uri)


def reconcile_champion(
    tracking_uri: str, promotion: Promotion, on_progress: Callable[[], None] = lambda: None
) -> str | None:
    """Moves the alias `champion` to the model that is served, without a run.

    Args:
        tracking_uri: URI of MLflow's store or server.
        promotion: Names the registered model and the serving folder.
        on_progress: Called whenever MLflow has responded.

    Returns:
        The version of the registered model, None if the served model is not registered.

    Raises:
        MlflowException: If the store cannot be reached.
    """
    client = open_store(tracking_uri)
    with _one_at_a_time(tracking_uri):
        client.search_experiments(max_results=1)
    no_experiment = ""  # nothing is uploaded
    registry = Registry(client, promotion.pipeline_name, no_experiment, on_progress)
    return registry.reconcile_champion(promotion.push_dir)


def _experiment_tags(start: RunStart) -> dict[str, str]:
    return {
        # The UI then opens the experiment as one of trained models.
        "mlflow.experimentKind": "custom_model_development",
        VIEW_TAG: saved_view(
            start.params.get("task", "multiclass"), start.primary_metric, start.greater_is_better
        ),
        MLFLOW_EXPERIMENT_PRIMARY_METRIC_NAME: start.primary_metric,
        MLFLOW_EXPERIMENT_PRIMARY_METRIC_GREATER_IS_BETTER: str(start.greater_is_better),
    }


def _input(data: datasets.Dataset) -> DatasetInput:
    entity = Dataset(data.name, data.digest, "local", data.source, data.schema, data.profile)
    return DatasetInput(entity, [InputTag(MLFLOW_DATASET_CONTEXT, data.context)])


@contextmanager
def _one_at_a_time(tracking_uri: str) -> Iterator[None]:
    """Locks a SQLite store, so that only one process makes the schema of a new one."""
    if not tracking_uri.startswith("sqlite:///"):
        yield
        return
    path = Path(tracking_uri.removeprefix("sqlite:///"))
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{path}.lock", "a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
