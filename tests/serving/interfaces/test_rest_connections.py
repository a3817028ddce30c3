"""REST requests that are pipelined, too large, too slow, broken or random."""

import gzip
import json
import random
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.settings import LimitSettings, ServingSettings
from tests.helpers.rest_client import ask, connect, send
from tests.helpers.served_models import ServerThread

_PREDICT = "/v1/models/m:predict"


@pytest.fixture(scope="module")
def strict_server(rest_folder: Path) -> Iterator[ServerThread]:
    limits = LimitSettings(body_bytes=2000, examples=4, json_depth=6, timeout_seconds=0.5)
    with ServerThread({"m": rest_folder}, ServingSettings(limits=limits)) as server:
        yield server


def _open_socket(server: ServerThread) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.server.rest_port), timeout=20)


def _read_all(client: socket.socket) -> bytes:
    parts = []
    while part := client.recv(65536):
        parts.append(part)
    return b"".join(parts)


def test_rest_answers_pipelined_requests_in_order(rest_server: ServerThread) -> None:
    requests = b""
    for i in range(20):
        body = b'{"instances": [%d]}' % i
        last = b"connection: close\r\n" if i == 19 else b""
        requests += (
            b"POST /v1/models/m:predict HTTP/1.1\r\nhost: localhost\r\n%scontent-length: %d"
            % (
                last,
                len(body),
            )
        )
        requests += b"\r\n\r\n" + body
    with _open_socket(rest_server) as client:
        client.sendall(requests)
        text = _read_all(client)
    answers = [part.partition(b"]}")[0] for part in text.split(b'{"predictions":[')[1:]]
    assert [float(answer) for answer in answers] == [i / 2 + 3 for i in range(20)]


def _head(length: int) -> bytes:
    return (
        b"POST /v1/models/m:predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: %d\r\n\r\n"
        % length
    )


def test_rest_limits_examples_and_nesting(strict_server: ServerThread) -> None:
    connection = connect(strict_server)
    assert ask(connection, "POST", _PREDICT, {"instances": [1] * 4})[0] == 200
    for body, message in [
        ({"instances": [1] * 5}, "5 examples: 4 are allowed in a request"),
        ({"inputs": [1] * 5}, "5 examples: 4 are allowed in a request"),
        ({"instances": [[[[[[1]]]]]]}, "JSON Parse error: more than 6 levels"),
        (b"[" * 1500, "JSON Parse error: too many levels"),
    ]:
        assert ask(connection, "POST", _PREDICT, body) == (400, {"error": message})
    connection.close()


def test_rest_limits_body_size(strict_server: ServerThread) -> None:
    chunked = _head(0).replace(b"content-length: 0", b"transfer-encoding: chunked")
    zipped = gzip.compress(b" " * 100_000)
    headers = b"host: localhost\r\nconnection: close\r\ncontent-encoding: gzip"
    unpacked = _head(len(zipped)).replace(b"host: localhost", headers)
    for request in (
        _head(2001),  # refused because of its length, before the body
        _head(10**12),
        chunked + b"7d1\r\n" + b" " * 2001 + b"\r\n",
        unpacked + zipped,
    ):
        with _open_socket(strict_server) as client:
            client.sendall(request)
            text = _read_all(client)
        head, _, body = text.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 413 ")
        assert b"connection: close" in head
        assert json.loads(body) == {"error": "the body has more than the 2000 bytes allowed"}


def test_rest_limits_time_to_receive_a_body(strict_server: ServerThread) -> None:
    with _open_socket(strict_server) as client:
        start = time.monotonic()
        client.sendall(_head(100) + b"{")
        text = _read_all(client)
    assert text.startswith(b"HTTP/1.1 408 ")
    assert 0.4 < time.monotonic() - start < 10


def test_rest_survives_clients_that_disconnect(
    strict_server: ServerThread,
) -> None:
    body = b'{"instances": [1]}'
    for sent in (b"", b"POST", _head(100)[:-2], _head(100) + b"{", _head(len(body)) + body):
        for _ in range(20):
            with _open_socket(strict_server) as client:
                client.sendall(sent)
    with _open_socket(strict_server) as client:
        client.sendall(_head(len(body)) + body)
        assert client.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_rest_answers_4xx_to_random_bytes(rest_server: ServerThread) -> None:
    rng = random.Random(7)
    for _ in range(50):
        with _open_socket(rest_server) as client:
            client.sendall(rng.randbytes(rng.randrange(1, 300)) + b"\r\n\r\n")
            client.shutdown(socket.SHUT_WR)
            try:
                text = _read_all(client)
            except ConnectionResetError:
                continue
        assert text == b"" or text.startswith(b"HTTP/1.1 4"), text
        assert b"Traceback" not in text


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text("a\ud800", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["x", "b64", "number", "word"]), inner, max_size=3)
    ),
    max_leaves=6,
)
_SIGNATURES = ["serving_default", "columns", "matrix", "ragged", "single", "examples"]
_BODIES = st.one_of(
    st.binary(max_size=50),
    _VALUES.map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries(
        {},
        optional={
            "signature_name": st.sampled_from([*_SIGNATURES, "classify", "regress", "", "none"]),
            "instances": _VALUES,
            "inputs": _VALUES,
            "examples": st.lists(st.dictionaries(st.just("x"), _VALUES, max_size=1), max_size=2),
            "context": _VALUES,
        },
    ).map(lambda value: json.dumps(value).encode()),
)
_VERBS = st.sampled_from(["predict", "classify", "regress"])


def _check_is_answered_or_refused(server: ServerThread, verb: str, body: bytes) -> None:
    with closing(connect(server)) as connection:
        response, text = send(connection, "POST", f"/v1/models/m:{verb}", body)
    assert response.status in (200, 400), text
    assert len(json.loads(text)) == 1


@settings(deadline=None, max_examples=150)
@given(_VERBS, _BODIES)
def test_rest_answers_200_or_400_to_any_body(
    rest_server: ServerThread, verb: str, body: bytes
) -> None:
    _check_is_answered_or_refused(rest_server, verb, body)


@pytest.mark.slow
@settings(deadline=None, max_examples=3000)
@given(_VERBS, _BODIES)
def test_rest_answers_200_or_400_to_many_bodies(
    rest_server: ServerThread, verb: str, body: bytes
) -> None:
    _check_is_answered_or_refused(rest_server, verb, body)
