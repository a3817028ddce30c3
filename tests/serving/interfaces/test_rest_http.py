"""TensorFlow Serving's REST interface over HTTP."""

import base64
import gzip
import http.client
from contextlib import closing
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf.json_format import ParseDict
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow_serving.apis import get_model_metadata_pb2

from tests.helpers.rest_client import ask, connect, send
from tests.helpers.served_models import ServerThread

_PREDICT = "/v1/models/m:predict"


@pytest.mark.parametrize(
    ("path", "body", "expected"),
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
    connection: http.client.HTTPConnection, path: str, body: Any, expected: Any
) -> None:
    assert ask(connection, "POST", path, body) == (200, expected)


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
    answer = ask(connection, method, path, body)
    assert answer[0] == status
    assert answer[1].keys() == {"error"}
    assert answer[1]["error"].startswith(message)


def test_rest_returns_nan_for_nan(connection: http.client.HTTPConnection) -> None:
    body = b'{"signature_name": "matrix", "instances": [[NaN, -Infinity]]}'
    _, text = send(connection, "POST", _PREDICT, body)
    assert text == b'{"predictions":[[NaN,-Infinity]]}'


def test_rest_reports_model_status(connection: http.client.HTTPConnection) -> None:
    def status(version: str) -> dict[str, Any]:
        ok = {"error_code": "OK", "error_message": ""}
        return {"version": version, "state": "AVAILABLE", "status": ok}

    assert ask(connection, "GET", "/v1/models/m") == (
        200,
        {"model_version_status": [status("2"), status("1")]},
    )
    for path in ("/v1/models/m/versions/1", "/v1/models/m/labels/stable"):
        assert ask(connection, "GET", path) == (200, {"model_version_status": [status("1")]})


def test_rest_reports_model_metadata(
    connection: http.client.HTTPConnection, rest_server: ServerThread
) -> None:
    status, described = ask(connection, "GET", "/v1/models/m/versions/1/metadata")
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
    with rest_server.server._catalog.find("m", 1) as served:
        assert dict(message.signature_def) == served.engine.signature_defs
    assert ask(connection, "GET", "/v1/models/m/labels/stable/metadata") == (200, described)
    latest = ask(connection, "GET", "/v1/models/m/metadata")[1]
    assert latest["model_spec"]["version"] == "2"


def test_rest_head_request_gets_no_body(connection: http.client.HTTPConnection) -> None:
    response, body = send(connection, "HEAD", "/v1/models/m")
    assert (response.status, body) == (200, b"")
    length = send(connection, "GET", "/v1/models/m")[0].headers["content-length"]
    assert response.headers["content-length"] == length


def test_rest_accepts_gzip(connection: http.client.HTTPConnection) -> None:
    body = gzip.compress(b'{"instances": [1]}')
    headers = {"content-encoding": "gzip"}
    response, text = send(connection, "POST", _PREDICT, body, **headers)
    assert (response.status, text) == (200, b'{"predictions":[3.5]}')
    assert send(connection, "POST", _PREDICT, b"{}", **headers)[0].status == 400


def test_rest_accepts_a_chunked_body(connection: http.client.HTTPConnection) -> None:
    parts = iter([b'{"inst', b'ances": [1', b"]}"])
    assert ask(connection, "POST", _PREDICT, parts) == (200, {"predictions": [3.5]})


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(0, 1e6, width=32), min_size=1))
def test_rest_returns_the_outputs_of_the_model(rest_server: ServerThread, x: list[float]) -> None:
    with closing(connect(rest_server)) as connection:
        _, document = ask(connection, "POST", _PREDICT, {"instances": x})
    with rest_server.server._catalog.find("m") as served:
        signature = served.engine.signatures["serving_default"]
        expected = served.engine.run(signature, {"x": np.array(x, np.float32)})["y"]
    np.testing.assert_array_equal(np.array(document["predictions"], np.float32), expected)
