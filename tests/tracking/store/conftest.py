"""Run writers and a registry in a real MLflow store, and processes that are killed."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest
from mlflow.tracking import MlflowClient

from tests.helpers.paths import PROJECT_DIR
from tests.helpers.registered_models import MakeModel
from tests.helpers.written_runs import START, MakeWriter
from tracking.events import RunStart
from tracking.store.registry import Registry
from tracking.store.run_writer import RunWriter

# The modules of the set-up import each other from their folder.
sys.path.insert(0, str(PROJECT_DIR / "tools"))


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
        """Makes the parts of a SavedModel that the registry reads: files and the signature."""
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


_KILLED_CLIENT = """
import os, signal, sys
import mlflow
from mlflow.tracking import MlflowClient
from tests.helpers.written_runs import START, MakeWriter
from tracking.events import RunStart
from tracking.store.registry import Registry
from tracking.store.run_writer import RunWriter
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
        """Registers and reconciles in a process that is killed after this call of the client."""
        arguments = [tracking_uri, experiment_id, run_id, str(model_dir), method]
        process = subprocess.run(
            [sys.executable, "-c", _KILLED_CLIENT, *arguments, str(tmp_path / "serving")],
            capture_output=True,
            text=True,
        )
        assert process.returncode == -signal.SIGKILL, process.stderr

    return die_after


@pytest.fixture
def make_writer(tracking_uri: str, tmp_path: Path) -> MakeWriter:
    def make(start: RunStart = START, on_progress: Callable[[], None] = lambda: None) -> RunWriter:
        return RunWriter(tracking_uri, str(tmp_path / "artifacts"), start, on_progress)

    return make


@pytest.fixture
def writer(make_writer: MakeWriter) -> RunWriter:
    return make_writer()
