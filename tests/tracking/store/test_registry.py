"""Registered models in a real MLflow store."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest
from mlflow.entities import LoggedModel, LoggedModelStatus
from mlflow.entities.model_registry import ModelVersion
from mlflow.tracking import MlflowClient

from components.pusher.versions import PushRecord, digest_model, publish
from tracking.store.registry import Registry

EXAMPLE = {"width": 1.5}
MakeModel = Callable[[str], Path]


@pytest.fixture
def client(tracking_uri: str) -> MlflowClient:
    mlflow.set_tracking_uri(tracking_uri)
    return MlflowClient(tracking_uri)


@pytest.fixture
def experiment_id(client: MlflowClient, tmp_path: Path) -> str:
    return str(client.create_experiment("iris", (tmp_path / "artifacts").as_uri()))


@pytest.fixture
def registry(client: MlflowClient, experiment_id: str) -> Registry:
    return Registry(client, "iris", experiment_id)


@pytest.fixture
def run_id(client: MlflowClient, experiment_id: str) -> str:
    return str(client.create_run(experiment_id).info.run_id)


@pytest.fixture
def make_model(tmp_path: Path) -> MakeModel:
    def make(name: str) -> Path:
        """Makes what the registry looks at of a SavedModel: files, and what describes it."""
        folder = tmp_path / name / "assets.extra"
        folder.mkdir(parents=True)
        (folder.parent / "saved_model.pb").write_text(name)
        column = {"width": {"dtype": "float32", "shape": [-1]}}
        description = json.dumps({"inputs": column, "outputs": column})
        (folder / "signature.json").write_text(description)
        return folder.parent

    return make


@pytest.fixture
def model_dir(make_model: MakeModel) -> Path:
    return make_model("first")


def versions_of(client: MlflowClient) -> list[ModelVersion]:
    return list(client.search_model_versions("name = 'iris'"))


def logged_models(client: MlflowClient, experiment_id: str) -> list[LoggedModel]:
    return list(client.search_logged_models([experiment_id]))


def assert_registered_once(client: MlflowClient, experiment_id: str, model_dir: Path) -> None:
    """Asserts that there is one version, of one whole LoggedModel, and nothing beside them."""
    (version,) = versions_of(client)
    (logged,) = logged_models(client, experiment_id)
    assert version.source == f"models:/{logged.model_id}"
    assert logged.status == LoggedModelStatus.READY
    assert version.tags["model.digest"] == digest_model(model_dir) == logged.tags["model.digest"]
    assert json.loads(logged.tags["mlflow.modelVersions"]) == [
        {"name": "iris", "version": int(version.version)}
    ]
    artifacts = Path(client.get_experiment(experiment_id).artifact_location.removeprefix("file://"))
    (upload_dir,) = artifacts.glob("models/*/artifacts")
    assert digest_model(upload_dir / "data" / model_dir.name) == digest_model(model_dir)


# register


def test_register_makes_a_version_of_the_run(
    registry: Registry, client: MlflowClient, run_id: str, model_dir: Path
) -> None:
    version = registry.register(run_id, model_dir, EXAMPLE)

    found = client.get_model_version("iris", version)
    assert (version, found.run_id, found.status) == ("1", run_id, "READY")
    assert found.tags == {"model.digest": digest_model(model_dir)}


def test_register_shows_the_model_on_the_page_of_the_run(
    registry: Registry, client: MlflowClient, experiment_id: str, run_id: str, model_dir: Path
) -> None:
    for _ in range(2):
        registry.register(run_id, model_dir, EXAMPLE)

    (logged,) = logged_models(client, experiment_id)
    assert (logged.name, logged.source_run_id) == ("iris", run_id)
    (output,) = client.get_run(run_id).outputs.model_outputs
    assert output.model_id == logged.model_id


def test_register_makes_a_model_that_knows_where_it_comes_from(
    registry: Registry, client: MlflowClient, run_id: str, model_dir: Path
) -> None:
    version = registry.register(run_id, model_dir, EXAMPLE)

    info = mlflow.models.get_model_info(f"models:/iris/{version}")
    assert info.run_id == run_id
    assert f"models:/{info.model_id}" == client.get_model_version("iris", version).source
    assert info.signature.inputs.input_names() == ["width"]


def test_register_makes_no_second_version_of_a_model(
    registry: Registry,
    client: MlflowClient,
    experiment_id: str,
    run_id: str,
    model_dir: Path,
    tmp_path: Path,
) -> None:
    copy = shutil.copytree(model_dir, tmp_path / "elsewhere" / "first")
    other_run_id = str(client.create_run(experiment_id).info.run_id)

    versions = [
        registry.register(run_id, model_dir, EXAMPLE),
        registry.register(other_run_id, copy, EXAMPLE),
    ]

    assert versions == ["1", "1"]
    assert_registered_once(client, experiment_id, model_dir)
    assert client.get_model_version("iris", "1").run_id == run_id
    (output,) = client.get_run(other_run_id).outputs.model_outputs
    assert f"models:/{output.model_id}" == client.get_model_version("iris", "1").source


def test_register_makes_a_version_of_every_model(
    registry: Registry, run_id: str, make_model: MakeModel
) -> None:
    versions = [registry.register(run_id, make_model(name), EXAMPLE) for name in ("a", "b", "c")]

    assert versions == ["1", "2", "3"]


def test_register_takes_a_model_whose_upload_a_user_deleted(
    registry: Registry, client: MlflowClient, experiment_id: str, run_id: str, model_dir: Path
) -> None:
    registry.register(run_id, model_dir, EXAMPLE)
    (logged,) = logged_models(client, experiment_id)
    client.delete_logged_model(logged.model_id)

    assert registry.register(run_id, model_dir, EXAMPLE) == "1"


def test_register_leaves_no_trace_of_an_upload_that_failed(
    registry: Registry, client: MlflowClient, experiment_id: str, run_id: str, model_dir: Path
) -> None:
    artifacts = Path(client.get_experiment(experiment_id).artifact_location.removeprefix("file://"))
    artifacts.write_text("a file where a folder should be")
    with pytest.raises(OSError, match="artifacts"):
        registry.register(run_id, model_dir, EXAMPLE)
    (logged,) = logged_models(client, experiment_id)
    assert logged.status == LoggedModelStatus.FAILED
    artifacts.unlink()

    registry.register(run_id, model_dir, EXAMPLE)

    assert_registered_once(client, experiment_id, model_dir)


def test_register_leaves_an_upload_of_a_run_that_goes_on(
    registry: Registry, client: MlflowClient, experiment_id: str, run_id: str, model_dir: Path
) -> None:
    tags = {"model.digest": digest_model(model_dir)}
    other_run_id = client.create_run(experiment_id).info.run_id
    pending = client.create_logged_model(experiment_id, "iris", other_run_id, tags)

    registry.register(run_id, model_dir, EXAMPLE)
    assert len(logged_models(client, experiment_id)) == 2
    client.set_terminated(other_run_id, "KILLED")
    registry.register(run_id, model_dir, EXAMPLE)

    assert pending.model_id not in {m.model_id for m in logged_models(client, experiment_id)}


_CLIENT_THAT_DIES = """
import os, signal, sys
import mlflow
from mlflow.tracking import MlflowClient
from tracking.store.registry import Registry
tracking_uri, experiment_id, run_id, model_dir, method, push_dir = sys.argv[1:]
class Client(MlflowClient):
    pass
original = getattr(MlflowClient, method)
def dies(*arguments, **options):
    original(*arguments, **options)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(Client, method, dies)
mlflow.set_tracking_uri(tracking_uri)
registry = Registry(Client(tracking_uri), "iris", experiment_id)
registry.register(run_id, model_dir, {"width": 1.5})
registry.reconcile_champion(push_dir)
"""


@pytest.fixture
def die_after(
    tracking_uri: str, experiment_id: str, run_id: str, model_dir: Path, tmp_path: Path
) -> Callable[[str], None]:
    def die_after(method: str) -> None:
        """Registers and reconciles in a process that is killed after a call of MLflow's client."""
        arguments = [tracking_uri, experiment_id, run_id, str(model_dir), method]
        process = subprocess.run(
            [sys.executable, "-c", _CLIENT_THAT_DIES, *arguments, str(tmp_path / "serving")],
            capture_output=True,
            text=True,
        )
        assert process.returncode == -signal.SIGKILL, process.stderr

    return die_after


@pytest.mark.slow
@pytest.mark.parametrize(
    "method",
    [
        "create_logged_model",
        "log_model_artifacts",
        "finalize_logged_model",
        "create_registered_model",
        "create_model_version",
        "set_logged_model_tags",
    ],
)
def test_register_mends_what_a_killed_process_left(
    method: str,
    die_after: Callable[[str], None],
    registry: Registry,
    client: MlflowClient,
    experiment_id: str,
    run_id: str,
    model_dir: Path,
) -> None:
    die_after(method)
    client.set_terminated(run_id, "KILLED")
    next_run_id = str(client.create_run(experiment_id).info.run_id)

    version = registry.register(next_run_id, model_dir, EXAMPLE)

    assert version == "1"
    assert_registered_once(client, experiment_id, model_dir)
    assert len(client.get_run(next_run_id).outputs.model_outputs) == 1


_REGISTER_AT_ONCE = """
import os, sys
import mlflow
from mlflow.tracking import MlflowClient
from tracking.store.registry import Registry
assert "tensorflow" not in sys.modules
tracking_uri, experiment_id, *model_dirs = sys.argv[1:]
mlflow.set_tracking_uri(tracking_uri)
gate, opener = os.pipe()
children = []
for model_dir in model_dirs:
    child = os.fork()
    if child == 0:
        os.close(opener)
        client = MlflowClient(tracking_uri)
        registry = Registry(client, "iris", experiment_id)
        run = client.create_run(experiment_id)
        os.read(gate, 1)
        version = registry.register(run.info.run_id, model_dir, {"width": 1.5})
        registry.set_challenger(version, 1000)
        os.write(1, f"{model_dir} {version}\\n".encode())  # at once: print writes in parts
        os._exit(0)
    children.append(child)
os.close(opener)
sys.exit(any(os.waitpid(child, 0)[1] for child in children))
"""


def register_at_once(tracking_uri: str, experiment_id: str, models: list[Path]) -> dict[str, str]:
    """Registers models in a process each, and gives the version that each was told, by model."""
    command = [sys.executable, "-c", _REGISTER_AT_ONCE, tracking_uri, experiment_id]
    process = subprocess.run([*command, *map(str, models)], capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    answers = [line.split() for line in process.stdout.splitlines()]
    assert len(answers) == len(models)
    versions = dict(answers)
    assert all(versions[model] == version for model, version in answers)
    return versions


@pytest.mark.slow
def test_register_gives_eight_processes_at_once_the_same_version(
    tracking_uri: str, client: MlflowClient, experiment_id: str, model_dir: Path
) -> None:
    (version,) = register_at_once(tracking_uri, experiment_id, [model_dir] * 8).values()

    assert_registered_once(client, experiment_id, model_dir)
    assert str(client.get_model_version_by_alias("iris", "challenger").version) == version


@pytest.mark.slow
def test_register_gives_eight_models_at_once_a_version_each(
    tracking_uri: str, client: MlflowClient, experiment_id: str, make_model: MakeModel
) -> None:
    models = [make_model(f"model-{number}") for number in range(8)]

    versions = register_at_once(tracking_uri, experiment_id, models)

    assert {int(version) for version in versions.values()} == set(range(1, 9))
    for model, version in versions.items():
        tags = client.get_model_version("iris", version).tags
        assert tags["model.digest"] == digest_model(model)


# challenger


@pytest.mark.parametrize("times", [(1000, 2000), (2000, 1000)], ids=["in order", "out of order"])
def test_set_challenger_names_the_version_that_was_trained_last(
    registry: Registry,
    client: MlflowClient,
    run_id: str,
    make_model: MakeModel,
    times: tuple[int, int],
) -> None:
    versions = {}
    for name, trained_ms in zip("ab", times, strict=True):
        versions[trained_ms] = registry.register(run_id, make_model(name), EXAMPLE)
        registry.set_challenger(versions[trained_ms], trained_ms)

    challenger = client.get_model_version_by_alias("iris", "challenger")
    assert (str(challenger.version), challenger.tags["trained_ms"]) == (versions[2000], "2000")


def test_set_pushed_keeps_the_greatest_number(
    registry: Registry, client: MlflowClient, run_id: str, make_model: MakeModel
) -> None:
    version = registry.register(run_id, make_model("a"), EXAMPLE)
    for number in ("7", "12", "9"):
        registry.set_pushed(version, number)

    assert client.get_model_version("iris", version).tags["pushed_version"] == "12"


# champion


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


def test_reconcile_champion_follows_the_serving_folder_forward_and_back(
    served: Served, client: MlflowClient
) -> None:
    for name in ("a", "b", "a"):
        pushed_version = served.push(name)

        assert served.reconcile() == served.versions[name] == champion_of(client)

        champion = client.get_model_version_by_alias("iris", "champion")
        assert champion.tags["model.digest"] == digest_model(served.models[name])
        assert champion.tags["pushed_version"] == str(pushed_version)


def test_reconcile_champion_writes_nothing_where_nothing_changes(
    served: Served, client: MlflowClient, tracking_uri: str
) -> None:
    served.push("a")
    served.reconcile()
    path = Path(tracking_uri.removeprefix("sqlite:///"))
    before = path.read_bytes()

    served.reconcile()

    assert path.read_bytes() == before


@pytest.mark.parametrize("was_served", [False, True])
def test_reconcile_champion_names_none_where_nothing_is_served(
    served: Served, client: MlflowClient, was_served: bool
) -> None:
    if was_served:
        served.push("a")
        served.reconcile()
        shutil.rmtree(served.push_dir)

    assert served.reconcile() is None
    assert champion_of(client) is None


def test_reconcile_champion_names_none_where_another_model_is_served(
    served: Served, client: MlflowClient
) -> None:
    served.push("a")
    served.reconcile()
    served.push("unregistered")

    assert served.reconcile() is None
    assert champion_of(client) is None


def test_reconcile_champion_names_none_where_the_newest_version_is_foreign(
    served: Served, client: MlflowClient
) -> None:
    version = served.push("a")
    served.reconcile()
    (served.push_dir / str(version + 1)).mkdir()

    assert served.reconcile() is None
    assert champion_of(client) is None


def test_reconcile_champion_knows_a_copy_of_a_pushed_version(
    served: Served, client: MlflowClient
) -> None:
    version = served.push("a")
    served.push("b")
    copy = shutil.copytree(served.push_dir / str(version), served.push_dir / str(version + 9))

    assert served.reconcile() == served.versions["a"]
    champion = client.get_model_version_by_alias("iris", "champion")
    assert champion.tags["pushed_version"] == copy.name


def test_reconcile_champion_needs_no_registered_model(registry: Registry, tmp_path: Path) -> None:
    assert registry.reconcile_champion(tmp_path / "absent") is None


@pytest.mark.parametrize("method", ["set_model_version_tag", "set_registered_model_alias"])
def test_reconcile_champion_mends_what_a_killed_process_left(
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


def test_reconcile_champion_sees_a_push_that_comes_in_between(
    served: Served, tracking_uri: str, experiment_id: str, client: MlflowClient
) -> None:
    class SlowClient(MlflowClient):
        """Writes the first alias when another model has been pushed and named meanwhile."""

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
