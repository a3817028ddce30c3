"""What tensors are in JSON, as JSON Schema, and examples of them."""

import base64
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from serving.models.columns import Column
from serving.models.engine import Signature, Tensor
from serving.models.examples import serialize_example
from trainer.signatures import EXAMPLES_SIGNATURE, SERVING_SIGNATURE

Schema = dict[str, Any]

_B64: Schema = {
    "type": "object",
    "properties": {
        "b64": {
            "type": "string",
            "contentEncoding": "base64",
            "pattern": "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
        }
    },
    "required": ["b64"],
    "additionalProperties": False,
}
STRING: Schema = {"anyOf": [{"type": "string"}, _B64]}
"""Text, or bytes in base64."""
_INFINITE = {
    tf.bfloat16: 2.0**128 - 2.0**119,
    tf.float16: 2.0**16 - 2.0**4,
    tf.float32: 2.0**128 - 2.0**103,
}
"""Least number that a type rounds to infinity."""


def make_input_schema(tensor: Tensor, most: int, *, is_row: bool = False) -> Schema:
    """Describes what may be sent for an input.

    Args:
        tensor: The input.
        most: The most examples in a request.
        is_row: Whether it is the value of one example, without the size of the batch.
    """
    scalar = STRING if tensor.dtype == tf.string else _number(tensor.dtype)
    return _nest(scalar, tensor, most, is_row)


def make_output_schema(name: str, tensor: Tensor, most: int, *, is_row: bool = False) -> Schema:
    """Describes what is answered for an output; base64 where its name ends in `_bytes`."""
    scalar: Schema = _number(tensor.dtype)
    if tensor.dtype == tf.string:
        scalar = _B64 if name.endswith("_bytes") else STRING
    elif tensor.dtype.is_floating:
        scalar = {"type": "number"}
    return _nest(scalar, tensor, most, is_row)


def make_example(signature: Signature, name: str, columns: Mapping[str, Column]) -> Any:
    """Makes a value of an input, for one example if the signature takes batches.

    Args:
        signature: What is asked; the raw columns are inputs of `SERVING_SIGNATURE` alone.
        name: The input.
        columns: What is known of the raw columns.

    Returns:
        The column's example, else zero or an empty string, in lists as deep as the tensor.
    """
    tensor = signature.inputs[name]
    known = columns.get(name) if signature.name == SERVING_SIGNATURE else None
    value: Any = known.example if known else 0
    if tensor.dtype == tf.string:
        value = str(value) if known else ""
    elif tensor.dtype == tf.bool:
        value = bool(value)
    else:
        value = int(value) if tensor.dtype.is_integer else float(value)
    sizes = tensor.shape or ()
    for size in reversed(sizes[1:] if signature.is_batched else sizes):
        value = [value] * (1 if size is None else size)
    return value


def make_features(
    signatures: Mapping[str, Signature], columns: Mapping[str, Column]
) -> dict[str, Any]:
    """Makes features for a signature of serialized examples: those of the raw columns, if any."""
    raw = signatures.get(SERVING_SIGNATURE)
    if raw is None or not raw.is_batched:
        return {}
    return {
        name: make_example(raw, name, columns)
        for name, tensor in raw.inputs.items()
        if tensor.shape == (None,)
    }


def takes_examples(signature: Signature) -> bool:
    """Whether a signature is known to take serialized `tf.Example`s."""
    return signature.name == EXAMPLES_SIGNATURE or signature.method.endswith(
        ("/classify", "/regress")
    )


def encode_features(features: Mapping[str, Any]) -> dict[str, str]:
    """Makes the JSON of a serialized `tf.Example`."""
    values = {
        name: [value.encode() if isinstance(value, str) else value]
        for name, value in features.items()
    }
    return {"b64": base64.b64encode(serialize_example(values)).decode()}


def _number(dtype: tf.DType) -> Schema:
    if dtype == tf.bool:
        return {"type": "boolean"}
    if dtype.is_integer and not dtype.is_quantized:
        return {"type": "integer", "minimum": int(dtype.min), "maximum": int(dtype.max)}
    if dtype.is_floating:
        bound = _INFINITE.get(dtype)
        bounds = {"exclusiveMinimum": -bound, "exclusiveMaximum": bound} if bound else {}
        return {"type": "number", **bounds}
    return {}


def _nest(scalar: Schema, tensor: Tensor, most: int, is_row: bool) -> Schema:
    """Puts the schema of a single value into arrays."""
    if tensor.shape is None:
        return {"anyOf": [scalar, {"type": "array"}]}
    schema = scalar
    for size in reversed(tensor.shape[1:]):
        schema = _array(schema, size)
    if is_row or not tensor.shape:
        return schema
    if tensor.is_batch:
        return {"type": "array", "items": schema, "maxItems": most}
    return _array(schema, tensor.shape[0])


def _array(items: Schema, size: int | None) -> Schema:
    sizes = {} if size is None else {"minItems": size, "maxItems": size}
    return {"type": "array", "items": items, **sizes}


def describe_shape(tensor: Tensor) -> str:
    """Writes a shape, as in `[n, 2]`."""
    if tensor.shape is None:
        return "any"
    rest = ["any" if size is None else str(size) for size in tensor.shape]
    if tensor.is_batch:
        rest[0] = "n"
    return f"[{', '.join(rest)}]"
