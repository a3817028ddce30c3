"""Limits, errors and metrics of gRPC calls, and the description of the services."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import descriptor_pool
from google.protobuf.internal import api_implementation
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.errors import Code
from serving.interfaces.grpc_api import require_fast_protobuf
from serving.models.catalog import Catalog
from serving.settings import LimitSettings, ServingSettings
from serving.telemetry.metrics import Metrics
from tests.helpers.grpc_client import PREDICT_PATH, GrpcClient, error_of, predict_request
from tests.helpers.served_models import ServerThread, sign, write_graph

_V1 = tf.compat.v1
_Seen = list[tuple[str, str, str, Code, float]]


@pytest.fixture
def slow_client(tmp_path: Path, request: Any) -> Iterator[GrpcClient]:
    """A client of a server with a slow model and the settings of the test."""
    _write_slow_model(tmp_path / "slow")
    with ServerThread({"slow": tmp_path / "slow"}, request.param) as server:
        client = GrpcClient(server)
        yield client
        client.close()


@pytest.fixture
def requests_seen(monkeypatch: pytest.MonkeyPatch) -> _Seen:
    """Collects the arguments of `Metrics.observe_request`."""
    seen: _Seen = []
    monkeypatch.setattr(
        Metrics,
        "observe_request",
        lambda _, model, api, entrypoint, code, seconds: seen.append(
            (model, api, entrypoint, code, seconds)
        ),
    )
    return seen


def _write_slow_model(folder: Path) -> None:
    with write_graph(folder / "1") as signatures:
        x = _V1.placeholder(tf.float32, [None], "x")
        numbers = tf.random.uniform([2000, 2000])
        y = x + tf.minimum(tf.reduce_sum(numbers @ numbers @ numbers @ numbers), 0)
        signatures["serving_default"] = sign({"x": x}, {"y": y})


def test_invalid_message_is_refused(client: GrpcClient) -> None:
    assert error_of(client.channel.unary_unary(PREDICT_PATH), b"\xff garbage") == (
        "INVALID_ARGUMENT",
        "no PredictRequest message was sent",
    )


def test_call_without_a_message_is_refused(client: GrpcClient) -> None:
    code, _ = error_of(client.channel.stream_unary(PREDICT_PATH), iter([]))
    assert code == "INVALID_ARGUMENT"


def test_too_large_message_is_refused(client: GrpcClient) -> None:
    code, _ = error_of(client.predictions.Predict, predict_request(np.zeros(2**16 + 1)))
    assert code == "RESOURCE_EXHAUSTED"


@pytest.mark.parametrize(
    "slow_client", [ServingSettings(limits=LimitSettings(timeout_seconds=0.1))], indirect=True
)
def test_timeout_covers_message_and_response(slow_client: GrpcClient, requests_seen: _Seen) -> None:
    late = threading.Event()

    def send() -> Iterator[bytes]:
        late.wait(10)
        yield b""

    n_calls = 20  # so that some end just before a tick of the rounded clock, some after
    for _ in range(n_calls):
        call = slow_client.channel.stream_unary(PREDICT_PATH).future(send())
        with pytest.raises(grpc.RpcError) as caught:
            call.result(timeout=10)
        assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    late.set()
    assert error_of(slow_client.predictions.Predict, predict_request(model="slow"))[0] == (
        "DEADLINE_EXCEEDED"
    )
    assert [(seen[0], seen[3]) for seen in requests_seen] == [
        *[("", Code.DEADLINE_EXCEEDED)] * n_calls,
        ("slow", Code.DEADLINE_EXCEEDED),
    ]


@pytest.mark.parametrize("slow_client", [ServingSettings()], indirect=True)
def test_deadline_of_the_client_ends_its_request(
    slow_client: GrpcClient, requests_seen: _Seen
) -> None:
    request = predict_request(model="slow")

    assert error_of(slow_client.predictions.Predict, request, timeout=0.1)[0] == (
        "DEADLINE_EXCEEDED"
    )

    limit = time.monotonic() + 10
    while not requests_seen and time.monotonic() < limit:
        time.sleep(0.01)
    (seen,) = requests_seen
    assert seen[3] in (Code.DEADLINE_EXCEEDED, Code.CANCELLED)
    assert 0.05 < seen[4] < 0.3


@pytest.mark.parametrize(
    "slow_client",
    [ServingSettings(batching={"max_batch_size": 1, "max_enqueued_batches": 2})],
    indirect=True,
)
def test_requests_beyond_the_queue_are_refused(slow_client: GrpcClient) -> None:
    futures = [
        slow_client.predictions.Predict.future(predict_request([1], model="slow"), timeout=60)
        for _ in range(6)
    ]
    codes = [future.code() for future in futures]
    assert codes.count(grpc.StatusCode.OK) >= 2
    assert set(codes) == {grpc.StatusCode.OK, grpc.StatusCode.RESOURCE_EXHAUSTED}


def test_too_many_concurrent_calls_are_refused(tmp_path: Path) -> None:
    limits = LimitSettings(connections=1)
    with ServerThread({"half": tmp_path}, ServingSettings(limits=limits)) as server:
        client = GrpcClient(server)
        watch = client.health.Watch(health_pb2.HealthCheckRequest(), timeout=60)
        next(watch)
        assert error_of(client.predictions.Predict, predict_request())[0] == "RESOURCE_EXHAUSTED"
        watch.cancel()
        limit = time.monotonic() + 10
        while (code := error_of(client.predictions.Predict, predict_request())[0]) != "NOT_FOUND":
            assert code == "RESOURCE_EXHAUSTED"
            assert time.monotonic() < limit
        client.close()


def test_requests_are_counted_with_their_code(client: GrpcClient, requests_seen: _Seen) -> None:
    client.predict()
    error_of(client.predictions.Predict, predict_request(model="x"))
    error_of(client.channel.unary_unary(PREDICT_PATH), b"\xff")

    assert [seen[:4] for seen in requests_seen] == [
        ("half", "GRPC", "Predict", Code.OK),
        ("x", "GRPC", "Predict", Code.NOT_FOUND),
        ("", "GRPC", "Predict", Code.INVALID_ARGUMENT),
    ]
    assert all(0 < seen[4] < 20 for seen in requests_seen)


def test_unexpected_error_is_logged_and_hidden(
    client: GrpcClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def find(*_: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr(Catalog, "find", find)
    assert error_of(client.predictions.Predict, predict_request()) == ("INTERNAL", "internal error")
    assert "a secret" in caplog.text


def test_reflection_describes_the_services(client: GrpcClient) -> None:
    database = ProtoReflectionDescriptorDatabase(client.channel)

    assert set(database.get_services()) == {
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
        "tensorflow.serving.ModelService",
        "tensorflow.serving.PredictionService",
    }
    pool = descriptor_pool.DescriptorPool(database)
    service = pool.FindServiceByName("tensorflow.serving.PredictionService")
    predict = service.FindMethodByName("Predict")
    assert [field.name for field in predict.input_type.fields][:3] == [
        "model_spec",
        "inputs",
        "output_filter",
    ]


def test_pure_python_protobuf_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_implementation, "Type", lambda: "python")
    with pytest.raises(RuntimeError, match="PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION"):
        require_fast_protobuf()


@pytest.mark.filterwarnings("ignore:Unexpected end-group tag:RuntimeWarning")  # protobuf's parser
@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_refused(client: GrpcClient, body: bytes) -> None:
    future = client.channel.unary_unary(PREDICT_PATH).future(body, timeout=20)
    assert future.code() in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND)
