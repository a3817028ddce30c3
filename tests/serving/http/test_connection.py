"""Clients that are slow, broken or many, against a server with a time-out of a second."""

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
from serving.http.connection import Clients, Connection, Respond
from serving.http.messages import Answer, Request
from serving.models.batching import Outputs
from serving.settings import LimitSettings, ServingSettings
from tests.helpers.raw_http import ask, is_closed, post, read_answer
from tests.helpers.served_models import ServerThread, write_model

PREDICT = post("/v1/models/half:predict", b'{"instances": [1.0]}')
GET = b"GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n"
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
    """Opens connections, which end with the test."""
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
    ids=["nothing", "line ends", "half a head", "half a body"],
)
def test_request_that_is_not_whole_in_time_is_refused(
    connect: Callable[[], socket.socket], beginning: bytes
) -> None:
    connection = connect()
    start = time.monotonic()
    connection.sendall(beginning)

    status, headers, body = read_answer(connection)

    assert 0.9 < time.monotonic() - start < 3
    assert (status, headers["connection"]) == (408, "close")
    assert json.loads(body) == {"error": "the request has not arrived within 1 s"}
    assert is_closed(connection)


def test_bytes_that_trickle_in_do_not_extend_the_time(
    connect: Callable[[], socket.socket],
) -> None:
    connection = connect()
    connection.settimeout(0.1)
    start = time.monotonic()
    status = 0
    for byte in PREDICT * 10:
        connection.sendall(bytes([byte]))
        try:
            status = read_answer(connection)[0]
            break
        except TimeoutError:
            continue

    assert (status, time.monotonic() - start < 3) == (408, True)


def test_request_after_another_has_a_time_of_its_own(
    connect: Callable[[], socket.socket],
) -> None:
    connection = connect()
    for _ in range(3):
        connection.sendall(PREDICT)
        assert read_answer(connection)[0] == 200
        time.sleep(0.5)  # idle, which may take longer than a request

    connection.sendall(PREDICT[:20])

    assert read_answer(connection)[0] == 408


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 30,
        b"GET\r\n\r\n",
        b"GET / HTTP/9\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET \xff HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    ],
)
def test_malformed_request_is_refused(
    connect: Callable[[], socket.socket], request_: bytes
) -> None:
    connection = connect()
    connection.sendall(request_)

    status, headers, body = read_answer(connection)

    assert (status, headers["content-type"]) == (400, "application/json")
    assert json.loads(body) == {"error": "malformed HTTP request"}
    assert is_closed(connection)


def test_garbage_after_a_request_leaves_its_answer(connect: Callable[[], socket.socket]) -> None:
    connection = connect()
    connection.sendall(PREDICT + b"\x00\x01\x02 garbage\r\n\r\n")

    assert json.loads(read_answer(connection)[2]) == {"predictions": [2.5]}
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
def test_head_that_is_too_long_is_refused(
    connect: Callable[[], socket.socket], head: bytes
) -> None:
    connection = connect()
    connection.sendall(head)

    assert read_answer(connection)[0] == 431
    assert is_closed(connection)


@pytest.mark.parametrize("is_chunked", [False, True])
def test_body_that_is_too_long_is_refused_though_all_of_it_is_sent(
    connect: Callable[[], socket.socket], is_chunked: bool
) -> None:
    connection = connect()
    body = b" " * (2**20 + 1)
    if is_chunked:
        head = PREDICT.partition(b"Content-Length")[0] + b"Transfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head + b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n")
    else:
        connection.sendall(post("/v1/models/half:predict", body))

    status, _, answer = read_answer(connection)

    assert status == 413
    assert json.loads(answer) == {"error": "the body has more than the 1048576 bytes allowed"}
    assert is_closed(connection)


def test_connection_too_many_is_refused_and_room_is_used_again(
    server: ServerThread, connect: Callable[[], socket.socket]
) -> None:
    kept = [connect() for _ in range(LIMITS.connections)]
    for connection in kept:  # accepted by the time it answers
        connection.sendall(GET)
        assert read_answer(connection)[0] == 200

    extra = connect()
    extra.sendall(GET)
    status, headers, body = read_answer(extra)

    assert (status, headers["connection"]) == (503, "close")
    assert json.loads(body) == {"error": "too many connections"}
    for connection in kept:
        connection.close()
    time.sleep(0.2)
    extra.close()
    assert ask(server.server.rest_port, PREDICT)[0] == 200


def test_client_that_stops_to_send_is_answered(connect: Callable[[], socket.socket]) -> None:
    connection = connect()
    connection.sendall(PREDICT)
    connection.shutdown(socket.SHUT_WR)

    assert json.loads(read_answer(connection)[2]) == {"predictions": [2.5]}
    assert is_closed(connection)


def test_other_protocol_is_not_spoken(connect: Callable[[], socket.socket]) -> None:
    connection = connect()
    connection.sendall(GET[:-2] + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n")

    assert read_answer(connection)[0] == 200
    assert is_closed(connection)


def test_answer_comes_in_one_piece(connect: Callable[[], socket.socket]) -> None:
    connection = connect()
    pieces = []
    for _ in range(50):
        connection.sendall(PREDICT)
        pieces.append(connection.recv(2**16))

    assert all(piece.endswith(b"}") for piece in pieces)


def test_head_is_answered_without_a_body(connect: Callable[[], socket.socket]) -> None:
    connection = connect()
    connection.sendall(GET.replace(b"GET", b"HEAD"))
    head = connection.recv(2**16)

    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert head.endswith(b"\r\n\r\n")


def test_pipelined_requests_are_answered_in_order(connect: Callable[[], socket.socket]) -> None:
    connection = connect()
    paths = [f"/v1/models/model-{n}" for n in range(100)]
    for path in paths:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
    answers = b""
    while answers.count(b"HTTP/1.1 404") < 100:
        answers += connection.recv(2**16)

    positions = [answers.find(f"model-{n}".encode()) for n in range(100)]

    assert -1 not in positions
    assert positions == sorted(positions)


def test_client_that_never_reads_costs_little_and_is_dropped(
    server: ServerThread, connect: Callable[[], socket.socket]
) -> None:
    gc.collect()
    before = psutil.Process().memory_info().rss
    connections = [connect() for _ in range(8)]
    for connection in connections:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.setblocking(False)
    request = b"GET /v1/models/half/metadata HTTP/1.1\r\nHost: test\r\n\r\n" * 1000
    end = time.monotonic() + 20
    while server.server.connections and time.monotonic() < end:
        for connection in connections:
            with suppress(OSError):  # full, or dropped already
                connection.send(request)
        time.sleep(0.05)

    assert not server.server.connections
    assert psutil.Process().memory_info().rss - before < 64 * 2**20
    assert ask(server.server.rest_port, PREDICT)[0] == 200


def test_client_that_asks_first_is_told_to_go_on(connect: Callable[[], socket.socket]) -> None:
    connection = connect()
    head, _, body = PREDICT.partition(b"\r\n\r\n")
    connection.sendall(head + b"\r\nExpect: 100-continue\r\n\r\n")
    assert connection.recv(2**16) == b"HTTP/1.1 100 Continue\r\n\r\n"

    connection.sendall(body)

    assert json.loads(read_answer(connection)[2]) == {"predictions": [2.5]}


def test_client_of_http_1_0_is_answered_and_let_go(connect: Callable[[], socket.socket]) -> None:
    connection = connect()
    connection.sendall(PREDICT.replace(b"HTTP/1.1", b"HTTP/1.0"))

    _, headers, body = read_answer(connection)

    assert (headers["connection"], json.loads(body)) == ("close", {"predictions": [2.5]})
    assert is_closed(connection)


class _Model:
    """Takes requests, and never answers by itself."""

    def __init__(self) -> None:
        self.pending: list[asyncio.Future[Outputs]] = []

    def handle(self, request: Request, respond: Respond) -> "asyncio.Future[Outputs]":
        def end(future: "asyncio.Future[Outputs]") -> None:
            respond(Answer(200, "text/plain", str(future.exception()).encode()))

        future: asyncio.Future[Outputs] = asyncio.get_running_loop().create_future()
        future.add_done_callback(end)
        self.pending.append(future)
        return future


@asynccontextmanager
async def asked(model: _Model, *requests: bytes) -> AsyncIterator[tuple[Clients, Any, Any]]:
    """Gives the clients of a server, and a stream of a connection that has asked."""
    clients = Clients(model.handle, LIMITS)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(clients), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"".join(requests))
    while len(model.pending) < 1:
        await asyncio.sleep(0.01)
    try:
        yield clients, reader, writer
    finally:
        writer.close()
        server.close()
        for connection in list(clients.connections):
            connection.transport.abort()
        await asyncio.sleep(0.01)


def code_of(future: "asyncio.Future[Outputs]") -> Code:
    """Gives the code of the error that a future holds."""
    error = future.exception()
    assert isinstance(error, ServingError)
    return error.code


def test_answer_that_takes_too_long_is_given_up() -> None:
    async def run() -> None:
        model = _Model()
        async with asked(model, GET) as (clients, reader, _):
            (connection,) = clients.connections
            connection.check(time.monotonic() + LIMITS.timeout_seconds - 0.2)
            assert not model.pending[0].done()
            connection.check(time.monotonic() + LIMITS.timeout_seconds)
            assert (await reader.readuntil(b"model")).endswith(
                b"Timed out waiting for the answer of the model"
            )
            assert code_of(model.pending[0]) == Code.DEADLINE_EXCEEDED

    asyncio.run(run())


def test_answer_that_nobody_waits_for_is_given_up() -> None:
    async def run() -> None:
        model = _Model()
        async with asked(model, GET) as (clients, _, writer):
            # As the end of a process, and not of its requests only.
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.close()
            while clients.connections:
                await asyncio.sleep(0.01)
            assert [code_of(future) for future in model.pending] == [Code.CANCELLED]

    asyncio.run(run())


def test_requests_are_answered_one_after_another_while_no_more_are_read() -> None:
    async def run() -> None:
        model = _Model()
        async with asked(model, GET, GET, GET) as (clients, reader, writer):
            await asyncio.sleep(0.05)
            assert len(model.pending) == 1
            writer.write(GET * 10_000)
            await asyncio.sleep(0.05)
            assert clients.n_requests == 3
            for _ in range(3):
                model.pending[-1].set_exception(ServingError(Code.OK, "done"))
                await reader.readuntil(b"done")
            while clients.n_requests == 3:  # until more are read
                await asyncio.sleep(0.01)

    asyncio.run(run())
