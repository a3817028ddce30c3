"""Rollback and promotion between the runs of the shipped pipeline."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.e2e_workspace import FirstState, Workspace

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SECOND_MODEL = ["model.learning_rate=0.2"]


def promote(workspace: Workspace, *words: str) -> dict[str, Any]:
    """Runs a command that changes which version is served, and returns its JSON object."""
    done = workspace.call(*words, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    served: dict[str, Any] = json.loads(done.stdout)
    assert served["version"] == workspace.versions()[-1]
    assert champion(workspace) == served["champion"]
    return served


def champion(workspace: Workspace) -> str:
    return str(workspace.mlflow().get_model_version_by_alias("iris", "champion").version)


@pytest.mark.timeout(900)
def test_unchanged_run_leaves_rollback_in_place(first_state: FirstState, tmp_path: Path) -> None:
    workspace = first_state.copy(tmp_path / "artifacts")
    runs = workspace.run_many([[], SECOND_MODEL])
    first, second = (run["report"]["pushed_version"] for run in runs)
    assert champion(workspace) == "2"

    back = promote(workspace, "rollback")
    assert (back["promoted_from"], back["champion"]) == (first, "1")

    run, again, other = workspace.run_many([SECOND_MODEL, SECOND_MODEL, []])
    assert workspace.versions() == [first, second, back["version"]]
    assert champion(workspace) == "1"
    assert run["report"]["blessed"] is True
    assert run["report"]["pushed_version"] is None
    assert run["report"]["rolled_back_version"] == second
    assert f"`pipeline promote {second}` serves it again" in run["text"]
    assert run["states"]["Pusher"] == "done"
    assert set(again["states"].values()) == {"cached"}
    assert again["report"]["rolled_back_version"] == second
    tags = workspace.mlflow().get_run(again["report"]["mlflow_run_id"]).data.tags
    assert (tags["pushed_version"], tags["rolled_back_version"]) == ("none", second)
    assert f"pipeline promote {second}" in tags["mlflow.note.content"]
    assert other["report"]["pushed_version"] == back["version"]  # the model that is served

    forth = promote(workspace, "promote", second)
    assert (forth["promoted_from"], forth["champion"]) == (second, "2")

    run, again = workspace.run_many([SECOND_MODEL, SECOND_MODEL])
    assert run["report"]["pushed_version"] == forth["version"]
    assert set(again["states"].values()) == {"cached"}
    assert workspace.versions() == [first, second, back["version"], forth["version"]]
    assert champion(workspace) == "2"
