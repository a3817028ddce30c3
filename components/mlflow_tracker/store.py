"""Writes a run to MLflow: found by its tag if it is there, made if it is not."""

import fcntl
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TypeVar

import mlflow
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import (
    MLFLOW_RUN_NAME,
    MLFLOW_SOURCE_NAME,
    MLFLOW_SOURCE_TYPE,
    MLFLOW_USER,
)

from components.mlflow_tracker.client import is_server
from components.mlflow_tracker.events import RunEnd, RunStart
from components.mlflow_tracker.projection import Projection, entity_name

RUN_ID_TAG = "tfx.pipeline_run_id"
CONFIG_FILE = "pipeline_config.yaml"
_MAX_METRICS, _MAX_PARAMS, _MAX_TAGS = 1000, 100, 100
_MAX_PARAM_CHARS, _MAX_TAG_CHARS = 6000, 8000

_EXPERIMENT_TAGS = {"mlflow.experimentKind": "custom_model_development"}
"""Has the UI open the experiment as one of trained models."""

T = TypeVar("T")


class RunWriter:
    """The MLflow run of one pipeline run."""

    def __init__(self, tracking_uri: str, experiment: str, artifact_dir: str) -> None:
        """Connects to the store, and makes the experiment if it is absent.

        Args:
            tracking_uri: MLflow's store or server.
            experiment: Name of the experiment.
            artifact_dir: Folder of the artifacts of an experiment made here; a server has its own.

        Raises:
            MlflowException: If the store cannot be reached, or the experiment is deleted.
        """
        mlflow.set_tracking_uri(tracking_uri)
        with _one_at_a_time(tracking_uri):
            self._client = MlflowClient(tracking_uri)
            self.experiment_id = self._get_experiment(experiment, tracking_uri, artifact_dir)
        self.run_id = ""

    def _get_experiment(self, name: str, tracking_uri: str, artifact_dir: str) -> str:
        location = None if is_server(tracking_uri) else Path(artifact_dir, name).as_uri()
        found = self._client.get_experiment_by_name(name)
        try:
            if found is not None:
                return str(found.experiment_id)
            return str(self._client.create_experiment(name, location, _EXPERIMENT_TAGS))
        except MlflowException:
            found = self._client.get_experiment_by_name(name)  # another process was quicker
            if found is None:
                raise
            return str(found.experiment_id)

    def start(self, start: RunStart) -> None:
        """Finds or makes the run, and writes what is known of it from the start."""
        found = self._client.search_runs(
            [self.experiment_id], f"tags.`{RUN_ID_TAG}` = '{start.pipeline_run_id}'", max_results=1
        )
        tags = {
            RUN_ID_TAG: start.pipeline_run_id,
            MLFLOW_RUN_NAME: start.run_name,
            MLFLOW_SOURCE_NAME: start.source_dir,
            MLFLOW_SOURCE_TYPE: "PIPELINE",
            MLFLOW_USER: os.environ.get("USER", "unknown"),
            **git_tags(start.source_dir),
        }
        run = (
            found[0]
            if found
            else self._client.create_run(self.experiment_id, start.start_ms, tags, start.run_name)
        )
        self.run_id = str(run.info.run_id)
        params = [
            Param(entity_name(key), str(value)[:_MAX_PARAM_CHARS])
            for key, value in start.params.items()
        ]
        for batch in _batches(params, _MAX_PARAMS):
            self._client.log_batch(self.run_id, params=batch)
        self._client.log_text(self.run_id, start.config_yaml, CONFIG_FILE)

    def write(self, projection: Projection) -> None:
        """Writes metrics, tags and files."""
        metrics = [Metric(m.key, m.value, m.timestamp_ms, m.step) for m in projection.metrics]
        for batch in _batches(metrics, _MAX_METRICS):
            self._client.log_batch(self.run_id, metrics=batch)
        tags = [RunTag(key, value[:_MAX_TAG_CHARS]) for key, value in projection.tags.items()]
        for batch in _batches(tags, _MAX_TAGS):
            self._client.log_batch(self.run_id, tags=batch)
        for folder, paths in projection.files.items():
            for path in paths:
                self._client.log_artifact(self.run_id, path, folder)

    def find_run(self, pipeline_run_id: str) -> str | None:
        """Finds the MLflow run of another pipeline run of the experiment."""
        query = f"tags.`{RUN_ID_TAG}` = '{pipeline_run_id}'"
        found = self._client.search_runs([self.experiment_id], query, max_results=1)
        return str(found[0].info.run_id) if found else None

    def end(self, end: RunEnd) -> None:
        """Ends the run."""
        self._client.set_terminated(self.run_id, end.status, end.end_ms)


def git_tags(folder: str) -> dict[str, str]:
    """Says which commit a folder stands at and whether it differs; nothing outside a checkout."""

    def git(*args: str) -> str:
        command = ["git", "-C", folder, *args]
        return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()

    try:
        commit = git("rev-parse", "HEAD")
        dirty = "true" if git("status", "--porcelain") else "false"
    except (OSError, subprocess.CalledProcessError):
        return {}
    return {"mlflow.source.git.commit": commit, "git.commit": commit, "git.dirty": dirty}


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


def _batches(items: list[T], size: int) -> Iterator[list[T]]:
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch
