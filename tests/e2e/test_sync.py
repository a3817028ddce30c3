"""MLflow runs written again from MLMD and the artifacts, compared with those written live."""

import re
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.e2e_workspace import FirstState, Workspace, wait_for
from tests.helpers.mlflow_store import differences, dump

pytestmark = pytest.mark.e2e


def sync(workspace: Workspace, *arguments: str) -> tuple[int, int]:
    """Runs `pipeline sync`; returns the numbers of written and of complete runs."""
    done = workspace.call("sync", *arguments)
    assert done.returncode == 0, done.stderr
    counts = re.search(r"^MLflow: (\d+) runs? written, (\d+) (was|were) complete$", done.stdout)
    assert counts is not None, done.stdout
    return int(counts[1]), int(counts[2])


def content_of(store: Path) -> list[str]:
    """Returns all rows of a SQLite file."""
    with sqlite3.connect(store) as database:
        return list(database.iterdump())


def test_sync_rebuilds_lost_store(first_state: FirstState, tmp_path: Path) -> None:
    copy = first_state.copy(tmp_path / "artifacts")

    assert sync(copy) == (1, 0)

    live, rebuilt = dump(first_state.store_uri), dump(f"sqlite:///{copy.root}/mlflow.db")
    for store in (live, rebuilt):  # other tests have pushed to the first run's folder since
        store["registered models"]["iris"]["aliases"].pop("champion", None)
        store["registered models"]["iris"]["versions"]["1"]["tags"].pop("pushed_version", None)
    assert list(differences(live, rebuilt)) == []


# a state folder with runs of every kind


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A state folder with runs that were cached, changed, reverted, failed, killed or untracked."""
    workspace = Workspace(tmp_path_factory.mktemp("story") / "artifacts")
    *well, failed = workspace.run_many(
        [
            ["mlflow.system_metrics_seconds=0.5"],
            [],
            ["model.learning_rate=0.05"],
            ["model.learning_rate=1.0e+30"],
        ]
    )
    assert [run["error"] for run in well] == [None] * 3
    assert "Trainer failed" in failed["error"]
    process = workspace.start_training(9)
    process.kill()
    process.communicate()
    wait_for(lambda: workspace.newest_run().info.status == "KILLED", "the mark")
    back, untracked = workspace.run_many([[], ["mlflow.enabled=false", "model.seed=4"]])
    assert back["states"]["Trainer"] == "cached"
    assert back["states"]["Pusher"] == "done"
    assert untracked["report"]["mlflow_run_id"] is None
    assert "pipeline sync" in untracked["text"]
    return workspace


@pytest.fixture(scope="module")
def synced(story: Workspace) -> dict[str, Any]:
    """The store of `story`, to which a sync has added the untracked run."""
    before = dump(f"sqlite:///{story.root}/mlflow.db")
    assert sync(story) == (1, 6)
    after = dump(f"sqlite:///{story.root}/mlflow.db")
    changed = list(differences(before["runs"], after["runs"]))
    assert len(changed) == 1, changed  # the new run
    return after


@pytest.fixture(scope="module")
def rebuilt(
    story: Workspace, synced: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A store that was empty before a sync."""
    store = tmp_path_factory.mktemp("rebuilt") / "mlflow.db"
    assert sync(story, "--set", f"mlflow.tracking_uri=sqlite:///{store}") == (7, 0)
    return store


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_sync_adds_a_run_that_was_not_tracked(synced: dict[str, Any]) -> None:
    statuses = [run["status"] for _, run in sorted(synced["runs"].items())]
    assert statuses == ["FINISHED"] * 3 + ["FAILED", "KILLED"] + ["FINISHED"] * 2
    versions = synced["registered models"]["iris"]["versions"]
    assert sorted(versions) == ["1", "2", "3"]
    assert synced["registered models"]["iris"]["aliases"] == {"champion": "3", "challenger": "3"}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_sync_fills_empty_store(synced: dict[str, Any], rebuilt: Path) -> None:
    assert list(differences(synced, dump(f"sqlite:///{rebuilt}"))) == []


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_sync_of_a_complete_store_writes_nothing(story: Workspace, rebuilt: Path) -> None:
    before = content_of(rebuilt)

    assert sync(story, "--set", f"mlflow.tracking_uri=sqlite:///{rebuilt}") == (0, 7)

    assert content_of(rebuilt) == before


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_sync_completes_partial_runs(
    story: Workspace, synced: dict[str, Any], rebuilt: Path, tmp_path: Path
) -> None:
    store = tmp_path / "mlflow.db"
    shutil.copyfile(rebuilt, store)
    first, _, changed, *_ = sorted(synced["runs"])
    with sqlite3.connect(store) as database:
        ids = dict(
            database.execute("SELECT value, run_uuid FROM tags WHERE key = 'tfx.pipeline_run_id'")
        )
        for name in (first, changed):
            database.execute(
                "DELETE FROM tags WHERE run_uuid = ? AND key = 'tfx.tracked'", [ids[name]]
            )
        for table in ("metrics", "latest_metrics"):
            database.execute(
                f"DELETE FROM {table} WHERE run_uuid = ? AND key = 'train/loss'", [ids[first]]
            )
        for table in ("metrics", "latest_metrics", "params"):
            database.execute(f"DELETE FROM {table} WHERE run_uuid = ?", [ids[changed]])
        database.execute(
            "DELETE FROM tags WHERE run_uuid = ? AND key NOT IN"
            " ('tfx.pipeline_run_id', 'mlflow.runName')",
            [ids[changed]],
        )
        database.execute(
            "UPDATE runs SET status = 'RUNNING', end_time = NULL WHERE run_uuid = ?", [ids[changed]]
        )
        database.execute("DELETE FROM inputs WHERE destination_id = ?", [ids[changed]])
    for name in (first, changed):
        shutil.rmtree(story.root / "mlflow-artifacts" / "iris" / ids[name])
    assert list(differences(synced, dump(f"sqlite:///{store}"))) != []

    assert sync(story, "--set", f"mlflow.tracking_uri=sqlite:///{store}") == (2, 5)

    assert list(differences(synced, dump(f"sqlite:///{store}"))) == []
