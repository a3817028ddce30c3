"""The start of a run: name, settings, provenance."""

import getpass
import subprocess
from datetime import datetime, timezone
from pathlib import Path

import pytest

from pipeline.run.provenance import git_tags, make_run_start
from pipeline.settings.config import Config
from pipeline.settings.load import load_config
from tests.helpers.paths import PROJECT_DIR, SHIPPED

NOW = datetime(2024, 1, 2, 3, 4, 5, 678_000, tzinfo=timezone.utc)


# make_run_start


def test_make_run_start_takes_the_configuration(config: Config, tmp_path: Path) -> None:
    start = make_run_start(config, NOW)

    assert start.pipeline_run_id == "2024-01-02T03:04:05.678000+00:00"
    assert start.start_ms == 1_704_164_645_678
    assert start.run_name == "iris 2024-01-02 03:04:05"
    assert (start.pipeline_name, start.experiment, start.label) == ("iris", "iris", "species")
    assert start.data_path == str(PROJECT_DIR / "data" / "iris" / "iris.csv")
    assert start.push_dir == str(tmp_path / "serving" / "iris")
    assert start.params["train.steps"] == 200
    assert start.params["model.hidden_units"] == [10, 10]
    assert not [key for key in start.params if key.startswith("serving.")]
    assert start.config_yaml == config.to_yaml()
    assert start.provenance["mlflow.source.name"] == str(PROJECT_DIR)
    assert start.provenance["mlflow.source.type"] == "PIPELINE"
    assert start.provenance["mlflow.user"]
    assert len(start.provenance["code.digest"]) == 64


def test_make_run_start_has_the_metric_direction(config: Config) -> None:
    by_default = make_run_start(config, NOW)
    overrides = ["mlflow.primary_metric=cross_entropy", "mlflow.experiment=wine"]
    changed = make_run_start(load_config(SHIPPED, overrides), NOW)

    assert (by_default.primary_metric, by_default.greater_is_better) == ("accuracy", True)
    assert (changed.primary_metric, changed.greater_is_better) == ("cross_entropy", False)
    assert (changed.pipeline_name, changed.experiment) == ("iris", "wine")


def test_make_run_start_takes_a_user_without_a_name(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_name() -> str:
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr(getpass, "getuser", no_name)

    assert make_run_start(config, NOW).provenance["mlflow.user"] == "unknown"


@pytest.mark.parametrize(
    ("overrides", "name"),
    [
        (["train.steps=500", "model.seed=2"], "steps=500, seed=2"),
        (["train.steps=500", "paths.root=/x", "mlflow.required=true"], "steps=500"),
        (["train.steps=500", "train.eval_every_steps=9"], "steps=500"),
        (["data.split.eval=3", "cache=false"], "split.eval=3"),
        (["evaluation.slices=[a.b]"], "slices=[a.b]"),
        (["cache=false", "push.directory=/x", "beam.args=[]"], "iris 2024-01-02 03:04:05"),
    ],
)
def test_make_run_start_names_runs_by_overrides(overrides: list[str], name: str) -> None:
    assert make_run_start(load_config(SHIPPED, overrides), NOW).run_name == name


# git_tags


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.com"]
    for arguments in (["init", "-q"], [*identity, "commit", "-q", "--allow-empty", "-m", "x"]):
        folder.mkdir(exist_ok=True)
        subprocess.run(["git", "-C", str(folder), *arguments], check=True)
    return folder


@pytest.mark.parametrize("is_dirty", [False, True])
def test_git_tags_have_commit_and_changes(checkout: Path, is_dirty: bool) -> None:
    if is_dirty:
        (checkout / "new").write_text("")

    tags = git_tags(checkout)

    commit = (checkout / ".git" / "refs" / "heads").iterdir()
    (commit_id,) = (path.read_text().strip() for path in commit)
    assert tags == {
        "mlflow.source.git.commit": commit_id,
        "git.commit": commit_id,
        "git.dirty": "true" if is_dirty else "false",
    }


def test_git_tags_are_empty_outside_a_checkout(tmp_path: Path) -> None:
    assert git_tags(tmp_path) == {}


def test_git_tags_of_a_missing_folder_are_empty(tmp_path: Path) -> None:
    assert git_tags(tmp_path / "absent") == {}
