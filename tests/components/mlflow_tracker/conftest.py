"""MLflow stores on SQLite."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest

from components.mlflow_tracker.store import RunWriter


@pytest.fixture(scope="session")
def made_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose schema is made, which takes seconds."""
    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    RunWriter(f"sqlite:///{path}", "unused", str(path.parent / "artifacts"))
    mlflow.set_tracking_uri(None)
    return path


@pytest.fixture
def tracking_uri(made_store: Path, tmp_path: Path) -> Iterator[str]:
    """A store of the test's own."""
    path = tmp_path / "mlflow.db"
    shutil.copyfile(made_store, path)
    yield f"sqlite:///{path}"
    mlflow.set_tracking_uri(None)
