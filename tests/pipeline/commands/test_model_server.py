"""The command `pipeline serve` as a process."""

import json
import logging
import re
import shutil
import signal
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import psutil
import pytest
import tensorflow as tf
from grpc_health.v1 import health_pb2, health_pb2_grpc

from components.pusher.versions import PushRecord, locked, publish
from pipeline.__main__ import run_command
from tests.helpers.paths import PROJECT_DIR
from tests.helpers.raw_http import Clients, ask, post
from tests.helpers.served_models import sign, write_graph, write_model
from tests.helpers.server_process import COMMAND, ServerProcess
from tests.helpers.tracker_processes import wait_for

PREDICT = post("/v1/models/half:predict", b'{"instances": [1.0]}')
READY = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n"
METRICS = b"GET /monitoring/prometheus/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("half")
    write_model(folder, 1)
    return folder


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("root")


@pytest.fixture(scope="module")
def server(half: Path, root: Path) -> Iterator[ServerProcess]:
    """Serves the pipeline's model, which has no version yet, and another model."""
    with ServerProcess(
        "--set", f"paths.root={root}", "--model", f"half={half}", "--access-log"
    ) as server:
        yield server


def test_serve_says_what_and_where(server: ServerProcess) -> None:
    lines = server.log[-5:]

    assert lines == [
        "model iris: waits for its first version",
        "model half: version 1",
        f"page and REST: http://127.0.0.1:{server.rest_port}/",
        f"gRPC: {server.grpc_address}",
        "ready",
    ]


def test_serve_logs_nothing_of_its_libraries(server: ServerProcess) -> None:
    other = [line for line in server.log[:-5] if " INFO half version 1: serving" not in line]

    assert other == []


def test_serve_answers_by_rest_and_grpc(server: ServerProcess) -> None:
    status, _, body = ask(server.rest_port, PREDICT)
    with grpc.insecure_channel(server.grpc_address) as channel:
        health = health_pb2_grpc.HealthStub(channel).Check(
            health_pb2.HealthCheckRequest(service="half"), timeout=10
        )

    assert (status, json.loads(body)) == (200, {"predictions": [2.5]})
    assert health.status == health_pb2.HealthCheckResponse.SERVING


def test_serve_takes_up_the_first_push(server: ServerProcess, half: Path, root: Path) -> None:
    before = ask(server.rest_port, READY)
    push_dir = root / "serving" / "iris"
    shutil.copytree(half / "1", push_dir / ".tmp-1")
    (push_dir / ".tmp-1").rename(push_dir / "1")
    start = time.monotonic()
    while ask(server.rest_port, READY)[0] != 200 and time.monotonic() < start + 20:
        time.sleep(0.05)

    answer = ask(server.rest_port, post("/v1/models/iris:predict", b'{"instances": [1.0]}'))

    assert (before[0], json.loads(before[2])["without_version"]) == (503, ["iris"])
    assert answer[0] == 200


def test_serve_ends_at_sigterm_having_answered_all(server: ServerProcess) -> None:
    clients = Clients(server.rest_port, "/v1/models/half:predict", 8)
    time.sleep(1)

    code = server.stop(signal.SIGTERM)

    clients.join()
    assert code == 0
    assert clients.faults == []
    assert clients.n_answers > 50
    logged = [json.loads(line) for line in server.output]
    assert sum(line["path"] == "/v1/models/half:predict" for line in logged) > clients.n_answers


@pytest.mark.slow
def test_serve_answers_through_a_hundred_pushes(half: Path, tmp_path: Path) -> None:
    def push(name: str) -> int:
        with locked(tmp_path):
            return publish(half / "1", tmp_path, PushRecord(name, "of-the-test"))

    def states(port: int) -> dict[str, str]:
        status, _, body = ask(port, b"GET /v1/models/pushed HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert status == 200
        return {one["version"]: one["state"] for one in json.loads(body)["model_version_status"]}

    push("first")
    seconds, resident, n_files = [], {}, {}
    with ServerProcess(
        "--model", f"pushed={tmp_path}", "--set", f"paths.root={tmp_path}"
    ) as server:
        process = psutil.Process(server.process.pid)
        clients = Clients(server.rest_port, "/v1/models/pushed:predict", 4)
        for number in range(1, 101):
            version = str(push(str(number)))
            start = time.monotonic()
            while states(server.rest_port).get(version) != "AVAILABLE":
                assert time.monotonic() < start + 30
                time.sleep(0.02)
            seconds.append(time.monotonic() - start)
            while "UNLOADING" in states(server.rest_port).values():
                time.sleep(0.02)
            if number in (20, 60, 100):
                resident[number] = process.memory_info().rss / 2**20
                n_files[number] = process.num_fds()
        assert server.stop() == 0
    clients.join()

    logging.getLogger(__name__).info(
        "MiB by pushes: %s; open files: %s; seconds from push to served: median %.2f, most %.2f;"
        " %d answers",
        resident,
        n_files,
        statistics.median(seconds),
        max(seconds),
        clients.n_answers,
    )
    assert clients.faults == []
    assert resident[100] - resident[20] < 40
    assert n_files[100] <= n_files[20] + 2
    assert statistics.median(seconds) < 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "half"], "--model half: must have the form NAME=DIR"),
        (["--model", "a/b=."], "'a/b' is not a name for a model"),
        (["--model", "iris=."], "--model iris=.: there is a model 'iris' already"),
        (["--model", "x=.", "--model", "x=."], "--model x=.: there is a model 'x' already"),
        (["--model", "x=no-such-folder"], "--model x=no-such-folder: there is no such folder"),
        (["--rest-port", "70000"], "--set serving.rest_port: .* less than or equal to 65535"),
        (["--grpc-port", "x"], "--set serving.grpc_port: .*'x' is not allowed"),
        (["--workers", "0"], "--set serving.workers: .*0 is not allowed"),
        (["--host", "256.0.0.1"], "256.0.0.1: .*choose another address with --host"),
        (["--set", "serving.versions.labels.new=9"], "labels.new: no model has a version 9"),
        (
            ["--set", "serving.versions={policy: specific, numbers: [1], labels: {a: 2}}"],
            "labels.a: version 2 is not in serving.versions.numbers",
        ),
        (
            ["--set", "serving.tls={certificate: none.pem, key: none.pem}"],
            "none.pem: serving.tls.certificate cannot be read",
        ),
        (["--rest-port", "8600", "--grpc-port", "8600"], "port 8600 is given to both"),
    ],
)
def test_serve_refuses_wrong_options(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(PROJECT_DIR)

    code = run_command(["serve", "--set", f"paths.root={tmp_path}", *arguments])

    text = capsys.readouterr().err
    assert code == 2
    assert text.startswith("error: ")
    assert text.count("\n") == 1
    assert re.search(message, text)


def test_serve_refuses_before_it_loads_tensorflow() -> None:
    check = (
        "import sys; from pipeline.__main__ import run_command;"
        "code = run_command(['serve', '--model', 'x=no-such-folder']);"
        "print(code, 'tensorflow' in sys.modules)"
    )
    done = subprocess.run(
        [COMMAND[0], "-c", check], cwd=PROJECT_DIR, capture_output=True, text=True, check=True
    )

    assert done.stdout == "2 False\n"


@pytest.mark.slow
def test_second_signal_ends_at_once(half: Path, tmp_path: Path) -> None:
    arguments = ["--set", f"paths.root={tmp_path}", "--set", "serving.drain_seconds=60"]
    with (
        ServerProcess(*arguments, "--model", f"half={half}") as server,
        socket.create_connection(("127.0.0.1", server.rest_port)) as slow,
    ):
        slow.sendall(PREDICT[:-5])
        time.sleep(0.5)
        server.process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        is_draining = server.process.poll() is None
        code = server.stop(signal.SIGINT)

    assert is_draining
    assert code == 128 + signal.SIGINT


@pytest.mark.slow
def test_workers_share_ports_and_are_replaced(half: Path, tmp_path: Path) -> None:
    arguments = ["--set", f"paths.root={tmp_path}", "--model", f"half={half}", "--workers", "2"]
    with ServerProcess(*arguments) as server:
        parent = psutil.Process(server.process.pid)
        workers = {child.pid for child in parent.children()}
        loads_tensorflow = any("tensorflow" in entry.path for entry in parent.memory_maps())
        for _ in range(60):
            assert ask(server.rest_port, PREDICT)[0] == 200
        time.sleep(1.5)  # each worker reports its metrics every half second
        counts = {ask(server.rest_port, METRICS)[2] for _ in range(20)}
        counted = [
            line
            for text in counts
            for line in text.decode().splitlines()
            if line.startswith(":tensorflow:serving:request_count{")
        ]

        psutil.Process(min(workers)).kill()
        end = time.monotonic() + 60
        while len({child.pid for child in parent.children()} - workers) < 1:
            assert time.monotonic() < end
            time.sleep(0.1)
        while not any("worker" in line for line in server.log) or (
            sum("half version 1: serving" in line for line in server.log) < 3
        ):
            assert time.monotonic() < end
            time.sleep(0.1)
        time.sleep(0.5)
        clients = Clients(server.rest_port, "/v1/models/half:predict", 8)
        time.sleep(1)
        code = server.stop()
        clients.join()

    assert len(workers) == 2
    assert not loads_tensorflow
    assert set(counted) == {':tensorflow:serving:request_count{model_name="half",status="OK"} 60.0'}
    assert (code, clients.faults) == (0, [])
    assert clients.n_answers > 50


@pytest.mark.slow
def test_workers_end_with_their_supervisor(half: Path, tmp_path: Path) -> None:
    arguments = ["--set", f"paths.root={tmp_path}", "--model", f"half={half}", "--workers", "2"]
    with ServerProcess(*arguments) as server:
        workers = psutil.Process(server.process.pid).children()
        server.process.kill()
        server.process.wait()
        _, alive = psutil.wait_procs(workers, 20)

    assert (len(workers), alive) == (2, [])


@pytest.mark.slow
def test_server_survives_requests_that_end_its_process(tmp_path: Path) -> None:
    with write_graph(tmp_path / "deadly" / "1") as signatures:
        x = tf.compat.v1.placeholder(tf.float32, [None], "x")
        is_13 = tf.equal(tf.reduce_max(x), 13.0)
        with tf.control_dependencies([tf.cond(is_13, _abort, tf.no_op)]):
            signatures["serving_default"] = sign({"x": x}, {"y": x + 1})
    arguments = ["--set", f"paths.root={tmp_path}", "--model", f"deadly={tmp_path / 'deadly'}"]
    path = "/v1/models/deadly:predict"
    deadly = post(path, b'{"instances": [13]}')
    harmless = post(path, b'{"instances": [1]}')
    with ServerProcess(*arguments) as server:
        for _ in range(2):
            with pytest.raises(ConnectionError):
                ask(server.rest_port, deadly)
            assert wait_for(lambda: _answers(server.rest_port, harmless))
        refused = ask(server.rest_port, deadly)
        answered = ask(server.rest_port, harmless)
        metrics = ask(server.rest_port, METRICS)[2]
        code = server.stop()

    assert refused[0] == 400
    assert b"ended 2 processes of the server" in refused[2]
    assert (answered[0], answered[2]) == (200, b'{"predictions":[2.0]}')
    assert b'serving_restarts_total{reason="SIGABRT"} 2.0' in metrics
    assert sum("died (SIGABRT) with 1 requests to answer" in line for line in server.log) == 2
    assert code == 0


def _abort() -> tf.Operation:
    return tf.raw_ops.Abort(error_msg="deadly")


def _answers(port: int, request: bytes) -> bool:
    try:
        return ask(port, request)[0] == 200
    except ConnectionError:
        return False
