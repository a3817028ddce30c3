"""Starts the tracker process of a run."""

from pipeline.settings.config import Config
from tracking.client import Tracker


def start_tracker(config: Config) -> Tracker | None:
    """Starts the process that writes to MLflow; None if `mlflow.enabled` is false.

    It imports MLflow while this process imports TFX, and ends with this process.
    """
    if not config.mlflow.enabled:
        return None
    return Tracker(config.tracking_uri, config.mlflow_artifact_dir)
