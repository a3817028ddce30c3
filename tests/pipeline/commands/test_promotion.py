"""Promotions and rollbacks in serving folders, and MLflow's alias `champion` after them."""

import json
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mlflow
import pytest
from mlflow.tracking import MlflowClient

from components.pusher.versions import (
    PushRecord,
    digest_model,
    list_versions,
    newest_push,
    publish,
    read_push,
)
from pipeline.__main__ import run_command
from pipeline.commands.promotion import promote
from pipeline.errors import ModelError, StateError
from pipeline.settings.config import Config
from pipeline.settings.load import load_config
from tests.helpers.paths import SHIPPED
from tracking.store.registry import Registry


class Folder:
    """A serving folder, and models named by letters."""

    def __init__(self, config: Config, models_dir: Path) -> None:
        self.config = config
        self.push_dir = config.push_dir
        self.models_dir = models_dir

    def model(self, name: str) -> Path:
        """Makes the files of a SavedModel that a push and the registry read."""
        folder = self.models_dir / name / "assets.extra"
        if not folder.exists():
            folder.mkdir(parents=True)
            (folder.parent / "saved_model.pb").write_text(name)
            column = {"width": {"dtype": "float32", "shape": [-1]}}
            description = json.dumps({"inputs": column, "outputs": column})
            (folder / "signature.json").write_text(description)
        return folder.parent

    def push(self, name: str) -> int:
        record = PushRecord(os.urandom(4).hex(), digest_model(self.model(name)))
        return publish(self.model(name), self.push_dir, record)

    def served(self) -> str:
        """Returns the letter of the model that is served."""
        newest = self.push_dir / str(list_versions(self.push_dir)[-1])
        return (newest / "saved_model.pb").read_text()


@pytest.fixture
def untracked(tmp_path: Path) -> Folder:
    config = load_config(SHIPPED, [f"paths.root={tmp_path}", "mlflow.enabled=false"])
    return Folder(config, tmp_path / "models")


@pytest.fixture
def tracked(config: Config, tracking_uri: str, tmp_path: Path) -> Folder:
    """Models a and b are registered as versions 1 and 2, and pushed in this order."""
    assert config.tracking_uri == tracking_uri
    folder = Folder(config, tmp_path / "models")
    mlflow.set_tracking_uri(tracking_uri)
    client = MlflowClient(tracking_uri)
    experiment_id = client.create_experiment("iris", (tmp_path / "mlflow-artifacts").as_uri())
    run_id = client.create_run(experiment_id).info.run_id
    registry = Registry(client, "iris", experiment_id)
    for name in ("a", "b"):
        registry.register(run_id, folder.model(name), {"width": 1.5})
        folder.push(name)
    registry.reconcile_champion(folder.push_dir)
    return folder


def champion(folder: Folder) -> str:
    client = MlflowClient(folder.config.tracking_uri)
    return str(client.get_model_version_by_alias("iris", "champion").version)


@pytest.fixture
def call(tmp_path: Path) -> Callable[..., int]:
    """Returns a function that runs a command with the state folder."""
    return lambda *words: run_command(
        [*words, "--config", str(SHIPPED), "--set", f"paths.root={tmp_path}"]
    )


# the folder


def test_promote_publishes_model_as_newest_version(untracked: Folder) -> None:
    first, second = untracked.push("a"), untracked.push("b")

    promote(untracked.config, first)

    *before, newest = list_versions(untracked.push_dir)
    assert before == [first, second]
    assert digest_model(untracked.push_dir / str(newest)) == digest_model(untracked.model("a"))
    origin, record = read_push(untracked.push_dir, first), read_push(untracked.push_dir, newest)
    assert origin is not None
    assert record is not None
    assert (record.model_digest, record.promoted_from) == (origin.model_digest, first)
    assert record.push_id != origin.push_id


def test_promote_again_names_first_origin(untracked: Folder) -> None:
    first, second = untracked.push("a"), untracked.push("b")
    promoted = promote(untracked.config, first).version
    promote(untracked.config, second)

    assert promote(untracked.config, promoted).promoted_from == first


@pytest.mark.parametrize("index", [0, 2])
def test_promote_of_served_model_changes_nothing(untracked: Folder, index: int) -> None:
    first = untracked.push("a")
    untracked.push("b")
    promote(untracked.config, first)
    before = list_versions(untracked.push_dir)

    served = promote(untracked.config, before[index])

    assert list_versions(untracked.push_dir) == before
    words = f"nothing changes: version {before[-1]} serves the model of {first} already;"
    assert served.describe().startswith(words)


def test_promote_of_last_push_changes_nothing(untracked: Folder) -> None:
    version = untracked.push("a")

    served = promote(untracked.config, version)

    assert list_versions(untracked.push_dir) == [version]
    assert served.describe().startswith(f"nothing changes: version {version} is served already;")


@pytest.mark.parametrize(
    ("history", "served"),
    [
        ("ab<", "a"),
        ("abc<", "b"),
        ("abc<<", "a"),
        ("abb<", "a"),  # the same model twice
        ("aba<", "b"),
        ("aba<<", "a"),
        ("abc<d<", "b"),  # not c, which was rolled back
        ("abc<d<<", "a"),
        ("abc<<d<<", None),
        ("a<", None),
        ("aa<", None),
        ("ab<<", None),
    ],
)
def test_rollback_serves_what_was_served_before(
    untracked: Folder, history: str, served: str | None
) -> None:
    *steps, last = history
    for step in steps:
        if step == "<":
            promote(untracked.config)
        else:
            untracked.push(step)
    before = list_versions(untracked.push_dir)

    assert last == "<"
    if served is None:
        with pytest.raises(ModelError, match="nothing was served before version"):
            promote(untracked.config)
        assert list_versions(untracked.push_dir) == before
    else:
        promote(untracked.config)
        assert untracked.served() == served
        assert list_versions(untracked.push_dir)[:-1] == before


def test_rollback_takes_version_of_other_pusher(untracked: Folder) -> None:
    shutil.copytree(untracked.model("a"), untracked.push_dir / "0")
    untracked.push("b")

    served = promote(untracked.config)

    assert served.promoted_from == 0
    assert " serves the model of 0;" in served.describe()
    newest = newest_push(untracked.push_dir)[1]
    assert newest is not None
    assert newest.model_digest == digest_model(untracked.model("a"))


def test_promotions_at_once_all_succeed(untracked: Folder) -> None:
    versions = [untracked.push(name) for name in "abcd"]

    with ThreadPoolExecutor() as pool:
        served = list(
            pool.map(lambda version: promote(untracked.config, version), versions[:3] * 2)
        )

    made = {each.version for each in served if each.is_new}
    assert list_versions(untracked.push_dir) == versions + sorted(made)
    assert len(made) >= 3


def test_promote_refuses_changed_version(untracked: Folder) -> None:
    first, second = untracked.push("a"), untracked.push("b")
    (untracked.push_dir / str(first) / "saved_model.pb").write_text("other")

    with pytest.raises(ModelError, match=f"{first}: has changed since it was pushed"):
        promote(untracked.config, first)

    assert list_versions(untracked.push_dir) == [first, second]


def test_promote_says_what_cannot_be_copied(untracked: Folder) -> None:
    first, second = untracked.push("a"), untracked.push("b")
    (untracked.push_dir / str(first) / "link").symlink_to("/absent")

    with pytest.raises(StateError, match=r"iris: cannot be written: \[Errno 2\] No such file"):
        promote(untracked.config, first)

    assert list_versions(untracked.push_dir) == [first, second]


# the command line, and MLflow


def test_promotions_move_folder_and_champion(
    tracked: Folder, call: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = list_versions(tracked.push_dir)
    assert champion(tracked) == "2"

    assert call("rollback") == 0

    third = list_versions(tracked.push_dir)[-1]
    assert (tracked.served(), champion(tracked)) == ("a", "1")
    assert capsys.readouterr().out == (
        f"version {third} serves the model of {first}; champion is version 1 of iris\n"
    )
    assert call("promote", str(second), "--json") == 0

    fourth = list_versions(tracked.push_dir)[-1]
    assert (tracked.served(), champion(tracked)) == ("b", "2")
    assert json.loads(capsys.readouterr().out) == {
        "version": str(fourth),
        "promoted_from": str(second),
        "champion": "2",
    }
    client = MlflowClient(tracked.config.tracking_uri)
    assert client.get_model_version("iris", "2").tags["pushed_version"] == str(fourth)


def test_promote_of_served_model_moves_champion(tracked: Folder) -> None:
    client = MlflowClient(tracked.config.tracking_uri)
    client.delete_registered_model_alias("iris", "champion")

    served = promote(tracked.config, list_versions(tracked.push_dir)[-1])

    assert (served.is_new, served.champion, champion(tracked)) == (False, "2", "2")


def test_promote_reports_model_unknown_to_mlflow(tracked: Folder) -> None:
    version = tracked.push("unregistered")
    tracked.push("b")

    served = promote(tracked.config, version)

    assert tracked.served() == "unregistered"
    assert served.describe().endswith(
        "; champion follows at the next run or sync (MLflow has no version of iris with this model)"
    )


def test_rollback_moves_folder_without_mlflow(
    tracked: Folder, call: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("rollback", "--set", "mlflow.enabled=false") == 0

    assert (tracked.served(), champion(tracked)) == ("a", "2")
    words = "champion follows at the next run or sync (mlflow.enabled is false)"
    assert words in capsys.readouterr().out


def test_rollback_moves_folder_if_mlflow_is_down(
    tracked: Folder,
    call: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://alice:secret@127.0.0.1:1")  # a closed port

    assert call("rollback") == 0

    output = capsys.readouterr().out
    assert tracked.served() == "a"
    assert "champion follows at the next run or sync (" in output
    assert "127.0.0.1" in output
    assert "secret" not in output


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["promote", "5"], "there is no version 5; expected one of "),
        (["rollback"], "nothing was served before version "),
    ],
)
def test_command_lists_versions(
    untracked: Folder,
    call: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    error: str,
) -> None:
    first = untracked.push("a")
    untracked.push("b")
    newest = promote(untracked.config).version

    assert call(*words) == 2

    message = capsys.readouterr().err
    assert error in message
    assert f"{first}, {first + 1}, {newest} (from {first})" in message


@pytest.mark.parametrize("words", [["promote", "5"], ["rollback"]])
def test_command_reports_that_nothing_is_pushed(
    call: Callable[..., int], capsys: pytest.CaptureFixture[str], tmp_path: Path, words: list[str]
) -> None:
    assert call(*words) == 2

    assert "no model of 'iris' has been pushed yet" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
