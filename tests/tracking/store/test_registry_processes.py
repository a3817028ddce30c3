"""Registered models, written by several processes or by killed ones."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from components.pusher.versions import digest_model
from tests.helpers.registered_models import (
    EXAMPLE,
    MakeModel,
    assert_registered_once,
)
from tracking.store.registry import Registry


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
def test_register_repairs_after_a_kill(
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
    """Registers models in a process each, and returns the version by model."""
    command = [sys.executable, "-c", _REGISTER_AT_ONCE, tracking_uri, experiment_id]
    process = subprocess.run([*command, *map(str, models)], capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    answers = [line.split() for line in process.stdout.splitlines()]
    assert len(answers) == len(models)
    versions = dict(answers)
    assert all(versions[model] == version for model, version in answers)
    return versions


@pytest.mark.slow
def test_register_one_model_in_eight_processes(
    tracking_uri: str, client: MlflowClient, experiment_id: str, model_dir: Path
) -> None:
    (version,) = register_at_once(tracking_uri, experiment_id, [model_dir] * 8).values()

    assert_registered_once(client, experiment_id, model_dir)
    assert str(client.get_model_version_by_alias("iris", "challenger").version) == version


@pytest.mark.slow
def test_register_eight_models_at_once(
    tracking_uri: str, client: MlflowClient, experiment_id: str, make_model: MakeModel
) -> None:
    models = [make_model(f"model-{number}") for number in range(8)]

    versions = register_at_once(tracking_uri, experiment_id, models)

    assert {int(version) for version in versions.values()} == set(range(1, 9))
    for model, version in versions.items():
        tags = client.get_model_version("iris", version).tags
        assert tags["model.digest"] == digest_model(model)
