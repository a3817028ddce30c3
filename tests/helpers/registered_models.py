"""Models in MLflow's registry."""

import json
from collections.abc import Callable
from pathlib import Path

from mlflow.entities import LoggedModel, LoggedModelStatus
from mlflow.entities.model_registry import ModelVersion
from mlflow.tracking import MlflowClient

from components.pusher.versions import digest_model

EXAMPLE = {"width": 1.5}
MakeModel = Callable[[str], Path]
"""Makes the folder of a SavedModel with a name of its own."""


def versions_of(client: MlflowClient) -> list[ModelVersion]:
    """Lists the versions of the registered model."""
    return list(client.search_model_versions("name = 'iris'"))


def logged_models(client: MlflowClient, experiment_id: str) -> list[LoggedModel]:
    """Lists the LoggedModels of an experiment."""
    return list(client.search_logged_models([experiment_id]))


def assert_registered_once(client: MlflowClient, experiment_id: str, model_dir: Path) -> None:
    """Asserts that there is one version, made of one complete LoggedModel, and nothing else."""
    (version,) = versions_of(client)
    (logged,) = logged_models(client, experiment_id)
    assert version.source == f"models:/{logged.model_id}"
    assert logged.status == LoggedModelStatus.READY
    assert version.tags["model.digest"] == digest_model(model_dir) == logged.tags["model.digest"]
    assert json.loads(logged.tags["mlflow.modelVersions"]) == [
        {"name": "iris", "version": int(version.version)}
    ]
    artifacts = Path(client.get_experiment(experiment_id).artifact_location.removeprefix("file://"))
    (upload_dir,) = artifacts.glob("models/*/artifacts")
    assert digest_model(upload_dir / "data" / model_dir.name) == digest_model(model_dir)
