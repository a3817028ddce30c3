"""The alias `champion`, which follows the serving folder."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from components.pusher.versions import PushRecord, digest_model, publish
from tests.helpers.registered_models import (
    EXAMPLE,
    MakeModel,
)
from tracking.store.registry import Registry


class Served:
    """Registered models `a` and `b`, and a serving folder."""

    def __init__(
        self, registry: Registry, run_id: str, make_model: MakeModel, push_dir: Path
    ) -> None:
        self.registry = registry
        self.push_dir = push_dir
        self.models = {name: make_model(name) for name in ("a", "b", "unregistered")}
        self.versions = {
            name: registry.register(run_id, self.models[name], EXAMPLE) for name in ("a", "b")
        }

    def push(self, name: str) -> int:
        record = PushRecord(os.urandom(4).hex(), digest_model(self.models[name]))
        return publish(self.models[name], self.push_dir, record)

    def reconcile(self) -> str | None:
        return self.registry.reconcile_champion(self.push_dir)


@pytest.fixture
def served(registry: Registry, run_id: str, make_model: MakeModel, tmp_path: Path) -> Served:
    return Served(registry, run_id, make_model, tmp_path / "serving")


def champion_of(client: MlflowClient) -> str | None:
    champion = client.get_registered_model("iris").aliases.get("champion")
    return None if champion is None else str(champion)


def test_reconcile_champion_follows_the_serving_folder(
    served: Served, client: MlflowClient
) -> None:
    for name in ("a", "b", "a"):
        pushed_version = served.push(name)

        assert served.reconcile() == served.versions[name] == champion_of(client)

        champion = client.get_model_version_by_alias("iris", "champion")
        assert champion.tags["model.digest"] == digest_model(served.models[name])
        assert champion.tags["pushed_version"] == str(pushed_version)


def test_reconcile_champion_writes_only_changes(
    served: Served, client: MlflowClient, tracking_uri: str
) -> None:
    served.push("a")
    served.reconcile()
    path = Path(tracking_uri.removeprefix("sqlite:///"))
    before = path.read_bytes()

    served.reconcile()

    assert path.read_bytes() == before


@pytest.mark.parametrize("was_served", [False, True])
def test_reconcile_champion_without_served_version(
    served: Served, client: MlflowClient, was_served: bool
) -> None:
    if was_served:
        served.push("a")
        served.reconcile()
        shutil.rmtree(served.push_dir)

    assert served.reconcile() is None
    assert champion_of(client) is None


def test_reconcile_champion_with_an_unknown_model(served: Served, client: MlflowClient) -> None:
    served.push("a")
    served.reconcile()
    served.push("unregistered")

    assert served.reconcile() is None
    assert champion_of(client) is None


def test_reconcile_champion_with_a_foreign_version(served: Served, client: MlflowClient) -> None:
    version = served.push("a")
    served.reconcile()
    (served.push_dir / str(version + 1)).mkdir()

    assert served.reconcile() is None
    assert champion_of(client) is None


def test_reconcile_champion_finds_a_copied_version(served: Served, client: MlflowClient) -> None:
    version = served.push("a")
    served.push("b")
    copy = shutil.copytree(served.push_dir / str(version), served.push_dir / str(version + 9))

    assert served.reconcile() == served.versions["a"]
    champion = client.get_model_version_by_alias("iris", "champion")
    assert champion.tags["pushed_version"] == copy.name


def test_reconcile_champion_without_registered_model(registry: Registry, tmp_path: Path) -> None:
    assert registry.reconcile_champion(tmp_path / "absent") is None


@pytest.mark.parametrize("method", ["set_model_version_tag", "set_registered_model_alias"])
def test_reconcile_champion_repairs_after_a_kill(
    method: str,
    die_after: Callable[[str], None],
    registry: Registry,
    client: MlflowClient,
    model_dir: Path,
    tmp_path: Path,
) -> None:
    record = PushRecord("a-push", digest_model(model_dir))
    pushed_version = publish(model_dir, tmp_path / "serving", record)
    die_after(method)

    assert registry.reconcile_champion(tmp_path / "serving") == "1"

    champion = client.get_model_version_by_alias("iris", "champion")
    assert champion.tags["pushed_version"] == str(pushed_version)


def test_reconcile_champion_sees_a_concurrent_push(
    served: Served, tracking_uri: str, experiment_id: str, client: MlflowClient
) -> None:
    class SlowClient(MlflowClient):
        """Pushes and names another model before the first alias is written."""

        is_first = True

        def set_registered_model_alias(self, name: str, alias: str, version: str) -> None:
            if self.is_first:
                self.is_first = False
                served.push("b")
                assert served.reconcile() == served.versions["b"]
            super().set_registered_model_alias(name, alias, version)

    served.push("a")
    slow = Registry(SlowClient(tracking_uri), "iris", experiment_id)

    assert slow.reconcile_champion(served.push_dir) == served.versions["b"] == champion_of(client)
