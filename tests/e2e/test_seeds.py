"""The shipped configuration with other seeds."""

from typing import Any

import pytest

from tests.helpers.e2e_workspace import Workspace

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.mark.parametrize("seed", [2, 3, 4, 5])
def test_accuracy_is_at_least_93_percent(
    workspace: Workspace, first_run: dict[str, Any], seed: int
) -> None:
    report = workspace.run("--set", f"model.seed={seed}")
    assert report["metrics"]["accuracy"] >= 0.93
