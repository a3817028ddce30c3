"""Writes a run to MLflow: found by its tag if it is there, made if it is not.

Writing again what is there changes nothing: MLflow keeps a point of a metric once, and everything
else has a key.
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
"""Says that all there is of a run stands in MLflow; written last."""


class RunWriter:
    """The MLflow run of one pipeline run.

    Attributes:
        run_id: Its id in MLflow.
        experiment_id: Its experiment's.
        is_complete: Whether all there is of it stood there before, or the user has deleted it.
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
            tracking_uri: MLflow's store or server.
            artifact_dir: Folder of the artifacts of an experiment made here; a server has its own.
            start: How the run began.
            on_progress: Called whenever MLflow has answered.

        Raises:
            MlflowException: If the store cannot be reached, or the experiment is deleted.
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
            except MlflowException:  # another process was quicker, or it cannot be
                if self._client.get_experiment_by_name(name) is None:
                    raise
            found = self._client.get_experiment_by_name(name)
        for key, value in _experiment_tags(start).items():
            if found.tags.get(key) != value:
                settle(self._client.set_experiment_tag, found.experiment_id, key, value)
        return str(found.experiment_id)

    def write(self, projection: Projection) -> None:
        """Writes what is to be written."""
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
        """Has the alias `champion` name the model that is served, whoever has pushed it."""
        self._registry.reconcile_champion(self._start.push_dir)
        self._on_progress()

    def end(self, end: RunEnd) -> None:
        """Ends the run, of which everything is written."""
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
    """Connects to MLflow; a store on disk is made if it is absent, and opened only once a process.

    Args:
        tracking_uri: MLflow's store or server; all of the process speaks to it from then on.

    Returns:
        Its client.

    Raises:
        MlflowException: If a store on disk or a database cannot be opened. A server is not asked.
    """
    mlflow.set_tracking_uri(tracking_uri)
    with _one_at_a_time(tracking_uri):
        return MlflowClient(tracking_uri)


def reconcile_champion(
    tracking_uri: str, promotion: Promotion, on_progress: Callable[[], None] = lambda: None
) -> str | None:
    """Has the alias `champion` name the model that is served, where there is no run to write.

    Args:
        tracking_uri: MLflow's store or server.
        promotion: What is served.
        on_progress: Called whenever MLflow has answered.

    Returns:
        The version of the registered model, None if it has none of what is served.

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
        # Has the UI open the experiment as one of trained models.
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
    """Keeps processes from making the schema of a new SQLite store at the same time."""
    if not tracking_uri.startswith("sqlite:///"):
        yield
        return
    path = Path(tracking_uri.removeprefix("sqlite:///"))
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{path}.lock", "a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
