"""The method Predict of the gRPC interface; y = x / 2 + 2 in version 1, + 3 in version 3."""

from collections.abc import Sequence
from typing import Any

import grpc
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import predict_pb2

from tests.helpers.grpc_client import GrpcClient, error_of, predict_request


def test_predict_returns_typed_fields_and_model_spec(client: GrpcClient) -> None:
    response = client.predict([1, 2])

    assert response.model_spec.name == "half"
    assert response.model_spec.version.value == 3
    assert response.model_spec.signature_name == "serving_default"
    assert list(response.outputs["y"].float_val) == [3.5, 4]
    assert not response.outputs["y"].tensor_content
    assert [dim.size for dim in response.outputs["y"].tensor_shape.dim] == [2]


def test_predict_handles_several_types(client: GrpcClient) -> None:
    request = predict_request([0.25], "number", signature="columns")
    request.inputs["word"].CopyFrom(tf.make_tensor_proto([b"caf\xe9"]))

    outputs = client.predictions.Predict(request, timeout=20).outputs

    assert list(outputs["scores"].float_val) == [0.25, 0.75]
    assert list(outputs["classes"].string_val) == [b"low", b"high"]
    assert list(outputs["word_bytes"].string_val) == [b"caf\xe9"]
    assert list(outputs["length"].int64_val) == [4]


def test_predict_accepts_all_forms_of_a_tensor(client: GrpcClient) -> None:
    typed = tensor_pb2.TensorProto(dtype=tf.float32.as_datatype_enum, float_val=[1, 2])
    typed.tensor_shape.dim.add().size = 2
    short = tensor_pb2.TensorProto(dtype=tf.float32.as_datatype_enum, float_val=[1])
    short.tensor_shape.dim.add().size = 2
    content = tf.make_tensor_proto(np.array([1, 2], np.float32))
    assert content.tensor_content

    answers = [list(client.predict(p).outputs["y"].float_val) for p in (typed, short, content)]

    assert answers == [[3.5, 4], [3.5, 3.5], [3.5, 4]]


def test_predict_runs_a_signature_without_batches(client: GrpcClient) -> None:
    output = client.predict(np.float32(4), signature="single").outputs["y"]
    assert list(output.float_val) == [5]
    assert not output.tensor_shape.dim


def test_predict_passes_nan_and_infinity(client: GrpcClient) -> None:
    output = client.predict([[np.nan, -np.inf]], signature="matrix").outputs["y"]
    np.testing.assert_array_equal(output.float_val, [np.nan, -np.inf])


@pytest.mark.parametrize(
    ("spec", "expected"),
    [({}, 3), ({"version": 1}, 1), ({"version": 3}, 3), ({"label": "stable"}, 1)],
)
def test_predict_uses_the_requested_version(client: GrpcClient, spec: Any, expected: Any) -> None:
    response = client.predict([0], **spec)
    assert response.model_spec.version.value == expected
    assert list(response.outputs["y"].float_val) == [2 if expected == 1 else 3]


def test_predict_applies_the_output_filter(client: GrpcClient) -> None:
    request = predict_request([0.25], "number", signature="columns", outputs=["length", "scores"])
    request.inputs["word"].CopyFrom(tf.make_tensor_proto([b"a"]))
    assert set(client.predictions.Predict(request, timeout=20).outputs) == {"length", "scores"}


_NO_SPEC = predict_pb2.PredictRequest()
_TWO_INPUTS = predict_request()
_TWO_INPUTS.inputs["z"].CopyFrom(tf.make_tensor_proto([1.0]))
_HUGE = tensor_pb2.TensorProto(dtype=tf.float32.as_datatype_enum, float_val=[1])
_HUGE.tensor_shape.dim.add().size = 10**9


@pytest.mark.parametrize(
    ("request_", "code", "text"),
    [
        (_NO_SPEC, "INVALID_ARGUMENT", "Missing ModelSpec"),
        (predict_request(model=""), "INVALID_ARGUMENT", "ModelSpec has no name specified."),
        (predict_request(model="x"), "NOT_FOUND", "Servable not found for request: Latest(x)"),
        (
            predict_request(model="empty"),
            "NOT_FOUND",
            "Servable not found for request: Latest(empty)",
        ),
        (
            predict_request(version=9),
            "NOT_FOUND",
            "Servable not found for request: Specific(half, 9)",
        ),
        (
            predict_request(version=-1),
            "NOT_FOUND",
            "Servable not found for request: Specific(half, -1)",
        ),
        (
            predict_request(label="gone"),
            "NOT_FOUND",
            "Servable not found for request: Specific(half, 7)",
        ),
        (
            predict_request(label="new"),
            "INVALID_ARGUMENT",
            "Unrecognized servable version label: new",
        ),
        (
            predict_request(signature="x"),
            "FAILED_PRECONDITION",
            'Serving signature key "x" not found.',
        ),
        (
            predict_request(outputs=["z"]),
            "INVALID_ARGUMENT",
            "output tensor alias not found in signature: z Outputs expected to be in the set {y}.",
        ),
        (
            predict_request(outputs=["y", "y"]),
            "INVALID_ARGUMENT",
            "duplicate output tensor alias: y",
        ),
        (_TWO_INPUTS, "INVALID_ARGUMENT", "Sent extra: {z}. Missing but required: {}."),
        (
            predict_request(name="z"),
            "INVALID_ARGUMENT",
            "Sent extra: {z}. Missing but required: {x}.",
        ),
        (predict_request(_HUGE), "INVALID_ARGUMENT", "tensor parsing error: x: "),
        (
            predict_request(np.zeros(101)),
            "INVALID_ARGUMENT",
            "101 examples: 100 are allowed in a request",
        ),
        (predict_request([[1]]), "INVALID_ARGUMENT", "input x: has shape [1, 1], expected [-1]"),
        (
            predict_request(tf.make_tensor_proto([1])),
            "INVALID_ARGUMENT",
            "input x: has type int32, expected float32",
        ),
        (predict_request([-1]), "INVALID_ARGUMENT", "x is negative"),
    ],
)
def test_predict_refuses_wrong_requests(
    client: GrpcClient, request_: Any, code: Any, text: str
) -> None:
    actual_code, details = error_of(client.predictions.Predict, request_)
    assert actual_code == code
    assert text in details


def test_error_text_is_cut_after_1024_bytes(client: GrpcClient) -> None:
    _, details = error_of(client.predictions.Predict, predict_request(signature="é" * 2000))
    assert details == f'Serving signature key "{"é" * 500}...TRUNCATED'


_SIZES = st.lists(st.one_of(st.integers(-2, 4), st.integers(-(2**63), 2**63 - 1)), max_size=4)
_PROTOS = st.builds(
    tensor_pb2.TensorProto,
    dtype=st.integers(0, 24),
    tensor_content=st.one_of(st.just(b""), st.binary(max_size=64)),
    float_val=st.lists(st.floats(width=32), max_size=4),
    int_val=st.lists(st.integers(-(2**31), 2**31 - 1), max_size=4),
    int64_val=st.lists(st.integers(-(2**63), 2**63 - 1), max_size=4),
    half_val=st.lists(st.integers(-(2**31), 2**31 - 1), max_size=4),
    string_val=st.lists(st.binary(max_size=8), max_size=4),
    bool_val=st.lists(st.booleans(), max_size=4),
    scomplex_val=st.lists(st.floats(width=32), max_size=4),
)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    proto=_PROTOS,
    sizes=_SIZES,
    unknown_rank=st.booleans(),
    signature=st.sampled_from(["", "matrix", "ragged", "single", "examples", "classify"]),
)
def test_any_tensor_is_answered_or_refused(
    client: GrpcClient,
    proto: tensor_pb2.TensorProto,
    sizes: Sequence[int],
    unknown_rank: bool,
    signature: Any,
) -> None:
    for size in sizes:
        proto.tensor_shape.dim.add().size = size
    proto.tensor_shape.unknown_rank = unknown_rank
    name = {"examples": "examples", "classify": "inputs"}.get(signature, "x")
    future = client.predictions.Predict.future(
        predict_request(proto, name, signature=signature), timeout=20
    )
    assert future.code() in (grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT)
