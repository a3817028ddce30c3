from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from serving.errors import Code, ServingError
from serving.interfaces.classify_regress import (
    CLASSIFY_METHOD,
    REGRESS_METHOD,
    classification_of,
    find_signature,
    regression_of,
)
from serving.models.engine import Signature, Tensor

_CLASSES = np.array([[b"low", b"high"], [b"low", b"\xff"]], object)
_SCORES = np.array([[0.25, 0.75], [1, 0]], np.float32)


def _signature(
    method: Any, inputs: Sequence[str] = ("inputs",), outputs: Any = ("scores",)
) -> Signature:
    tensor = Tensor("t:0", tf.string, (None,))
    return Signature("s", method, dict.fromkeys(inputs, tensor), dict.fromkeys(outputs, tensor))


_LABELS = [["low", "high"], ["low", "\ufffd"]]


@pytest.mark.parametrize(
    ("outputs", "labels", "scores"),
    [
        ({"classes": _CLASSES, "scores": _SCORES}, _LABELS, [[0.25, 0.75], [1, 0]]),
        ({"scores": _SCORES}, [["", ""]] * 2, [[0.25, 0.75], [1, 0]]),
        ({"classes": _CLASSES}, _LABELS, [[0, 0], [0, 0]]),
    ],
    ids=["both", "scores", "classes"],
)
def test_classification_of_returns_labels_and_scores(
    outputs: Any, labels: list[list[str]], scores: list[list[float]]
) -> None:
    found_labels, found_scores = classification_of(outputs, 2)
    assert found_labels == labels
    assert found_scores.dtype == np.float32
    assert found_scores.tolist() == scores


@pytest.mark.parametrize(
    ("outputs", "text"),
    [
        ({"scores": _SCORES[0]}, r"Expected Tensor shape: \[batch_size num_classes\] but got"),
        ({"scores": _SCORES.astype(float)}, "Expected scores Tensor of DT_FLOAT. Got: float64"),
        ({"classes": _SCORES}, "Expected classes Tensor of DT_STRING. Got: float32"),
        ({"scores": _SCORES[:1]}, "Expected scores output batch size of 2. Got: 1"),
        ({"scores": _SCORES[:, :1], "classes": _CLASSES}, "differ in shape"),
    ],
)
def test_classification_of_refuses_wrong_outputs(outputs: Any, text: str) -> None:
    with pytest.raises(ServingError, match=text):
        classification_of(outputs, 2)


@pytest.mark.parametrize("shape", [(2,), (2, 1)])
def test_regression_of_returns_a_number_per_example(shape: tuple[int, ...]) -> None:
    values = np.array([1.5, -2], np.float32).reshape(shape)
    assert regression_of({"outputs": values}, 2).tolist() == [1.5, -2]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (_SCORES, "Expected output Tensor shape to be either"),
        (_SCORES[:, 0].astype(float), "Expected output Tensor of DT_FLOAT. Got: float64"),
        (_SCORES[:1, 0], "Expected output batch size to be 2. Got: 1"),
    ],
)
def test_regression_of_refuses_wrong_outputs(values: Any, text: str) -> None:
    with pytest.raises(ServingError, match=text):
        regression_of({"outputs": values}, 2)


def test_find_signature_defaults_to_serving_default() -> None:
    found = _signature(CLASSIFY_METHOD)
    assert find_signature({"serving_default": found}, "", CLASSIFY_METHOD) is found
    assert find_signature({"other": found}, "other", CLASSIFY_METHOD) is found


@pytest.mark.parametrize(
    ("signature", "method", "code", "text"),
    [
        (
            _signature(REGRESS_METHOD),
            CLASSIFY_METHOD,
            Code.INVALID_ARGUMENT,
            "Expected classification signature method_name to be tensorflow/serving/classify."
            " Was: tensorflow/serving/regress",
        ),
        (
            _signature("tensorflow/serving/predict"),
            REGRESS_METHOD,
            Code.INVALID_ARGUMENT,
            "Expected regression signature method_name to be tensorflow/serving/regress."
            " Was: tensorflow/serving/predict",
        ),
        (
            _signature(CLASSIFY_METHOD, inputs=("inputs", "more")),
            CLASSIFY_METHOD,
            Code.INVALID_ARGUMENT,
            "Expected one input Tensor.",
        ),
        (
            _signature(REGRESS_METHOD, outputs=("outputs", "more")),
            REGRESS_METHOD,
            Code.INVALID_ARGUMENT,
            "Expected one output Tensor.",
        ),
        (
            _signature(CLASSIFY_METHOD, outputs=("scores", "classes", "more")),
            CLASSIFY_METHOD,
            Code.INVALID_ARGUMENT,
            "Expected one or two output Tensors, found 3",
        ),
        (
            _signature(CLASSIFY_METHOD, inputs=("examples",)),
            CLASSIFY_METHOD,
            Code.FAILED_PRECONDITION,
            "No classification inputs found in SignatureDef: s",
        ),
        (
            _signature(REGRESS_METHOD, outputs=("scores",)),
            REGRESS_METHOD,
            Code.FAILED_PRECONDITION,
            "No regression outputs found in SignatureDef: s",
        ),
        (
            _signature(CLASSIFY_METHOD, outputs=("outputs",)),
            CLASSIFY_METHOD,
            Code.FAILED_PRECONDITION,
            'Expected classification signature outputs to contain at least one of "classes" or'
            ' "scores". Signature was: s',
        ),
    ],
)
def test_find_signature_refuses_other_signatures(
    signature: Any, method: Any, code: Any, text: str
) -> None:
    with pytest.raises(ServingError) as caught:
        find_signature({"s": signature}, "s", method)
    assert (caught.value.code, caught.value.message) == (code, text)


def test_find_signature_refuses_an_unknown_name() -> None:
    with pytest.raises(ServingError, match="No signature was found with the name: x"):
        find_signature({}, "x", CLASSIFY_METHOD)
