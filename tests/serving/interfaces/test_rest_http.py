"""TensorFlow Serving's REST interface over HTTP."""

import base64
import gzip
import http.client
import json
import random
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf.json_format import ParseDict
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow_serving.apis import get_model_metadata_pb2

from serving.settings import LimitSettings, ServingSettings, VersionSettings
from tests.helpers.served_models import ServerThread, write_model

_PREDICT = "/v1/models/m:predict"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rest")
    write_model(folder, 1)
    write_model(folder, 2, shift=3.0)
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[ServerThread]:
    """Serves version 1, y = x / 2 + 2, with label `stable`, and version 2, y = x / 2 + 3."""
    versions = VersionSettings(policy="all", labels={"stable": 1, "gone": 9})
    with ServerThread({"m": folder}, ServingSettings(versions=versions)) as server:
        yield server


@pytest.fixture(scope="module")
def strict_server(folder: Path) -> Iterator[ServerThread]:
    limits = LimitSettings(body_bytes=2000, examples=4, json_depth=6, timeout_seconds=0.5)
    with ServerThread({"m": folder}, ServingSettings(limits=limits)) as server:
        yield server


@pytest.fixture(scope="module")
def connection(server: ServerThread) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server.rest_port, timeout=60)
    yield connection
    connection.close()


def _send(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: Any = None,
    **headers: str,
) -> tuple[http.client.HTTPResponse, bytes]:
    if body is not None and not isinstance(body, bytes | Iterator):
        body = json.dumps(body).encode()
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    return response, response.read()


def _ask(
    connection: http.client.HTTPConnection, method: str, path: str, body: Any = None
) -> tuple[int, Any]:
    response, text = _send(connection, method, path, body)
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-content-type-options"] == "nosniff"
    return response.status, json.loads(text)


def _connect(server: ServerThread) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.server.rest_port), timeout=20)


def _read_all(client: socket.socket) -> bytes:
    parts = []
    while part := client.recv(65536):
        parts.append(part)
    return b"".join(parts)


@pytest.mark.parametrize(
    ("path", "body", "reply"),
    [
        (_PREDICT, {"instances": [1, 2.5]}, {"predictions": [3.5, 4.25]}),
        (_PREDICT, {"inputs": [1, 2.5]}, {"outputs": [3.5, 4.25]}),
        (_PREDICT, {"inputs": {"x": []}}, {"outputs": []}),
        ("/v1/models/m/versions/1:predict", {"instances": [1]}, {"predictions": [2.5]}),
        ("/v1/models/m/labels/stable:predict", {"instances": [1]}, {"predictions": [2.5]}),
        ("/V1/models/%6d:Predict?x=y", {"instances": [1]}, {"predictions": [3.5]}),
        (_PREDICT, b'{"instances": [Infinity]} and more', {"predictions": [float("inf")]}),
        (
            _PREDICT,
            {"signature_name": "columns", "instances": [{"number": 0.25, "word": "é"}]},
            {
                "predictions": [
                    {
                        "classes": ["low", "high"],
                        "length": 2,
                        "scores": [0.25, 0.75],
                        "word_bytes": {"b64": base64.b64encode("é".encode()).decode()},
                    }
                ]
            },
        ),
        (
            _PREDICT,
            {"signature_name": "columns", "inputs": {"number": [1], "word": [{"b64": "/w=="}]}},
            {
                "outputs": {
                    "classes": [["low", "high"]],
                    "length": [1],
                    "scores": [[1.0, 0.0]],
                    "word_bytes": [{"b64": "/w=="}],
                }
            },
        ),
        (
            _PREDICT,
            {"signature_name": "matrix", "instances": [[1, 2], [3, 4]]},
            {"predictions": [[3.5, 4.0], [4.5, 5.0]]},
        ),
        (
            _PREDICT,
            {"signature_name": "ragged", "instances": [[1, 2, 3]]},
            {"predictions": [6.0]},
        ),
        (_PREDICT, {"signature_name": "single", "inputs": 1}, {"outputs": 3.5}),
        (
            "/v1/models/m:classify",
            {"signature_name": "classify", "examples": [{"x": 0.25}], "context": {"x": 1.0}},
            {"results": [[["low", 0.25], ["high", 0.75]]]},
        ),
        (
            "/v1/models/m:regress",
            {"signature_name": "regress", "examples": [{"x": 1.0}, {"x": [2.0]}]},
            {"results": [3.5, 4.0]},
        ),
        (
            _PREDICT,
            {
                "signature_name": "examples",
                "instances": [
                    {
                        "b64": base64.b64encode(
                            tf.train.Example(
                                features=tf.train.Features(
                                    feature={
                                        "x": tf.train.Feature(
                                            float_list=tf.train.FloatList(value=[1])
                                        )
                                    }
                                )
                            ).SerializeToString()
                        ).decode()
                    }
                ],
            },
            {"predictions": [3.5]},
        ),
    ],
)
def test_rest_answers_requests(
    connection: http.client.HTTPConnection, path: str, body: Any, reply: Any
) -> None:
    assert _ask(connection, "POST", path, body) == (200, reply)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("POST", _PREDICT, b"", 400, "JSON Parse error: "),
        ("POST", _PREDICT, {"instances": []}, 400, "No values in 'instances' array"),
        ("POST", _PREDICT, {"instances": ["1"]}, 400, "input x: JSON Value Type: String"),
        ("POST", _PREDICT, {"instances": [[1]]}, 400, "input x: has shape [1, 1], expected [-1]"),
        ("POST", _PREDICT, {"instances": [-1]}, 400, "assertion failed"),
        (
            "POST",
            _PREDICT,
            {"signature_name": "none", "instances": [1]},
            400,
            'Serving signature name: "none" not found in signature def',
        ),
        (
            "POST",
            _PREDICT,
            {"signature_name": None, "instances": [1]},
            400,
            "'signature_name' key must be a string value.",
        ),
        (
            "POST",
            _PREDICT,
            {"signature_name": "examples", "instances": ["no example"]},
            400,
            "",
        ),
        (
            "POST",
            "/v1/models/m:classify",
            {"examples": [{"x": 1.0}]},
            400,
            "Expected classification signature method_name to be tensorflow/serving/classify. Was:",
        ),
        (
            "POST",
            "/v1/models/m:regress",
            {"signature_name": "regress", "examples": [{"x": 1}]},
            400,
            "",  # an integer becomes int64, but the model expects float32
        ),
        (
            "POST",
            "/v1/models/n:predict",
            {"instances": [1]},
            404,
            "Servable not found for request: Latest(n)",
        ),
        (
            "POST",
            "/v1/models/m/versions/9:predict",
            {"instances": [1]},
            404,
            "Servable not found for request: Specific(m, 9)",
        ),
        (
            "POST",
            "/v1/models/m/labels/gone:predict",
            {"instances": [1]},
            404,
            "Servable not found for request: Specific(m, 9)",
        ),
        (
            "POST",
            "/v1/models/m/labels/none:predict",
            {"instances": [1]},
            400,
            "Unrecognized servable version label: none",
        ),
        ("GET", "/v1/models/m/labels/none", None, 400, "Unrecognized servable version label: none"),
        ("GET", "/v1/models/n", None, 404, "Could not find any versions of model n"),
        (
            "GET",
            "/v1/models/n/metadata",
            None,
            404,
            "Servable not found for request: Latest(n)",
        ),
        ("PUT", _PREDICT, b"{}", 400, "Malformed request: PUT /v1/models/m:predict"),
        ("GET", "/none", None, 404, "Not found: /none"),
    ],
)
def test_rest_refuses_wrong_requests(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: Any,
    status: int,
    message: str,
) -> None:
    answer = _ask(connection, method, path, body)
    assert answer[0] == status
    assert answer[1].keys() == {"error"}
    assert answer[1]["error"].startswith(message)


def test_rest_returns_nan_for_nan(connection: http.client.HTTPConnection) -> None:
    body = b'{"signature_name": "matrix", "instances": [[NaN, -Infinity]]}'
    _, text = _send(connection, "POST", _PREDICT, body)
    assert text == b'{"predictions":[[NaN,-Infinity]]}'


def test_rest_reports_model_status(connection: http.client.HTTPConnection) -> None:
    def status(version: str) -> dict[str, Any]:
        ok = {"error_code": "OK", "error_message": ""}
        return {"version": version, "state": "AVAILABLE", "status": ok}

    assert _ask(connection, "GET", "/v1/models/m") == (
        200,
        {"model_version_status": [status("2"), status("1")]},
    )
    for path in ("/v1/models/m/versions/1", "/v1/models/m/labels/stable"):
        assert _ask(connection, "GET", path) == (200, {"model_version_status": [status("1")]})


def test_rest_reports_model_metadata(
    connection: http.client.HTTPConnection, server: ServerThread
) -> None:
    status, described = _ask(connection, "GET", "/v1/models/m/versions/1/metadata")
    assert status == 200
    assert described["model_spec"] == {"name": "m", "signature_name": "", "version": "1"}
    signature_defs = described["metadata"]["signature_def"]
    assert signature_defs["signature_def"]["serving_default"] == {
        "inputs": {
            "x": {
                "dtype": "DT_FLOAT",
                "name": "x:0",
                "tensor_shape": {"dim": [{"name": "", "size": "-1"}], "unknown_rank": False},
            }
        },
        "defaults": {},
        "method_name": "tensorflow/serving/predict",
        "outputs": {
            "y": {
                "dtype": "DT_FLOAT",
                "name": "y:0",
                "tensor_shape": {"dim": [{"name": "", "size": "-1"}], "unknown_rank": False},
            }
        },
    }
    message = ParseDict(signature_defs, get_model_metadata_pb2.SignatureDefMap())
    with server.server._catalog.find("m", 1) as served:
        assert dict(message.signature_def) == served.engine.signature_defs
    assert _ask(connection, "GET", "/v1/models/m/labels/stable/metadata") == (200, described)
    latest = _ask(connection, "GET", "/v1/models/m/metadata")[1]
    assert latest["model_spec"]["version"] == "2"


def test_rest_head_request_gets_no_body(connection: http.client.HTTPConnection) -> None:
    response, body = _send(connection, "HEAD", "/v1/models/m")
    assert (response.status, body) == (400, b"")


def test_rest_accepts_gzip(connection: http.client.HTTPConnection) -> None:
    body = gzip.compress(b'{"instances": [1]}')
    headers = {"content-encoding": "gzip"}
    response, text = _send(connection, "POST", _PREDICT, body, **headers)
    assert (response.status, text) == (200, b'{"predictions":[3.5]}')
    assert _send(connection, "POST", _PREDICT, b"{}", **headers)[0].status == 400


def test_rest_accepts_a_chunked_body(connection: http.client.HTTPConnection) -> None:
    parts = iter([b'{"inst', b'ances": [1', b"]}"])
    assert _ask(connection, "POST", _PREDICT, parts) == (200, {"predictions": [3.5]})


def test_rest_answers_pipelined_requests_in_order(server: ServerThread) -> None:
    requests = b""
    for i in range(20):
        body = b'{"instances": [%d]}' % i
        last = b"connection: close\r\n" if i == 19 else b""
        requests += b"POST /v1/models/m:predict HTTP/1.1\r\nhost: x\r\n%scontent-length: %d" % (
            last,
            len(body),
        )
        requests += b"\r\n\r\n" + body
    with _connect(server) as client:
        client.sendall(requests)
        text = _read_all(client)
    answers = [part.partition(b"]}")[0] for part in text.split(b'{"predictions":[')[1:]]
    assert [float(answer) for answer in answers] == [i / 2 + 3 for i in range(20)]


def _head(length: int) -> bytes:
    return b"POST /v1/models/m:predict HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % length


def test_rest_limits_examples_and_nesting(strict_server: ServerThread) -> None:
    port = strict_server.server.rest_port
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    assert _ask(connection, "POST", _PREDICT, {"instances": [1] * 4})[0] == 200
    for body, message in [
        ({"instances": [1] * 5}, "5 examples: 4 are allowed in a request"),
        ({"inputs": [1] * 5}, "5 examples: 4 are allowed in a request"),
        ({"instances": [[[[[[1]]]]]]}, "JSON Parse error: more than 6 levels"),
        (b"[" * 1500, "JSON Parse error: too many levels"),
    ]:
        assert _ask(connection, "POST", _PREDICT, body) == (400, {"error": message})
    connection.close()


def test_rest_limits_body_size(strict_server: ServerThread) -> None:
    chunked = b"POST /v1/models/m:predict HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    zipped = gzip.compress(b" " * 100_000)
    headers = b"connection: close\r\ncontent-encoding: gzip"
    unpacked = _head(len(zipped)).replace(b"host: x", headers)
    for request in (
        _head(2001),  # refused because of its length, before the body
        _head(10**12),
        chunked + b"7d1\r\n" + b" " * 2001 + b"\r\n",
        unpacked + zipped,
    ):
        with _connect(strict_server) as client:
            client.sendall(request)
            text = _read_all(client)
        head, _, body = text.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 413 ")
        assert b"connection: close" in head
        assert json.loads(body) == {"error": "the body has more than the 2000 bytes allowed"}


def test_rest_limits_time_to_receive_a_body(strict_server: ServerThread) -> None:
    with _connect(strict_server) as client:
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
            with _connect(strict_server) as client:
                client.sendall(sent)
    with _connect(strict_server) as client:
        client.sendall(_head(len(body)) + body)
        assert client.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_rest_answers_4xx_to_random_bytes(server: ServerThread) -> None:
    rng = random.Random(7)
    for _ in range(50):
        with _connect(server) as client:
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


def _check_is_answered_or_refused(
    connection: http.client.HTTPConnection, verb: str, body: bytes
) -> None:
    response, text = _send(connection, "POST", f"/v1/models/m:{verb}", body)
    assert response.status in (200, 400), text
    assert len(json.loads(text)) == 1


@settings(deadline=None, max_examples=150)
@given(_VERBS, _BODIES)
def test_rest_answers_200_or_400_to_any_body(
    connection: http.client.HTTPConnection, verb: str, body: bytes
) -> None:
    _check_is_answered_or_refused(connection, verb, body)


@pytest.mark.slow
@settings(deadline=None, max_examples=3000)
@given(_VERBS, _BODIES)
def test_rest_answers_200_or_400_to_many_bodies(
    connection: http.client.HTTPConnection, verb: str, body: bytes
) -> None:
    _check_is_answered_or_refused(connection, verb, body)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(0, 1e6, width=32), min_size=1))
def test_rest_returns_the_outputs_of_the_model(
    connection: http.client.HTTPConnection, server: ServerThread, x: list[float]
) -> None:
    _, reply = _ask(connection, "POST", _PREDICT, {"instances": x})
    with server.server._catalog.find("m") as served:
        signature = served.engine.signatures["serving_default"]
        expected = served.engine.run(signature, {"x": np.array(x, np.float32)})["y"]
    np.testing.assert_array_equal(np.array(reply["predictions"], np.float32), expected)
