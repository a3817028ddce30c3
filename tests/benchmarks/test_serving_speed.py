"""The server, the model alone, a plain FastAPI handler and MLflow's server, measured in turns."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

from components.pusher.versions import PushRecord, digest_model, locked, publish
from tests.benchmarks.grpc_load import ECHO
from tests.benchmarks.measurements import Row
from tests.benchmarks.results import ResultsFolder
from tests.helpers.e2e_workspace import Workspace
from tests.helpers.paths import PROJECT_DIR

pytestmark = pytest.mark.benchmark

HERE = Path(__file__).resolve().parent
ROUNDS = 5
SECONDS = "3"
SWAPPING_SECONDS = "5"
ROW = {"sepal_length": 5.1, "sepal_width": 3.3, "petal_length": 1.7, "petal_width": 0.5}
TARGETS: dict[str, tuple[str, float | None, Literal["at most", "at least"]]] = {
    "REST, 1 client: median time / bare call of the model": ("ms", 3.0, "at most"),
    "REST, 1 client: median time / the engine's own call": ("ms", None, "at most"),
    "REST, 32 clients / bare calls of the model": ("answers/s", 2.0, "at least"),
    "REST, 32 clients / the engine's own calls": ("answers/s", None, "at least"),
    "REST, 32 clients / plain FastAPI": ("answers/s", 10.0, "at least"),
    "REST, 32 clients / mlflow models serve": ("answers/s", 50.0, "at least"),
    "gRPC, 32 clients / echo by grpc.aio": ("answers/s", 0.4, "at least"),
}
"""Unit, bound and its direction for the medians. A bare call uses `Session.make_callable`."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def started(*command: str | Path, port: int, env: dict[str, str]) -> Iterator[None]:
    """Runs a server for the block, which begins once the server listens."""
    process = subprocess.Popen(
        [sys.executable, *command], cwd=PROJECT_DIR, env=env, start_new_session=True
    )
    try:
        for _ in range(1200):
            if is_listening(port):
                break
            assert process.poll() is None
            time.sleep(0.1)
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def tell(*command: str | Path, env: dict[str, str]) -> dict[str, float]:
    """Runs a program of this folder that prints one JSON object."""
    script, *arguments = command
    done = subprocess.run(
        [sys.executable, HERE / script, *arguments],
        cwd=PROJECT_DIR,
        env=env,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told


def predict_request(path: Path) -> Path:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "iris"
    for name, value in ROW.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto([value], tf.float32))
    path.write_bytes(request.SerializeToString())
    return path


def write_json(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content))
    return path


@pytest.mark.timeout(1800)
def test_server_is_as_fast_as_promised(tmp_path: Path, results: ResultsFolder) -> None:
    workspace = Workspace(tmp_path / "artifacts")
    pushed = workspace.run()["pushed_path"]
    env = {
        **os.environ,
        "PATH": os.pathsep.join((os.path.dirname(sys.executable), os.environ["PATH"])),
        "PYTHONPATH": str(PROJECT_DIR),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "MLFLOW_TRACKING_URI": f"sqlite:///{workspace.root / 'mlflow.db'}",
    }
    rest, grpc, plain, mlflow, echo = (str(free_port()) for _ in range(5))
    rows = write_json(tmp_path / "rows.json", {"instances": [ROW]})
    records = write_json(tmp_path / "records.json", {"dataframe_records": [ROW]})
    request = predict_request(tmp_path / "request")
    with ExitStack() as stack:
        root = f"paths.root={workspace.root}"
        ours = ("serve", "--rest-port", rest, "--grpc-port", grpc, "--set", root)
        models = ("models", "serve", "-m", "models:/iris@champion", "--env-manager", "local")
        for port, command in {
            rest: ["-m", "pipeline", *ours],
            plain: [HERE / "plain_server.py", pushed, plain],
            mlflow: ["-m", "mlflow", *models, "--workers", "1", "-p", mlflow],
            echo: [HERE / "grpc_load.py", "echo", echo],
        }.items():
            stack.enter_context(started(*command, port=int(port), env=env))
        while not _is_ready(rest):
            time.sleep(0.1)

        def http(port: str, path: str, body: Path, n_clients: int) -> dict[str, float]:
            return tell("http_load.py", port, path, body, str(n_clients), SECONDS, env=env)

        predict = "/v1/models/iris:predict"
        figures: dict[str, list[tuple[float, float]]] = {name: [] for name in TARGETS}
        for n_rounds in range(ROUNDS + 1):
            bare = tell("bare_call.py", pushed, SECONDS, env=env)
            alone = http(rest, predict, rows, 1)
            many = http(rest, predict, rows, 32)
            naive = http(plain, "/predict", rows, 32)
            theirs = http(mlflow, "/invocations", records, 32)
            call = tell(
                *("grpc_load.py", "load", grpc, "/tensorflow.serving.PredictionService/Predict"),
                *(request, "32", SECONDS),
                env=env,
            )
            floor = tell("grpc_load.py", "load", echo, ECHO, request, "32", SECONDS, env=env)
            print(
                f"bare {bare['p50'] * 1000:.0f} us (engine {bare['engine'] * 1000:.0f});"
                f" REST 1: {alone['p50'] * 1000:.0f} us; REST 32:"
                f" {many['rate']:.0f}/s, p50 {many['p50']:.1f} ms, p99 {many['p99']:.1f} ms;"
                f" FastAPI {naive['rate']:.0f}/s; MLflow {theirs['rate']:.0f}/s;"
                f" gRPC {call['rate']:.0f}/s, echo {floor['rate']:.0f}/s"
            )
            found = (
                (alone["p50"], bare["p50"]),
                (alone["p50"], bare["engine"]),
                (many["rate"], 1000 / bare["p50"]),
                (many["rate"], 1000 / bare["engine"]),
                (many["rate"], naive["rate"]),
                (many["rate"], theirs["rate"]),
                (call["rate"], floor["rate"]),
            )
            for name, pair in zip(TARGETS, found, strict=True):
                if n_rounds > 0:  # the first call is slow with many servers
                    figures[name].append(pair)
    results.keep(*(_make_row(name, pairs) for name, pairs in figures.items()))


@pytest.mark.timeout(900)
def test_swapping_versions_delays_few_requests(tmp_path: Path, results: ResultsFolder) -> None:
    workspace = Workspace(tmp_path / "artifacts")
    pushed = Path(workspace.run()["pushed_path"])
    env = {**os.environ, "PYTHONPATH": str(PROJECT_DIR), "TF_CPP_MIN_LOG_LEVEL": "3"}
    rest, grpc = (str(free_port()) for _ in range(2))
    rows = write_json(tmp_path / "rows.json", {"instances": [ROW]})
    ours = ("serve", "--rest-port", rest, "--grpc-port", grpc)
    root = ("--set", f"paths.root={workspace.root}")

    def p99() -> float:
        """Sends requests to the server; any status but 200 is an error."""
        arguments = (rest, "/v1/models/iris:predict", rows, "8", SWAPPING_SECONDS)
        return tell("http_load.py", *arguments, env=env)["p99"]

    found = []
    with started("-m", "pipeline", *ours, *root, port=int(rest), env=env):
        while not _is_ready(rest):
            time.sleep(0.1)
        p99()
        for _ in range(ROUNDS):
            steady = p99()
            before = len(workspace.versions())
            with pushing(pushed):
                swapping = p99()
            n_pushed = len(workspace.versions()) - before
            print(f"p99 {steady:.1f} ms, with {n_pushed} pushes {swapping:.1f} ms", flush=True)
            assert n_pushed > 1
            found.append((swapping, steady))
    swapping, steady = zip(*found, strict=True)
    row = Row(
        name="REST, 8 clients: 99th percentile, a version pushed each second",
        unit="ms",
        ours=swapping,
        other="nothing pushed",
        theirs=steady,
        must=8.0,
    )
    results.keep(row)


@contextmanager
def pushing(pushed: Path) -> Iterator[None]:
    """Pushes a copy of a version each second until the end of the block."""
    is_over = threading.Event()

    def push() -> None:
        while not is_over.wait(1):
            with locked(pushed.parent):
                publish(pushed, pushed.parent, PushRecord("a-run", digest_model(pushed)))

    with ThreadPoolExecutor(1) as pool:
        pushes = pool.submit(push)
        try:
            yield
        finally:
            is_over.set()
        pushes.result()


def _make_row(name: str, pairs: list[tuple[float, float]]) -> Row:
    unit, must, bound = TARGETS[name]
    ours, theirs = zip(*pairs, strict=True)
    what, other = name.split(" / ")
    return Row(name=what, unit=unit, ours=ours, other=other, theirs=theirs, bound=bound, must=must)


def _is_ready(port: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
            return int(answer.status) == 200
    except urllib.error.HTTPError:
        return False
