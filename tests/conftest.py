"""MLflow stores on SQLite."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def same_environment() -> Iterator[None]:
    """Leaves no store to the tests that follow; MLflow sets the variable too, after any fixture."""
    before = os.environ.get("MLFLOW_TRACKING_URI")
    yield
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    if before is not None:
        os.environ["MLFLOW_TRACKING_URI"] = before


@pytest.fixture(scope="session")
def made_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose schema is made, which takes seconds."""
    from mlflow.tracking import MlflowClient  # takes a second to import, which few tests need

    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def tracking_uri(made_store: Path, tmp_path: Path) -> Iterator[str]:
    """A store of the test's own."""
    import mlflow

    path = tmp_path / "mlflow.db"
    shutil.copyfile(made_store, path)
    yield f"sqlite:///{path}"
    mlflow.set_tracking_uri(None)
