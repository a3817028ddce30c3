"""Checks of signatures and outputs for TensorFlow Serving's methods Classify and Regress.

Source: tensorflow_serving/servables/tensorflow/{classifier,regressor}.cc, whose error codes and
texts clients rely on.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.errors import Code, ServingError, invalid
from serving.models.engine import Arrays, Signature
from trainer.signatures import SERVING_SIGNATURE

CLASSIFY_METHOD = "tensorflow/serving/classify"
REGRESS_METHOD = "tensorflow/serving/regress"
EXAMPLES_INPUT = "inputs"
"""Name of the only input of both methods: serialized `tf.Example`s, string `[batch_size]`."""

_CLASSES, _SCORES, _NUMBERS = "classes", "scores", "outputs"
_KINDS = {CLASSIFY_METHOD: "classification", REGRESS_METHOD: "regression"}


def find_signature(signatures: Mapping[str, Signature], name: str, method: str) -> Signature:
    """Finds the signature of a request and checks that it supports the method.

    Args:
        signatures: The signatures of the version.
        name: The signature's name in the request; empty means `serving_default`.
        method: `CLASSIFY_METHOD` or `REGRESS_METHOD`.

    Raises:
        ServingError: INVALID_ARGUMENT, if there is no such signature or it has another method;
            FAILED_PRECONDITION, if its inputs or outputs have other names.
    """
    name = name or SERVING_SIGNATURE
    if name not in signatures:
        raise invalid(f"No signature was found with the name: {name}")
    signature, kind = signatures[name], _KINDS[method]
    if signature.method != method:
        raise invalid(
            f"Expected {kind} signature method_name to be {method}. Was: {signature.method}"
        )
    if len(signature.inputs) != 1:
        raise invalid("Expected one input Tensor.")
    if method == REGRESS_METHOD and len(signature.outputs) != 1:
        raise invalid("Expected one output Tensor.")
    if len(signature.outputs) not in (1, 2):
        raise invalid(f"Expected one or two output Tensors, found {len(signature.outputs)}")
    if EXAMPLES_INPUT not in signature.inputs:
        raise _failed_precondition(f"No {kind} inputs found in SignatureDef: {name}")
    if method == REGRESS_METHOD and _NUMBERS not in signature.outputs:
        raise _failed_precondition(f"No {kind} outputs found in SignatureDef: {name}")
    if method == CLASSIFY_METHOD and not {_CLASSES, _SCORES} & signature.outputs.keys():
        raise _failed_precondition(
            "Expected classification signature outputs to contain at least one of"
            f' "{_CLASSES}" or "{_SCORES}". Signature was: {name}'
        )
    return signature


def classification_of(outputs: Arrays, n_examples: int) -> tuple[list[list[str]], NDArray[Any]]:
    """Extracts labels and scores from the outputs of a signature.

    Args:
        outputs: `classes`, string `[n_examples, n_classes]`, and `scores`, float32 of the same
            shape, or one of them.
        n_examples: Number of examples in the request.

    Returns:
        Labels and scores (float32), both `[n_examples, n_classes]`. Without `classes` the labels
        are empty; without `scores` the scores are 0.

    Raises:
        ServingError: INVALID_ARGUMENT, if an output has another type or shape.
    """
    given = {name: outputs[name] for name in (_CLASSES, _SCORES) if name in outputs}
    for name, values in given.items():
        _check_output(name, values, n_examples)
    shape = next(iter(given.values())).shape
    classes = given.get(_CLASSES, np.full(shape, b"", object))
    scores = given.get(_SCORES, np.zeros(shape, np.float32))
    if classes.shape != scores.shape:
        raise invalid(
            f"Tensors of classes and scores differ in shape: {list(classes.shape)} and"
            f" {list(scores.shape)}"
        )
    labels = [[label.decode(errors="replace") for label in row] for row in classes.tolist()]
    return labels, scores


def regression_of(outputs: Arrays, n_examples: int) -> NDArray[Any]:
    """Extracts the numbers from the outputs of a signature.

    Args:
        outputs: `outputs`, float32 `[n_examples]` or `[n_examples, 1]`.
        n_examples: Number of examples in the request.

    Returns:
        The numbers, float32 `[n_examples]`.

    Raises:
        ServingError: INVALID_ARGUMENT, if the output has another type or shape.
    """
    values = outputs[_NUMBERS]
    if values.ndim not in (1, 2) or values.shape[1:] not in ((), (1,)):
        raise invalid(
            "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got"
            f" {list(values.shape)}"
        )
    if values.dtype != np.float32:
        raise invalid(f"Expected output Tensor of DT_FLOAT. Got: {values.dtype}")
    if len(values) != n_examples:
        raise invalid(f"Expected output batch size to be {n_examples}. Got: {len(values)}")
    return values.reshape(-1)


def _check_output(name: str, values: NDArray[Any], n_examples: int) -> None:
    if values.ndim != 2:
        raise invalid(
            f"Expected Tensor shape: [batch_size num_classes] but got {list(values.shape)}"
        )
    dtype, expected = (object, "DT_STRING") if name == _CLASSES else (np.float32, "DT_FLOAT")
    if values.dtype != dtype:
        raise invalid(f"Expected {name} Tensor of {expected}. Got: {values.dtype}")
    if len(values) != n_examples:
        raise invalid(f"Expected {name} output batch size of {n_examples}. Got: {len(values)}")


def _failed_precondition(message: str) -> ServingError:
    return ServingError(Code.FAILED_PRECONDITION, message)
