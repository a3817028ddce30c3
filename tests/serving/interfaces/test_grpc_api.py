import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import descriptor_pool
from google.protobuf.internal import api_implementation
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorflow.core.example import example_pb2
from tensorflow.core.framework import tensor_pb2
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from serving.errors import Code
from serving.interfaces.grpc_api import require_fast_protobuf
from serving.models.catalog import Catalog
from serving.settings import LimitSettings, ServingSettings, VersionSettings
from serving.telemetry.metrics import Metrics
from tests.helpers.served_models import ServerThread, write_model

_V1 = tf.compat.v1
_Seen = list[tuple[str, str, str, Code, float]]
_PREDICT = "/tensorflow.serving.PredictionService/Predict"
_SETTINGS = ServingSettings(
    versions=VersionSettings(policy="all", labels={"stable": 1, "gone": 7}),
    limits=LimitSettings(body_bytes=2**18, examples=100),
)


class _Client:
    """The stubs of a server."""

    def __init__(self, server: ServerThread) -> None:
        self.server = server
        self.channel = grpc.insecure_channel(server.grpc_address)
        self.predictions = prediction_service_pb2_grpc.PredictionServiceStub(self.channel)
        self.models = model_service_pb2_grpc.ModelServiceStub(self.channel)
        self.health = health_pb2_grpc.HealthStub(self.channel)

    def predict(
        self, values: Any = (1.0, 2.0), name: str = "x", timeout: float = 20, **spec: Any
    ) -> Any:
        return self.predictions.Predict(_request(values, name, **spec), timeout=timeout)

    def close(self) -> None:
        self.channel.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("half")
    write_model(folder, 1)
    write_model(folder, 3, shift=3.0)
    (folder / "5").mkdir()
    (folder / "5" / "saved_model.pb").write_bytes(b"nothing")
    return folder


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[_Client]:
    with ServerThread({"half": folder, "empty": folder / "none"}, _SETTINGS) as server:
        client = _Client(server)
        yield client
        client.close()


@pytest.fixture
def slow_client(tmp_path: Path, request: Any) -> Iterator[_Client]:
    """A server of a model that takes its time, with the limits of the test."""
    _write_slow_model(tmp_path / "slow")
    with ServerThread({"slow": tmp_path / "slow"}, request.param) as server:
        client = _Client(server)
        yield client
        client.close()


@pytest.fixture
def requests_seen(monkeypatch: pytest.MonkeyPatch) -> _Seen:
    """What the metrics are told of requests."""
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
    with tf.Graph().as_default(), _V1.Session() as session:
        x = _V1.placeholder(tf.float32, [None], "x")
        numbers = tf.random.uniform([2000, 2000])
        y = x + tf.minimum(tf.reduce_sum(numbers @ numbers @ numbers @ numbers), 0)
        info = _V1.saved_model.build_tensor_info
        signature = _V1.saved_model.build_signature_def(
            {"x": info(x)}, {"y": info(y)}, "tensorflow/serving/predict"
        )
        builder = _V1.saved_model.builder.SavedModelBuilder(str(folder / "1"))
        builder.add_meta_graph_and_variables(
            session, ["serve"], signature_def_map={"serving_default": signature}
        )
        builder.save()


def _spec(
    message: Any,
    model: str = "half",
    signature: Any = "",
    version: int | None = None,
    label: str | None = None,
) -> Any:
    message.model_spec.name = model
    message.model_spec.signature_name = signature
    if version is not None:
        message.model_spec.version.value = version
    if label is not None:
        message.model_spec.version_label = label
    return message


def _request(
    values: Any = (1.0, 2.0), name: str = "x", *, outputs: Any = (), **spec: Any
) -> predict_pb2.PredictRequest:
    request = _spec(predict_pb2.PredictRequest(output_filter=outputs), **spec)
    if not isinstance(values, tensor_pb2.TensorProto):
        values = tf.make_tensor_proto(np.array(values, np.float32))
    request.inputs[name].CopyFrom(values)
    return request


def _example(**numbers: float) -> example_pb2.Example:
    features = {
        name: tf.train.Feature(float_list=tf.train.FloatList(value=[number]))
        for name, number in numbers.items()
    }
    return example_pb2.Example(features=tf.train.Features(feature=features))


def _fill(message: Any, *xs: float) -> Any:
    message.input.example_list.examples.extend(_example(x=x) for x in xs)
    return message


def _classification(*xs: float, **spec: Any) -> Any:
    return _fill(_spec(classification_pb2.ClassificationRequest(), **spec), *xs)


def _regression(*xs: float, **spec: Any) -> Any:
    return _fill(_spec(regression_pb2.RegressionRequest(), **spec), *xs)


def _refusal(method: Any, request: Any, timeout: float = 20) -> tuple[str, str]:
    with pytest.raises(grpc.RpcError) as caught:
        method(request, timeout=timeout)
    return caught.value.code().name, caught.value.details()


def test_predict_returns_typed_fields_and_model_spec(client: _Client) -> None:
    response = client.predict([1, 2])

    assert response.model_spec.name == "half"
    assert response.model_spec.version.value == 3
    assert response.model_spec.signature_name == "serving_default"
    assert list(response.outputs["y"].float_val) == [3.5, 4]
    assert not response.outputs["y"].tensor_content
    assert [dim.size for dim in response.outputs["y"].tensor_shape.dim] == [2]


def test_predict_handles_several_types(client: _Client) -> None:
    request = _request([0.25], "number", signature="columns")
    request.inputs["word"].CopyFrom(tf.make_tensor_proto([b"caf\xe9"]))

    outputs = client.predictions.Predict(request, timeout=20).outputs

    assert list(outputs["scores"].float_val) == [0.25, 0.75]
    assert list(outputs["classes"].string_val) == [b"low", b"high"]
    assert list(outputs["word_bytes"].string_val) == [b"caf\xe9"]
    assert list(outputs["length"].int64_val) == [4]


def test_predict_accepts_all_forms_of_a_tensor(client: _Client) -> None:
    typed = tensor_pb2.TensorProto(dtype=tf.float32.as_datatype_enum, float_val=[1, 2])
    typed.tensor_shape.dim.add().size = 2
    short = tensor_pb2.TensorProto(dtype=tf.float32.as_datatype_enum, float_val=[1])
    short.tensor_shape.dim.add().size = 2
    content = tf.make_tensor_proto(np.array([1, 2], np.float32))
    assert content.tensor_content

    answers = [list(client.predict(p).outputs["y"].float_val) for p in (typed, short, content)]

    assert answers == [[3.5, 4], [3.5, 3.5], [3.5, 4]]


def test_predict_runs_a_signature_without_batches(client: _Client) -> None:
    output = client.predict(np.float32(4), signature="single").outputs["y"]
    assert list(output.float_val) == [5]
    assert not output.tensor_shape.dim


def test_predict_passes_nan_and_infinity(client: _Client) -> None:
    output = client.predict([[np.nan, -np.inf]], signature="matrix").outputs["y"]
    np.testing.assert_array_equal(output.float_val, [np.nan, -np.inf])


@pytest.mark.parametrize(
    ("spec", "expected"),
    [({}, 3), ({"version": 1}, 1), ({"version": 3}, 3), ({"label": "stable"}, 1)],
)
def test_predict_uses_the_requested_version(client: _Client, spec: Any, expected: Any) -> None:
    response = client.predict([0], **spec)
    assert response.model_spec.version.value == expected
    assert list(response.outputs["y"].float_val) == [2 if expected == 1 else 3]


def test_predict_applies_the_output_filter(client: _Client) -> None:
    request = _request([0.25], "number", signature="columns", outputs=["length", "scores"])
    request.inputs["word"].CopyFrom(tf.make_tensor_proto([b"a"]))
    assert set(client.predictions.Predict(request, timeout=20).outputs) == {"length", "scores"}


_NO_SPEC = predict_pb2.PredictRequest()
_TWO_INPUTS = _request()
_TWO_INPUTS.inputs["z"].CopyFrom(tf.make_tensor_proto([1.0]))
_HUGE = tensor_pb2.TensorProto(dtype=tf.float32.as_datatype_enum, float_val=[1])
_HUGE.tensor_shape.dim.add().size = 10**9


@pytest.mark.parametrize(
    ("request_", "code", "text"),
    [
        (_NO_SPEC, "INVALID_ARGUMENT", "Missing ModelSpec"),
        (_request(model=""), "INVALID_ARGUMENT", "ModelSpec has no name specified."),
        (_request(model="x"), "NOT_FOUND", "Servable not found for request: Latest(x)"),
        (_request(model="empty"), "NOT_FOUND", "Servable not found for request: Latest(empty)"),
        (_request(version=9), "NOT_FOUND", "Servable not found for request: Specific(half, 9)"),
        (_request(version=-1), "NOT_FOUND", "Servable not found for request: Specific(half, -1)"),
        (_request(label="gone"), "NOT_FOUND", "Servable not found for request: Specific(half, 7)"),
        (
            _request(label="new"),
            "INVALID_ARGUMENT",
            "Unrecognized servable version label: new",
        ),
        (
            _request(signature="x"),
            "FAILED_PRECONDITION",
            'Serving signature key "x" not found.',
        ),
        (
            _request(outputs=["z"]),
            "INVALID_ARGUMENT",
            "output tensor alias not found in signature: z Outputs expected to be in the set {y}.",
        ),
        (
            _request(outputs=["y", "y"]),
            "INVALID_ARGUMENT",
            "duplicate output tensor alias: y",
        ),
        (_TWO_INPUTS, "INVALID_ARGUMENT", "Sent extra: {z}. Missing but required: {}."),
        (_request(name="z"), "INVALID_ARGUMENT", "Sent extra: {z}. Missing but required: {x}."),
        (_request(_HUGE), "INVALID_ARGUMENT", "tensor parsing error: x: "),
        (_request(np.zeros(101)), "INVALID_ARGUMENT", "101 examples: 100 are allowed in a request"),
        (_request([[1]]), "INVALID_ARGUMENT", "input x: has shape [1, 1], expected [-1]"),
        (
            _request(tf.make_tensor_proto([1])),
            "INVALID_ARGUMENT",
            "input x: has type int32, expected float32",
        ),
        (_request([-1]), "INVALID_ARGUMENT", "x is negative"),
    ],
)
def test_predict_refuses_wrong_requests(
    client: _Client, request_: Any, code: Any, text: str
) -> None:
    refused_code, details = _refusal(client.predictions.Predict, request_)
    assert refused_code == code
    assert text in details


def test_error_text_is_cut_after_1024_bytes(client: _Client) -> None:
    _, details = _refusal(client.predictions.Predict, _request(signature="é" * 2000))
    assert details == f'Serving signature key "{"é" * 500}...TRUNCATED'


def test_classify_returns_labels_and_scores(client: _Client) -> None:
    response = client.predictions.Classify(_classification(0.25, 1, signature="classify"))

    assert response.model_spec.signature_name == "classify"
    assert response.model_spec.version.value == 3
    pairs = [[(c.label, c.score) for c in one.classes] for one in response.result.classifications]
    assert pairs == [[("low", 0.25), ("high", 0.75)], [("low", 1), ("high", 0)]]


def test_regress_returns_a_number_per_example(client: _Client) -> None:
    response = client.predictions.Regress(_regression(1, 2, signature="regress", version=1))

    assert response.model_spec.version.value == 1
    assert [one.value for one in response.result.regressions] == [2.5, 3]


def test_regress_adds_context_to_each_example(client: _Client) -> None:
    request = _spec(regression_pb2.RegressionRequest(), signature="regress")
    both = request.input.example_list_with_context
    both.context.CopyFrom(_example(x=2))
    both.examples.extend([_example(other=1), _example(x=4)])  # an own feature goes first

    response = client.predictions.Regress(request, timeout=20)

    assert [one.value for one in response.result.regressions] == [4, 5]


_GREAT_CONTEXT = _spec(regression_pb2.RegressionRequest(), signature="regress")
_GREAT_CONTEXT.input.example_list_with_context.context.features.feature[
    "a"
].bytes_list.value.append(b"a" * 10_000)
_GREAT_CONTEXT.input.example_list_with_context.examples.extend([_example()] * 50)
_BYTES = _spec(classification_pb2.ClassificationRequest(), signature="classify")
_BYTES.input.example_list.examples.add().features.feature["x"].bytes_list.value.append(b"1")


@pytest.mark.parametrize(
    ("request_", "code", "text"),
    [
        (classification_pb2.ClassificationRequest(), "INVALID_ARGUMENT", "Missing ModelSpec"),
        (_classification(1, model="x"), "NOT_FOUND", "Servable not found for request: Latest(x)"),
        (_classification(signature="classify"), "INVALID_ARGUMENT", "Input is empty."),
        (
            _classification(1),
            "INVALID_ARGUMENT",
            "Expected classification signature method_name to be tensorflow/serving/classify."
            " Was: tensorflow/serving/predict",
        ),
        (
            _classification(1, signature="x"),
            "INVALID_ARGUMENT",
            "No signature was found with the name: x",
        ),
        (_BYTES, "INVALID_ARGUMENT", "Data types don't match"),
        (
            _regression(1, signature="classify"),
            "INVALID_ARGUMENT",
            "Expected regression signature method_name to be tensorflow/serving/regress."
            " Was: tensorflow/serving/classify",
        ),
        (
            _regression(*range(101), signature="regress"),
            "INVALID_ARGUMENT",
            "101 examples: 100 are allowed in a request",
        ),
        (_GREAT_CONTEXT, "INVALID_ARGUMENT", "the context is too large for that many examples"),
    ],
)
def test_classify_regress_refuse_wrong_requests(
    client: _Client, request_: Any, code: Any, text: str
) -> None:
    is_regression = isinstance(request_, regression_pb2.RegressionRequest)
    stub = client.predictions
    refused_code, details = _refusal(stub.Regress if is_regression else stub.Classify, request_)
    assert refused_code == code
    assert text in details


def _inference(*tasks: tuple[str, ...]) -> Any:
    request = _fill(inference_pb2.MultiInferenceRequest(), 0.25)
    for method, signature, *model in tasks:
        task = _spec(request.tasks.add(), *model, signature=signature)
        task.method_name = f"tensorflow/serving/{method}"
    return request


def test_multi_inference_answers_each_task(client: _Client) -> None:
    response = client.predictions.MultiInference(
        _inference(("classify", "classify"), ("regress", "regress")), timeout=20
    )

    classified, regressed = response.results
    assert classified.model_spec.signature_name == "classify"
    (classes,) = classified.classification_result.classifications
    assert [(c.label, c.score) for c in classes.classes] == [("low", 0.25), ("high", 0.75)]
    assert regressed.model_spec.version.value == 3
    assert [one.value for one in regressed.regression_result.regressions] == [3.125]


@pytest.mark.parametrize(
    ("request_", "code", "text"),
    [
        (_inference(), "INVALID_ARGUMENT", "Missing ModelSpec"),
        (
            _inference(("classify", "classify"), ("regress", "regress", "other")),
            "INVALID_ARGUMENT",
            "must access the same model name",
        ),
        (
            _inference(("regress", "regress"), ("regress", "regress")),
            "INVALID_ARGUMENT",
            "Duplicate evaluation of signature: regress",
        ),
        (
            _inference(("predict", "serving_default")),
            "UNIMPLEMENTED",
            "Unsupported signature method_name: tensorflow/serving/predict",
        ),
    ],
)
def test_multi_inference_refuses_wrong_requests(
    client: _Client, request_: Any, code: Any, text: str
) -> None:
    refused_code, details = _refusal(client.predictions.MultiInference, request_)
    assert refused_code == code
    assert text in details


def test_model_metadata_returns_saved_signatures(client: _Client, folder: Path) -> None:
    request = _spec(get_model_metadata_pb2.GetModelMetadataRequest(), label="stable")
    request.metadata_field.append("signature_def")

    response = client.predictions.GetModelMetadata(request, timeout=20)

    assert response.model_spec.name == "half"
    assert response.model_spec.version.value == 1
    given = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(given)
    saved = saved_model_pb2.SavedModel.FromString((folder / "1" / "saved_model.pb").read_bytes())
    assert given.signature_def == saved.meta_graphs[0].signature_def


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ([], "GetModelMetadataRequest must specify at least one metadata_field"),
        (["signature_def", "x"], "Metadata field x is not supported"),
    ],
)
def test_model_metadata_refuses_other_fields(client: _Client, fields: Any, text: str) -> None:
    request = _spec(get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=fields))
    assert _refusal(client.predictions.GetModelMetadata, request) == ("INVALID_ARGUMENT", text)


def test_model_status_lists_versions_and_errors(client: _Client) -> None:
    request = _spec(get_model_status_pb2.GetModelStatusRequest())

    statuses = client.models.GetModelStatus(request, timeout=20).model_version_status

    assert [(one.version, one.State.Name(one.state)) for one in statuses] == [
        (5, "END"),
        (3, "AVAILABLE"),
        (1, "AVAILABLE"),
    ]
    assert statuses[0].status.error_code == Code.UNKNOWN
    assert "is not a SavedModel" in statuses[0].status.error_message
    assert statuses[1].status.error_code == Code.OK


@pytest.mark.parametrize("spec", [{"version": 1}, {"label": "stable"}])
def test_model_status_of_a_single_version(client: _Client, spec: Any) -> None:
    request = _spec(get_model_status_pb2.GetModelStatusRequest(), **spec)
    (status,) = client.models.GetModelStatus(request, timeout=20).model_version_status
    assert status.version == 1


@pytest.mark.parametrize(
    ("request_", "code", "text"),
    [
        (get_model_status_pb2.GetModelStatusRequest(), "INVALID_ARGUMENT", "Missing ModelSpec"),
        (
            _spec(get_model_status_pb2.GetModelStatusRequest(), "x"),
            "NOT_FOUND",
            "Could not find any versions of model x",
        ),
        (
            _spec(get_model_status_pb2.GetModelStatusRequest(), label="x"),
            "INVALID_ARGUMENT",
            "Unrecognized servable version label: x",
        ),
    ],
)
def test_model_status_refuses_wrong_requests(
    client: _Client, request_: Any, code: Any, text: str
) -> None:
    assert _refusal(client.models.GetModelStatus, request_) == (code, text)


def test_reload_config_is_unimplemented(client: _Client) -> None:
    code, _ = _refusal(
        client.models.HandleReloadConfigRequest, model_management_pb2.ReloadConfigRequest()
    )
    assert code == "UNIMPLEMENTED"


def test_invalid_message_is_refused(client: _Client) -> None:
    assert _refusal(client.channel.unary_unary(_PREDICT), b"\xff garbage") == (
        "INVALID_ARGUMENT",
        "no PredictRequest message was sent",
    )


def test_call_without_a_message_is_refused(client: _Client) -> None:
    code, _ = _refusal(client.channel.stream_unary(_PREDICT), iter([]))
    assert code == "INVALID_ARGUMENT"


def test_too_large_message_is_refused(client: _Client) -> None:
    code, _ = _refusal(client.predictions.Predict, _request(np.zeros(2**16 + 1)))
    assert code == "RESOURCE_EXHAUSTED"


@pytest.mark.parametrize(
    "slow_client", [ServingSettings(limits=LimitSettings(timeout_seconds=0.1))], indirect=True
)
def test_timeout_covers_message_and_response(slow_client: _Client, requests_seen: _Seen) -> None:
    late = threading.Event()

    def send() -> Iterator[bytes]:
        late.wait(10)
        yield b""

    n_calls = 20  # the end of some falls on each side of a tick of the clock
    for _ in range(n_calls):
        call = slow_client.channel.stream_unary(_PREDICT).future(send())
        with pytest.raises(grpc.RpcError) as caught:
            call.result(timeout=10)
        assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    late.set()
    assert _refusal(slow_client.predictions.Predict, _request(model="slow"))[0] == (
        "DEADLINE_EXCEEDED"
    )
    assert [(seen[0], seen[3]) for seen in requests_seen] == [
        *[("", Code.DEADLINE_EXCEEDED)] * n_calls,
        ("slow", Code.DEADLINE_EXCEEDED),
    ]


@pytest.mark.parametrize("slow_client", [ServingSettings()], indirect=True)
def test_deadline_of_the_client_ends_its_request(
    slow_client: _Client, requests_seen: _Seen
) -> None:
    request = _request(model="slow")

    assert _refusal(slow_client.predictions.Predict, request, timeout=0.1)[0] == (
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
def test_requests_beyond_the_queue_are_refused(slow_client: _Client) -> None:
    futures = [
        slow_client.predictions.Predict.future(_request([1], model="slow"), timeout=60)
        for _ in range(6)
    ]
    codes = [future.code() for future in futures]
    assert codes.count(grpc.StatusCode.OK) >= 2
    assert set(codes) == {grpc.StatusCode.OK, grpc.StatusCode.RESOURCE_EXHAUSTED}


def test_too_many_concurrent_calls_are_refused(tmp_path: Path) -> None:
    limits = LimitSettings(connections=1)
    with ServerThread({"half": tmp_path}, ServingSettings(limits=limits)) as server:
        client = _Client(server)
        watch = client.health.Watch(health_pb2.HealthCheckRequest(), timeout=60)
        next(watch)
        assert _refusal(client.predictions.Predict, _request())[0] == "RESOURCE_EXHAUSTED"
        watch.cancel()
        limit = time.monotonic() + 10
        while (code := _refusal(client.predictions.Predict, _request())[0]) != "NOT_FOUND":
            assert code == "RESOURCE_EXHAUSTED"
            assert time.monotonic() < limit
        client.close()


def test_requests_are_counted_with_their_code(client: _Client, requests_seen: _Seen) -> None:
    client.predict()
    _refusal(client.predictions.Predict, _request(model="x"))
    _refusal(client.channel.unary_unary(_PREDICT), b"\xff")

    assert [seen[:4] for seen in requests_seen] == [
        ("half", "GRPC", "Predict", Code.OK),
        ("x", "GRPC", "Predict", Code.NOT_FOUND),
        ("", "GRPC", "Predict", Code.INVALID_ARGUMENT),
    ]
    assert all(0 < seen[4] < 20 for seen in requests_seen)


def test_unexpected_error_is_logged_and_hidden(
    client: _Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def find(*_: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr(Catalog, "find", find)
    assert _refusal(client.predictions.Predict, _request()) == ("INTERNAL", "internal error")
    assert "a secret" in caplog.text


def _status(client: _Client, service: str) -> str:
    request = health_pb2.HealthCheckRequest(service=service)
    status = client.health.Check(request, timeout=20).status
    return health_pb2.HealthCheckResponse.ServingStatus.Name(status)


def test_health_covers_each_model_and_all(client: _Client) -> None:
    assert _status(client, "half") == "SERVING"
    assert _status(client, "empty") == "NOT_SERVING"
    assert _status(client, "") == "NOT_SERVING"  # as one of the models does not answer
    request = health_pb2.HealthCheckRequest(service="x")
    assert _refusal(client.health.Check, request)[0] == "NOT_FOUND"


def test_health_watch_ends_when_server_drains(tmp_path: Path) -> None:
    with ServerThread({"half": tmp_path}) as server:
        client = _Client(server)
        watch = client.health.Watch(health_pb2.HealthCheckRequest(service=""), timeout=60)
        names = (health_pb2.HealthCheckResponse.ServingStatus.Name(one.status) for one in watch)
        assert next(names) == "NOT_SERVING"
        write_model(tmp_path / "tmp", 1).rename(tmp_path / "1")
        assert next(names) == "SERVING"
        assert _status(client, "") == _status(client, "half") == "SERVING"
        server.loop.call_soon_threadsafe(setattr, server.server._catalog, "is_draining", True)
        assert list(names) == ["NOT_SERVING"]
        assert _status(client, "") == _status(client, "half") == "NOT_SERVING"
        client.close()


def test_reflection_describes_the_services(client: _Client) -> None:
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
    client: _Client,
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
        _request(proto, name, signature=signature), timeout=20
    )
    assert future.code() in (grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT)


@pytest.mark.filterwarnings("ignore:Unexpected end-group tag:RuntimeWarning")  # protobuf's parser
@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_refused(client: _Client, body: bytes) -> None:
    future = client.channel.unary_unary(_PREDICT).future(body, timeout=20)
    assert future.code() in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND)
