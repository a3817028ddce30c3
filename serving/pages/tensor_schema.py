"""JSON Schemas of tensors in requests and responses, with examples."""

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
"""Smallest number that each type rounds to infinity."""


def make_input_schema(tensor: Tensor, max_examples: int, *, is_row: bool = False) -> Schema:
    """Describes the values that may be sent for an input.

    Args:
        tensor: The input.
        max_examples: Limit on the examples in a request.
        is_row: Whether to describe the value of one example, without the batch dimension.
    """
    scalar = STRING if tensor.dtype == tf.string else _number(tensor.dtype)
    return _nest(scalar, tensor, max_examples, is_row)


def make_output_schema(
    name: str, tensor: Tensor, max_examples: int, *, is_row: bool = False
) -> Schema:
    """Describes the values of an output; base64 if its name ends in `_bytes`."""
    scalar: Schema = _number(tensor.dtype)
    if tensor.dtype == tf.string:
        scalar = _B64 if name.endswith("_bytes") else STRING
    elif tensor.dtype.is_floating:
        scalar = {"type": "number"}
    return _nest(scalar, tensor, max_examples, is_row)


def make_example(signature: Signature, name: str, columns: Mapping[str, Column]) -> Any:
    """Makes a value for an input, for one example if the signature takes batches.

    Args:
        signature: The signature; only the inputs of `SERVING_SIGNATURE` are raw columns.
        name: Name of the input.
        columns: The raw columns, for typical values.

    Returns:
        The column's typical value, else zero or an empty string, nested in lists as the shape of
        the input demands.
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
    """Makes features for an example from the typical values of the raw columns; may be empty."""
    raw = signatures.get(SERVING_SIGNATURE)
    if raw is None or not raw.is_batched:
        return {}
    return {
        name: make_example(raw, name, columns)
        for name, tensor in raw.inputs.items()
        if tensor.shape == (None,)
    }


def takes_examples(signature: Signature) -> bool:
    """Returns whether a signature takes serialized `tf.Example`s."""
    return signature.name == EXAMPLES_SIGNATURE or signature.method.endswith(
        ("/classify", "/regress")
    )


def encode_features(features: Mapping[str, Any]) -> dict[str, str]:
    """Serializes features as a `tf.Example` in JSON, `{"b64": "..."}`."""
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


def _nest(scalar: Schema, tensor: Tensor, max_examples: int, is_row: bool) -> Schema:
    """Nests the schema of a single value in arrays, by the shape of the tensor."""
    if tensor.shape is None:
        return {"anyOf": [scalar, {"type": "array"}]}
    schema = scalar
    for size in reversed(tensor.shape[1:]):
        schema = _array(schema, size)
    if is_row or not tensor.shape:
        return schema
    if tensor.is_batch:
        return {"type": "array", "items": schema, "maxItems": max_examples}
    return _array(schema, tensor.shape[0])


def _array(items: Schema, size: int | None) -> Schema:
    sizes = {} if size is None else {"minItems": size, "maxItems": size}
    return {"type": "array", "items": items, **sizes}


def describe_shape(tensor: Tensor) -> str:
    """Formats a shape, for instance `[n, 2]`; `n` is the batch."""
    if tensor.shape is None:
        return "any"
    rest = ["any" if size is None else str(size) for size in tensor.shape]
    if tensor.is_batch:
        rest[0] = "n"
    return f"[{', '.join(rest)}]"
