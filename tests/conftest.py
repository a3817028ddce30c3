"""MLflow stores on SQLite, and an environment without one between tests."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def same_environment() -> Iterator[None]:
    """Restores MLFLOW_TRACKING_URI after each test, since MLflow itself sets it too."""
    before = os.environ.get("MLFLOW_TRACKING_URI")
    yield
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    if before is not None:
        os.environ["MLFLOW_TRACKING_URI"] = before


@pytest.fixture(scope="session")
def made_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty store; making its schema takes seconds."""
    from mlflow.tracking import MlflowClient  # takes a second to import, and few tests need it

    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def tracking_uri(made_store: Path, tmp_path: Path) -> Iterator[str]:
    """The URI of a new store for one test."""
    import mlflow

    path = tmp_path / "mlflow.db"
    shutil.copyfile(made_store, path)
    yield f"sqlite:///{path}"
    mlflow.set_tracking_uri(None)
