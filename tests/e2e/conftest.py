"""One state folder for all end-to-end tests, so that each runs only the nodes it changes."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.e2e_workspace import FirstState, Workspace


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """An empty state folder."""
    return Workspace(tmp_path_factory.mktemp("iris") / "artifacts")


@pytest.fixture(scope="session")
def first_run(workspace: Workspace) -> dict[str, Any]:
    """The report of the first run of the shipped pipeline in an empty state folder."""
    report = workspace.run()
    kept = workspace.root.parent / "first"
    kept.mkdir()
    for name in ("metadata.sqlite", "mlflow.db"):
        shutil.copyfile(workspace.root / name, kept / name)
    return report


@pytest.fixture(scope="session")
def first_state(workspace: Workspace, first_run: dict[str, Any]) -> FirstState:
    """The stores right after the first run, without later runs."""
    folder: Path = workspace.root.parent / "first"
    return FirstState(folder)
