"""Classify and Regress, TensorFlow Serving's older methods: what they ask of a signature, and give.

Source: tensorflow_serving/servables/tensorflow/{classifier,regressor}.cc, whose codes and texts
clients know.
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
"""The one input of both: serialized `tf.Example`s, string `[batch_size]`."""

_CLASSES, _SCORES, _NUMBERS = "classes", "scores", "outputs"
_KINDS = {CLASSIFY_METHOD: "classification", REGRESS_METHOD: "regression"}


def find_classic_signature(
    signatures: Mapping[str, Signature], name: str, method: str
) -> Signature:
    """Finds the signature of a request and holds it against the method.

    Args:
        signatures: Those of the model.
        name: The one asked for; empty is `serving_default`.
        method: `CLASSIFY_METHOD` or `REGRESS_METHOD`.

    Raises:
        ServingError: INVALID_ARGUMENT, if it is not there or of another method;
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
        raise _unfit(f"No {kind} inputs found in SignatureDef: {name}")
    if method == REGRESS_METHOD and _NUMBERS not in signature.outputs:
        raise _unfit(f"No {kind} outputs found in SignatureDef: {name}")
    if method == CLASSIFY_METHOD and not {_CLASSES, _SCORES} & signature.outputs.keys():
        raise _unfit(
            "Expected classification signature outputs to contain at least one of"
            f' "{_CLASSES}" or "{_SCORES}". Signature was: {name}'
        )
    return signature


def classification_of(outputs: Arrays, n_examples: int) -> tuple[list[list[str]], NDArray[Any]]:
    """Takes the labels and the scores of each example.

    Args:
        outputs: Of a signature that `find_classic_signature` lets pass: `classes`, string
            `[n_examples, n_classes]`, `scores`, float32 of the same shape, or one of them.
        n_examples: How many were asked.

    Returns:
        Labels, and scores, float32, both `[n_examples, n_classes]`; labels are empty and scores 0
        where the model gives none.

    Raises:
        ServingError: INVALID_ARGUMENT, if they are of another type or shape.
    """
    given = {name: outputs[name] for name in (_CLASSES, _SCORES) if name in outputs}
    for name, values in given.items():
        _hold(name, values, n_examples)
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
    """Takes the number of each example.

    Args:
        outputs: Of a signature that `find_classic_signature` lets pass: `outputs`, float32
            `[n_examples]` or `[n_examples, 1]`.
        n_examples: How many were asked.

    Returns:
        The numbers, float32 `[n_examples]`.

    Raises:
        ServingError: INVALID_ARGUMENT, if it is of another type or shape.
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


def _hold(name: str, values: NDArray[Any], n_examples: int) -> None:
    if values.ndim != 2:
        raise invalid(
            f"Expected Tensor shape: [batch_size num_classes] but got {list(values.shape)}"
        )
    dtype, expected = (object, "DT_STRING") if name == _CLASSES else (np.float32, "DT_FLOAT")
    if values.dtype != dtype:
        raise invalid(f"Expected {name} Tensor of {expected}. Got: {values.dtype}")
    if len(values) != n_examples:
        raise invalid(f"Expected {name} output batch size of {n_examples}. Got: {len(values)}")


def _unfit(message: str) -> ServingError:
    return ServingError(Code.FAILED_PRECONDITION, message)
