"""One state folder for all end-to-end tests, so that each pays only for what it changes."""

from typing import Any

import pytest
from e2e_workspace import Workspace


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """An empty state folder."""
    return Workspace(tmp_path_factory.mktemp("iris") / "artifacts")


@pytest.fixture(scope="session")
def first_run(workspace: Workspace) -> dict[str, Any]:
    """The report of the shipped pipeline's first run, from an empty state folder."""
    return workspace.run()
