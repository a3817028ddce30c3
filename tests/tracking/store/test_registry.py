"""Registered models in a real MLflow store."""

import shutil
from pathlib import Path

import mlflow
import pytest
from mlflow.entities import LoggedModelStatus
from mlflow.tracking import MlflowClient

from components.pusher.versions import digest_model
from tests.helpers.registered_models import (
    EXAMPLE,
    MakeModel,
    assert_registered_once,
    logged_models,
)
from tracking.store.registry import Registry

# register


def test_register_makes_a_version_of_the_run(
    registry: Registry, client: MlflowClient, run_id: str, model_dir: Path
) -> None:
    version = registry.register(run_id, model_dir, EXAMPLE)

    found = client.get_model_version("iris", version)
    assert (version, found.run_id, found.status) == ("1", run_id, "READY")
    assert found.tags == {"model.digest": digest_model(model_dir)}


def test_register_links_run_and_model(
    registry: Registry, client: MlflowClient, experiment_id: str, run_id: str, model_dir: Path
) -> None:
    for _ in range(2):
        registry.register(run_id, model_dir, EXAMPLE)

    (logged,) = logged_models(client, experiment_id)
    assert (logged.name, logged.source_run_id) == ("iris", run_id)
    (output,) = client.get_run(run_id).outputs.model_outputs
    assert output.model_id == logged.model_id


def test_register_records_the_source(
    registry: Registry, client: MlflowClient, run_id: str, model_dir: Path
) -> None:
    version = registry.register(run_id, model_dir, EXAMPLE)

    info = mlflow.models.get_model_info(f"models:/iris/{version}")
    assert info.run_id == run_id
    assert f"models:/{info.model_id}" == client.get_model_version("iris", version).source
    assert info.signature.inputs.input_names() == ["width"]


def test_register_does_not_register_twice(
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


def test_register_after_the_upload_was_deleted(
    registry: Registry, client: MlflowClient, experiment_id: str, run_id: str, model_dir: Path
) -> None:
    registry.register(run_id, model_dir, EXAMPLE)
    (logged,) = logged_models(client, experiment_id)
    client.delete_logged_model(logged.model_id)

    assert registry.register(run_id, model_dir, EXAMPLE) == "1"


def test_register_removes_a_failed_upload(
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


def test_register_keeps_uploads_of_running_runs(
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


# challenger


@pytest.mark.parametrize("times", [(1000, 2000), (2000, 1000)], ids=["in order", "out of order"])
def test_set_challenger_names_the_last_trained(
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
