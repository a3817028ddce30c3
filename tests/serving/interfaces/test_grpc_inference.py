"""The methods Classify, Regress and MultiInference of the gRPC interface."""

from typing import Any

import pytest
from tensorflow_serving.apis import classification_pb2, inference_pb2, regression_pb2

from tests.helpers.grpc_client import (
    GrpcClient,
    add_examples,
    error_of,
    fill_spec,
    make_example,
)


def _classification(*xs: float, **spec: Any) -> Any:
    return add_examples(fill_spec(classification_pb2.ClassificationRequest(), **spec), *xs)


def _regression(*xs: float, **spec: Any) -> Any:
    return add_examples(fill_spec(regression_pb2.RegressionRequest(), **spec), *xs)


def test_classify_returns_labels_and_scores(client: GrpcClient) -> None:
    response = client.predictions.Classify(_classification(0.25, 1, signature="classify"))

    assert response.model_spec.signature_name == "classify"
    assert response.model_spec.version.value == 3
    pairs = [[(c.label, c.score) for c in one.classes] for one in response.result.classifications]
    assert pairs == [[("low", 0.25), ("high", 0.75)], [("low", 1), ("high", 0)]]


def test_regress_returns_a_number_per_example(client: GrpcClient) -> None:
    response = client.predictions.Regress(_regression(1, 2, signature="regress", version=1))

    assert response.model_spec.version.value == 1
    assert [one.value for one in response.result.regressions] == [2.5, 3]


def test_regress_adds_context_to_each_example(client: GrpcClient) -> None:
    request = fill_spec(regression_pb2.RegressionRequest(), signature="regress")
    both = request.input.example_list_with_context
    both.context.CopyFrom(make_example(x=2))
    both.examples.extend([make_example(other=1), make_example(x=4)])  # x of the example wins

    response = client.predictions.Regress(request, timeout=20)

    assert [one.value for one in response.result.regressions] == [4, 5]


_GREAT_CONTEXT = fill_spec(regression_pb2.RegressionRequest(), signature="regress")
_GREAT_CONTEXT.input.example_list_with_context.context.features.feature[
    "a"
].bytes_list.value.append(b"a" * 10_000)
_GREAT_CONTEXT.input.example_list_with_context.examples.extend([make_example()] * 50)
_BYTES = fill_spec(classification_pb2.ClassificationRequest(), signature="classify")
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
    client: GrpcClient, request_: Any, code: Any, text: str
) -> None:
    is_regression = isinstance(request_, regression_pb2.RegressionRequest)
    stub = client.predictions
    actual_code, details = error_of(stub.Regress if is_regression else stub.Classify, request_)
    assert actual_code == code
    assert text in details


def _inference(*tasks: tuple[str, ...]) -> Any:
    request = add_examples(inference_pb2.MultiInferenceRequest(), 0.25)
    for method, signature, *model in tasks:
        task = fill_spec(request.tasks.add(), *model, signature=signature)
        task.method_name = f"tensorflow/serving/{method}"
    return request


def test_multi_inference_answers_each_task(client: GrpcClient) -> None:
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
    client: GrpcClient, request_: Any, code: Any, text: str
) -> None:
    actual_code, details = error_of(client.predictions.MultiInference, request_)
    assert actual_code == code
    assert text in details
