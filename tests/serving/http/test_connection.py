"""Slow, broken and too many clients, against a server with a timeout of one second."""

import asyncio
import gc
import json
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import psutil
import pytest

from serving.errors import Code, ServingError
from serving.http.connection import Connection, Send, ServerState
from serving.http.messages import Request, Response
from serving.models.batching import Outputs
from serving.settings import LimitSettings, ServingSettings
from tests.helpers.raw_http import ask, is_closed, post, read_response
from tests.helpers.served_models import ServerThread, write_model

PREDICT = post("/v1/models/half:predict", b'{"instances": [1.0]}')
GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
LIMITS = LimitSettings(timeout_seconds=1.0, body_bytes=2**20, connections=40)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerThread]:
    folder = tmp_path_factory.mktemp("half")
    write_model(folder, 1)
    settings = ServingSettings(limits=LIMITS, drain_seconds=0.0)
    with ServerThread({"half": folder}, settings) as server:
        yield server


@pytest.fixture
def connect(server: ServerThread) -> Iterator[Callable[[], socket.socket]]:
    """Opens connections that are closed after the test."""
    connections = []

    def connect() -> socket.socket:
        connections.append(socket.create_connection(("127.0.0.1", server.server.rest_port), 5))
        return connections[-1]

    yield connect
    for connection in connections:
        connection.close()


@pytest.mark.parametrize(
    "beginning",
    [b"", b"\r\n", PREDICT[:20], PREDICT[:-3]],
    ids=["nothing", "line ends", "half the headers", "half the body"],
)
def test_incomplete_request_times_out(
    connect: Callable[[], socket.socket], beginning: bytes
) -> None:
    connection = connect()
    start = time.monotonic()
    connection.sendall(beginning)

    status, headers, body = read_response(connection)

    assert 0.9 < time.monotonic() - start < 3
    assert (status, headers["connection"]) == (408, "close")
    assert json.loads(body) == {"error": "the request has not arrived within 1 s"}
    assert is_closed(connection)


def test_trickling_bytes_do_not_extend_the_timeout(
    connect: Callable[[], socket.socket],
) -> None:
    connection = connect()
    connection.settimeout(0.1)
    start = time.monotonic()
    status = 0
    for byte in PREDICT * 10:
        connection.sendall(bytes([byte]))
        try:
            status = read_response(connection)[0]
            break
        except TimeoutError:
            continue

    assert (status, time.monotonic() - start < 3) == (408, True)


def test_each_request_has_its_own_timeout(
    connect: Callable[[], socket.socket],
) -> None:
    connection = connect()
    for _ in range(3):
        connection.sendall(PREDICT)
        assert read_response(connection)[0] == 200
        time.sleep(0.5)  # idle time does not count

    connection.sendall(PREDICT[:20])

    assert read_response(connection)[0] == 408


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 30,
        b"GET\r\n\r\n",
        b"GET / HTTP/9\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET \xff HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    ],
)
def test_malformed_request_is_refused(
    connect: Callable[[], socket.socket], request_: bytes
) -> None:
    connection = connect()
    connection.sendall(request_)

    status, headers, body = read_response(connection)

    assert (status, headers["content-type"]) == (400, "application/json")
    assert json.loads(body) == {"error": "malformed HTTP request"}
    assert is_closed(connection)


def test_garbage_after_a_request_keeps_its_response(connect: Callable[[], socket.socket]) -> None:
    connection = connect()
    connection.sendall(PREDICT + b"\x00\x01\x02 garbage\r\n\r\n")

    assert json.loads(read_response(connection)[2]) == {"predictions": [2.5]}
    assert is_closed(connection)


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000,
        b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20_000 + b"\r\n",
    ],
    ids=["unfinished", "path", "many"],
)
def test_too_large_headers_are_refused(connect: Callable[[], socket.socket], head: bytes) -> None:
    connection = connect()
    connection.sendall(head)

    assert read_response(connection)[0] == 431
    assert is_closed(connection)


@pytest.mark.parametrize("is_chunked", [False, True])
def test_too_large_body_is_refused(connect: Callable[[], socket.socket], is_chunked: bool) -> None:
    connection = connect()
    body = b" " * (2**20 + 1)
    if is_chunked:
        head = PREDICT.partition(b"Content-Length")[0] + b"Transfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head + b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n")
    else:
        connection.sendall(post("/v1/models/half:predict", body))

    status, _, answer = read_response(connection)

    assert status == 413
    assert json.loads(answer) == {"error": "the body has more than the 1048576 bytes allowed"}
    assert is_closed(connection)


def test_too_many_connections_are_refused(
    server: ServerThread, connect: Callable[[], socket.socket]
) -> None:
    kept = [connect() for _ in range(LIMITS.connections)]
    for connection in kept:  # a response shows that the connection is accepted
        connection.sendall(GET)
        assert read_response(connection)[0] == 200

    extra = connect()
    extra.sendall(GET)
    status, headers, body = read_response(extra)

    assert (status, headers["connection"]) == (503, "close")
    assert json.loads(body) == {"error": "too many connections"}
    for connection in kept:
        connection.close()
    time.sleep(0.2)
    extra.close()
    assert ask(server.server.rest_port, PREDICT)[0] == 200


def test_half_closed_connection_gets_its_response(connect: Callable[[], socket.socket]) -> None:
    connection = connect()
    connection.sendall(PREDICT)
    connection.shutdown(socket.SHUT_WR)

    assert json.loads(read_response(connection)[2]) == {"predictions": [2.5]}
    assert is_closed(connection)


def test_upgrade_to_another_protocol_is_ignored(connect: Callable[[], socket.socket]) -> None:
    connection = connect()
    connection.sendall(GET[:-2] + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n")

    assert read_response(connection)[0] == 200
    connection.sendall(GET)
    assert read_response(connection)[0] == 200


def test_response_arrives_in_one_piece(connect: Callable[[], socket.socket]) -> None:
    connection = connect()
    pieces = []
    for _ in range(50):
        connection.sendall(PREDICT)
        pieces.append(connection.recv(2**16))

    assert all(piece.endswith(b"}") for piece in pieces)


def test_head_request_gets_no_body(connect: Callable[[], socket.socket]) -> None:
    connection = connect()
    connection.sendall(GET.replace(b"GET", b"HEAD"))
    head = connection.recv(2**16)

    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert head.endswith(b"\r\n\r\n")


def test_pipelined_requests_are_answered_in_order(connect: Callable[[], socket.socket]) -> None:
    connection = connect()
    paths = [f"/v1/models/model-{n}" for n in range(100)]
    for path in paths:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    answers = b""
    while answers.count(b"HTTP/1.1 404") < 100:
        answers += connection.recv(2**16)

    positions = [answers.find(f"model-{n}".encode()) for n in range(100)]

    assert -1 not in positions
    assert positions == sorted(positions)


def test_client_that_never_reads_is_dropped(
    server: ServerThread, connect: Callable[[], socket.socket]
) -> None:
    gc.collect()
    before = psutil.Process().memory_info().rss
    connections = [connect() for _ in range(8)]
    for connection in connections:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.setblocking(False)
    request = b"GET /v1/models/half/metadata HTTP/1.1\r\nHost: localhost\r\n\r\n" * 1000
    end = time.monotonic() + 20
    while server.server.connections and time.monotonic() < end:
        for connection in connections:
            with suppress(OSError):  # the buffer is full, or the connection closed
                connection.send(request)
        time.sleep(0.05)

    assert not server.server.connections
    assert psutil.Process().memory_info().rss - before < 64 * 2**20
    assert ask(server.server.rest_port, PREDICT)[0] == 200


def test_expect_header_gets_100_continue(connect: Callable[[], socket.socket]) -> None:
    connection = connect()
    head, _, body = PREDICT.partition(b"\r\n\r\n")
    connection.sendall(head + b"\r\nExpect: 100-continue\r\n\r\n")
    assert connection.recv(2**16) == b"HTTP/1.1 100 Continue\r\n\r\n"

    connection.sendall(body)

    assert json.loads(read_response(connection)[2]) == {"predictions": [2.5]}


def test_http_1_0_request_closes_the_connection(connect: Callable[[], socket.socket]) -> None:
    connection = connect()
    connection.sendall(PREDICT.replace(b"HTTP/1.1", b"HTTP/1.0"))

    _, headers, body = read_response(connection)

    assert (headers["connection"], json.loads(body)) == ("close", {"predictions": [2.5]})
    assert is_closed(connection)


class _Model:
    """Collects the futures of requests, which the test completes."""

    def __init__(self) -> None:
        self.pending: list[asyncio.Future[Outputs]] = []

    def handle(self, request: Request, send: Send) -> "asyncio.Future[Outputs]":
        def end(future: "asyncio.Future[Outputs]") -> None:
            send(Response(200, "text/plain", str(future.exception()).encode()))

        future: asyncio.Future[Outputs] = asyncio.get_running_loop().create_future()
        future.add_done_callback(end)
        self.pending.append(future)
        return future


@asynccontextmanager
async def asked(model: _Model, *requests: bytes) -> AsyncIterator[tuple[ServerState, Any, Any]]:
    """Sends requests on a new connection; yields the server's state and the connection's stream."""
    server = ServerState(model.handle, LIMITS)
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(lambda: Connection(server), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*listener.sockets[0].getsockname())
    writer.write(b"".join(requests))
    while len(model.pending) < 1:
        await asyncio.sleep(0.01)
    try:
        yield server, reader, writer
    finally:
        writer.close()
        listener.close()
        for connection in list(server.connections):
            connection.transport.abort()
        await asyncio.sleep(0.01)


def code_of(future: "asyncio.Future[Outputs]") -> Code:
    """Returns the code of a future's error."""
    error = future.exception()
    assert isinstance(error, ServingError)
    return error.code


def test_slow_model_ends_in_a_timeout() -> None:
    async def run() -> None:
        model = _Model()
        async with asked(model, GET) as (server, reader, _):
            (connection,) = server.connections
            connection.check(time.monotonic() + LIMITS.timeout_seconds - 0.2)
            assert not model.pending[0].done()
            connection.check(time.monotonic() + LIMITS.timeout_seconds)
            assert (await reader.readuntil(b"model")).endswith(b"Timed out waiting for the model")
            assert code_of(model.pending[0]) == Code.DEADLINE_EXCEEDED

    asyncio.run(run())


def test_lost_connection_cancels_its_request() -> None:
    async def run() -> None:
        model = _Model()
        async with asked(model, GET) as (server, _, writer):
            # Resets the connection, as when the client's process ends.
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.close()
            while server.connections:
                await asyncio.sleep(0.01)
            assert [code_of(future) for future in model.pending] == [Code.CANCELLED]

    asyncio.run(run())


def test_pending_response_pauses_reading() -> None:
    async def run() -> None:
        model = _Model()
        async with asked(model, GET, GET, GET) as (server, reader, writer):
            await asyncio.sleep(0.05)
            assert len(model.pending) == 1
            writer.write(GET * 10_000)
            await asyncio.sleep(0.05)
            assert server.n_requests == 3
            for _ in range(3):
                model.pending[-1].set_exception(ServingError(Code.OK, "done"))
                await reader.readuntil(b"done")
            while server.n_requests == 3:  # until reading goes on
                await asyncio.sleep(0.01)

    asyncio.run(run())
