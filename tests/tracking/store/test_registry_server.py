"""Registered models on a real MLflow server, which stores the files."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from mlflow.entities import LoggedModelStatus
from mlflow.tracking import MlflowClient

from components.pusher.versions import PushRecord, digest_model, publish
from tracking.store.registry import Registry

pytestmark = pytest.mark.slow


@pytest.fixture
def server_uri(tracking_uri: str, tmp_path: Path) -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    store = ["--backend-store-uri", tracking_uri, "--artifacts-destination", str(tmp_path / "kept")]
    address = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", *store, *address],
            env=os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        assert wait_for_server(url, process), (tmp_path / "log").read_text()
        mlflow.set_tracking_uri(url)
        yield url
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # and its workers
        process.wait()


def wait_for_server(url: str, process: subprocess.Popen[bytes], seconds: float = 180) -> bool:
    deadline = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{url}/health"):
                return True
        except OSError:
            time.sleep(0.5)
    return False


def test_registry_works_on_a_server(server_uri: str, tmp_path: Path) -> None:
    client = MlflowClient(server_uri)
    experiment_id = client.create_experiment("iris")
    run_id = client.create_run(experiment_id).info.run_id
    registry = Registry(client, "iris", experiment_id)
    model_dir, push_dir = tmp_path / "model", tmp_path / "serving"
    (model_dir / "assets.extra").mkdir(parents=True)
    (model_dir / "saved_model.pb").write_text("a graph")
    column = {"width": {"dtype": "float32", "shape": [-1]}}
    description = json.dumps({"inputs": column, "outputs": column})
    (model_dir / "assets.extra" / "signature.json").write_text(description)
    assert registry.reconcile_champion(push_dir) is None
    # The state that a killed process leaves.
    tags = {"model.digest": digest_model(model_dir)}
    unfinished = client.create_logged_model(experiment_id, "iris", run_id, tags)
    client.log_model_artifacts(unfinished.model_id, str(model_dir))

    versions = [registry.register(run_id, model_dir, {"width": 1.5}) for _ in range(2)]
    registry.set_challenger("1", 1000)
    publish(model_dir, push_dir, PushRecord("a-push", digest_model(model_dir)))

    assert versions == ["1", "1"]
    assert registry.reconcile_champion(push_dir) == "1"
    assert set(client.get_registered_model("iris").aliases) == {"challenger", "champion"}
    (logged,) = client.search_logged_models([experiment_id])
    assert logged.status == LoggedModelStatus.READY
    assert len(json.loads(logged.tags["mlflow.modelVersions"])) == 1
    (output,) = client.get_run(run_id).outputs.model_outputs
    assert output.model_id == logged.model_id != unfinished.model_id
    loaded = mlflow.artifacts.download_artifacts("models:/iris@champion", dst_path=str(tmp_path))
    assert digest_model(Path(loaded) / "data" / "model") == digest_model(model_dir)
    assert [path.parent.name for path in (tmp_path / "kept").rglob("artifacts")] == [
        logged.model_id
    ]
