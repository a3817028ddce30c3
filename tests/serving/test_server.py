"""The whole server: ports, TLS, health, metrics and draining."""

import json
import socket
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from serving.errors import StartError
from serving.listeners import open_listeners
from serving.settings import ServingSettings, TlsSettings
from tests.helpers.raw_http import Clients, ask, is_closed, post, read_response
from tests.helpers.served_models import ServerThread, write_model

PREDICT = post("/v1/models/half:predict", b'{"instances": [1.0]}')
READY = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("half")
    write_model(folder, 1)
    return folder


@pytest.fixture(scope="module")
def server(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerThread]:
    """Serves a model, and another one that has no version yet."""
    empty = tmp_path_factory.mktemp("empty")
    settings = ServingSettings(drain_seconds=0.0)
    with ServerThread({"half": folder, "empty": empty}, settings) as server:
        yield server


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> TlsSettings:
    """A self-signed certificate for 127.0.0.1."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=test"
    subprocess.run(
        [
            *command.split(),
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            f"-keyout={key}",
            f"-out={certificate}",
        ],
        check=True,
        capture_output=True,
    )
    return TlsSettings(certificate=str(certificate), key=str(key))


def test_readyz_needs_a_version_of_each_model(server: ServerThread) -> None:
    port = server.server.rest_port
    alive = ask(port, READY.replace(b"readyz", b"healthz"))
    status, _, body = ask(port, READY)

    assert alive[0] == 200
    assert status == 503
    assert json.loads(body) == {"ready": False, "draining": False, "without_version": ["empty"]}


def test_describe_names_versions_and_addresses(server: ServerThread) -> None:
    assert server.server.describe() == [
        "model half: version 1",
        "model empty: waits for its first version",
        f"page and REST: {server.url}/",
        f"gRPC: {server.grpc_address}",
    ]


def test_metrics_are_exposed_for_prometheus(server: ServerThread) -> None:
    ask(server.server.rest_port, PREDICT)
    request = b"GET /monitoring/prometheus/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
    status, headers, body = ask(server.server.rest_port, request)

    assert status == 200
    assert headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert b':tensorflow:serving:request_count{model_name="half",status="OK"}' in body
    assert b'serving_load_seconds_count{model_name="half",status="OK"} 1.0' in body
    assert b'serving_version{model_name="half"} 1.0' in body
    assert b'serving_version{model_name="empty"} 0.0' in body


@pytest.mark.parametrize("name", ["rest", "grpc"])
def test_port_in_use_is_refused(name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        settings = ServingSettings.model_validate(
            {"rest_port": 0, "grpc_port": 0, f"{name}_port": port}
        )
        title = {"rest": "REST", "grpc": "gRPC"}[name]
        with (
            pytest.raises(
                StartError, match=rf"^127.0.0.1:{port}: the {title} port is in use; .*--{name}"
            ),
            open_listeners(settings),
        ):
            pass


def test_port_of_a_running_server_is_refused(server: ServerThread) -> None:
    for key, port in (("rest", server.server.rest_port), ("grpc", server.server.grpc_port)):
        settings = ServingSettings.model_validate(
            {"rest_port": 0, "grpc_port": 0, f"{key}_port": port}
        )
        with pytest.raises(StartError, match="is in use"), open_listeners(settings):
            pass


def test_same_port_for_both_is_refused() -> None:
    settings = ServingSettings(rest_port=8600, grpc_port=8600)
    with pytest.raises(StartError, match="port 8600 is given to both"), open_listeners(settings):
        pass


@pytest.mark.parametrize(
    ("certificate", "key", "message"),
    [
        ("absent", "key", "absent: serving.tls.certificate cannot be read: No such file"),
        ("certificate", "absent", "absent: serving.tls.key cannot be read: No such file"),
        ("certificate", "other", "key values mismatch"),
        ("text", "key", "private key without a password: "),
        ("certificate", "locked", "private key without a password: "),
    ],
)
def test_wrong_tls_file_is_refused(
    tls: TlsSettings, tmp_path: Path, certificate: str, key: str, message: str
) -> None:
    paths = {name: tmp_path / name for name in ("absent", "other", "text", "locked")}
    paths |= {"certificate": Path(tls.certificate), "key": Path(tls.key)}
    paths["text"].write_text("no PEM")
    for command in (
        f"openssl genrsa -out {paths['other']} 2048",
        f"openssl rsa -aes128 -passout pass:word -in {tls.key} -out {paths['locked']}",
    ):
        subprocess.run(command.split(), check=True, capture_output=True)
    files = TlsSettings(certificate=str(paths[certificate]), key=str(paths[key]))
    settings = ServingSettings(rest_port=0, grpc_port=0, tls=files)

    with pytest.raises(StartError, match=message), open_listeners(settings):
        pass


def test_rest_and_grpc_use_tls(folder: Path, tls: TlsSettings) -> None:
    settings = ServingSettings(tls=tls, drain_seconds=0.0)
    with ServerThread({"half": folder}, settings) as server:
        context = ssl.create_default_context(cafile=tls.certificate)
        url = f"https://127.0.0.1:{server.server.rest_port}/v1/models/half:predict"
        with urllib.request.urlopen(url, b'{"instances": [1.0]}', 10, context=context) as answer:
            predicted = json.load(answer)
        credentials = grpc.ssl_channel_credentials(Path(tls.certificate).read_bytes())
        with grpc.secure_channel(server.grpc_address, credentials) as channel:
            health = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(), timeout=10
            )

    assert predicted == {"predictions": [2.5]}
    assert health.status == health_pb2.HealthCheckResponse.SERVING


class DrainedServer(ServerThread):
    """A server that stops when the test calls `drain`."""

    def drain(self) -> None:
        self.loop.call_soon_threadsafe(self._stop.set)

    def __exit__(self, *_: object) -> None:
        self._thread.join(60)
        assert not self._thread.is_alive()


def test_draining_server_is_not_ready(folder: Path) -> None:
    with DrainedServer({"half": folder}) as server:
        port = server.server.rest_port
        with (
            socket.create_connection(("127.0.0.1", port), 5) as kept,
            grpc.insecure_channel(server.grpc_address) as channel,
        ):
            check = health_pb2_grpc.HealthStub(channel).Check
            before = check(health_pb2.HealthCheckRequest(), timeout=10).status
            server.drain()
            time.sleep(0.2)
            while_draining = check(health_pb2.HealthCheckRequest(), timeout=10).status
            new = ask(port, READY)
            kept.sendall(PREDICT)
            old = read_response(kept)
            has_ended = is_closed(kept)

    status = health_pb2.HealthCheckResponse
    assert (before, while_draining) == (status.SERVING, status.NOT_SERVING)
    assert new[0] == 503
    assert json.loads(new[2])["draining"] is True
    assert (old[0], old[1]["connection"], has_ended) == (200, "close", True)


def drain_under_load(folder: Path) -> Clients:
    with ServerThread({"half": folder}, ServingSettings(drain_seconds=0.3)) as server:
        clients = Clients(server.server.rest_port, "/v1/models/half:predict", 8)
        time.sleep(0.5)
    clients.join()
    return clients


def test_drain_loses_no_request(folder: Path) -> None:
    clients = drain_under_load(folder)

    assert clients.faults == []
    assert clients.n_answers > 50


@pytest.mark.slow
def test_repeated_drains_lose_no_request(folder: Path) -> None:
    all_clients = [drain_under_load(folder) for _ in range(20)]

    assert [clients.faults for clients in all_clients] == [[]] * 20


def test_drain_closes_idle_connections(folder: Path) -> None:
    with DrainedServer({"half": folder}, ServingSettings(drain_seconds=0.3)) as server:
        idle = socket.create_connection(("127.0.0.1", server.server.rest_port), 5)
        idle.sendall(PREDICT)
        read_response(idle)
        start = time.monotonic()
        server.drain()
    seconds = time.monotonic() - start
    idle.close()

    assert 0.3 <= seconds < 3


def test_drain_answers_an_incomplete_request(folder: Path) -> None:
    with DrainedServer({"half": folder}, ServingSettings(drain_seconds=0.2)) as server:
        slow = socket.create_connection(("127.0.0.1", server.server.rest_port), 5)
        slow.sendall(PREDICT[:-5])
        time.sleep(0.1)
        server.drain()
        time.sleep(0.6)
        slow.sendall(PREDICT[-5:])
        answer = read_response(slow)
        slow.close()

    assert json.loads(answer[2]) == {"predictions": [2.5]}
