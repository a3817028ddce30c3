"""MLflow's commands with a registered model, in an environment with its requirements only."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import pytest
import tensorflow as tf
from mlflow.tracking import MlflowClient
from setup_uv import find_uv, uv_environ

from components.pusher.versions import PushRecord, digest_model, publish
from tests.helpers.exported_models import ROWS, export_classifier, to_tensors
from tests.helpers.paths import PROJECT_DIR
from tracking.store.registry import Registry

pytestmark = [
    pytest.mark.servers,
    pytest.mark.timeout(900),
    pytest.mark.filterwarnings("ignore:`tf.layers.dense` is deprecated:UserWarning"),
    # Keras draws the seeds of layers with randint(1, 1e9).
    pytest.mark.filterwarnings("ignore:non-integer arguments to randrange:DeprecationWarning"),
]
CHAMPION = "models:/iris@champion"
UNREACHABLE = ("error sending request", "dns error", "Could not connect", "timed out")


@dataclass(frozen=True)
class Environment:
    """An environment with the requirements of a model, and the store with the model."""

    bin_dir: Path
    variables: Mapping[str, str]

    def command(self, *arguments: str) -> list[str]:
        return [str(self.bin_dir / "mlflow"), "models", *arguments, "--env-manager", "local"]


@pytest.fixture(scope="module")
def saved_model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_classifier(tmp_path_factory.mktemp("classifier"))


@pytest.fixture(scope="module")
def tracking_uri(
    made_store: Path, saved_model_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A store in which the model is the champion."""
    folder = tmp_path_factory.mktemp("store")
    shutil.copyfile(made_store, folder / "mlflow.db")
    tracking_uri = f"sqlite:///{folder / 'mlflow.db'}"
    mlflow.set_tracking_uri(tracking_uri)
    client = MlflowClient(tracking_uri)
    experiment_id = client.create_experiment("iris", (folder / "artifacts").as_uri())
    registry = Registry(client, "iris", experiment_id)
    registry.register(client.create_run(experiment_id).info.run_id, saved_model_dir, ROWS[0])
    publish(
        saved_model_dir, folder / "serving", PushRecord("a-push", digest_model(saved_model_dir))
    )
    assert registry.reconcile_champion(folder / "serving") == "1"
    yield tracking_uri
    mlflow.set_tracking_uri(None)


@pytest.fixture(scope="module")
def environment(tracking_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    folder = tmp_path_factory.mktemp("environment")
    uv = find_uv(PROJECT_DIR)
    if uv is None:
        pytest.skip("there is no uv: `make setup` fetches it")
    model_dir = mlflow.artifacts.download_artifacts(CHAMPION, dst_path=str(folder / "model"))
    python = str(folder / "venv" / "bin" / "python")
    requirements = str(Path(model_dir) / "requirements.txt")
    for command in (
        ["venv", "--python", sys.executable, str(folder / "venv")],
        ["pip", "install", "--python", python, "--requirement", requirements],
    ):
        done = subprocess.run([uv, *command], env=uv_environ(), capture_output=True, text=True)
        if done.returncode and any(words in done.stderr for words in UNREACHABLE):
            pytest.skip(f"the package registry cannot be reached: {done.stderr}")
        assert done.returncode == 0, done.stderr
    path = f"{folder / 'venv' / 'bin'}{os.pathsep}{os.defpath}"
    variables = {"PATH": path, "HOME": str(folder), "MLFLOW_TRACKING_URI": tracking_uri}
    return Environment(folder / "venv" / "bin", variables)


@pytest.fixture(scope="module")
def expected(saved_model_dir: Path) -> list[dict[str, Any]]:
    """Predictions of TensorFlow for `ROWS`, row by row."""
    signature = tf.saved_model.load(str(saved_model_dir)).signatures["serving_default"]
    found = {name: tensor.numpy() for name, tensor in signature(**to_tensors(ROWS)).items()}
    return [
        {
            "class_ids": int(found["class_ids"][row, 0]),
            "classes": found["classes"][row, 0].decode(),
            "logits": found["logits"][row].tolist(),
            "probabilities": found["probabilities"][row].tolist(),
        }
        for row in range(len(ROWS))
    ]


def test_environment_is_free_of_this_project(environment: Environment, tmp_path: Path) -> None:
    command = [str(environment.bin_dir / "python"), "-c", "import components"]

    done = subprocess.run(
        command, env=environment.variables, cwd=tmp_path, capture_output=True, text=True
    )

    assert "No module named 'components'" in done.stderr


def test_mlflow_models_predict_takes_raw_rows(
    environment: Environment, expected: list[dict[str, Any]], tmp_path: Path
) -> None:
    (tmp_path / "rows.json").write_text(json.dumps({"dataframe_records": ROWS}))
    options = ["-m", CHAMPION, "-i", "rows.json", "-t", "json", "-o", "predictions.json"]

    done = subprocess.run(
        environment.command("predict", *options),
        env=environment.variables,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "predictions.json").read_text())
    assert found == {"predictions": expected}


@pytest.fixture(scope="module")
def server(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of `mlflow models serve`, which runs until the tests end."""
    folder = tmp_path_factory.mktemp("server")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            environment.command("serve", "-m", CHAMPION, "-h", "127.0.0.1", "-p", str(port)),
            env=environment.variables,
            cwd=folder,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        assert wait_for_server(url, process), (folder / "log").read_text()
        yield url
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # and its workers
        process.wait()


def wait_for_server(url: str, process: subprocess.Popen[bytes], seconds: float = 180) -> bool:
    deadline = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{url}/ping"):
                return True
        except OSError:
            time.sleep(0.5)
    return False


def post(url: str, rows: list[dict[str, Any]]) -> Any:
    request = urllib.request.Request(
        f"{url}/invocations",
        json.dumps({"dataframe_records": rows}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def test_mlflow_models_serve_answers_for_raw_rows(
    server: str, expected: list[dict[str, Any]]
) -> None:
    assert post(server, ROWS) == {"predictions": expected}
    assert [len(post(server, [row])["predictions"]) for row in ROWS] == [1, 1, 1]


def test_mlflow_models_serve_takes_ints_for_floats(server: str) -> None:
    whole, decimal = ({**ROWS[0], "area": area} for area in (5, 5.0))

    assert post(server, [whole]) == post(server, [decimal])


def test_mlflow_models_serve_names_missing_columns(server: str) -> None:
    row = {name: value for name, value in ROWS[0].items() if name != "rooms"}

    with pytest.raises(urllib.error.HTTPError) as caught:
        post(server, [row])

    assert caught.value.code == 400
    assert "missing inputs ['rooms']" in json.load(caught.value)["message"]
