"""The bodies of requests and answers, as JSON Schema, with examples."""

from collections.abc import Mapping
from typing import Any

from serving.models.columns import Column
from serving.models.engine import Signature
from serving.pages.tensor_schema import (
    STRING,
    Schema,
    encode_features,
    make_example,
    make_features,
    make_input_schema,
    make_output_schema,
    takes_examples,
)
from trainer.signatures import SERVING_SIGNATURE

Signatures = Mapping[str, Signature]
Examples = dict[str, Any]
"""Name to an Example Object of OpenAPI."""

_INT64: Schema = {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1}
_FEATURE_KINDS: tuple[Schema, ...] = (_INT64, {"type": "number"}, {"type": "boolean"}, STRING)
_FEATURE: Schema = {
    "anyOf": [*_FEATURE_KINDS, *({"type": "array", "items": kind} for kind in _FEATURE_KINDS)]
}


def make_predict_request(
    signatures: Signatures, columns: Mapping[str, Column], most: int
) -> tuple[Schema, Examples]:
    """Describes what Predict takes: rows under `instances`, or columns under `inputs`.

    Args:
        signatures: Those of the version.
        columns: What is known of its raw columns.
        most: The most examples in a request.

    Returns:
        A schema, and examples of it.
    """
    bodies: list[Schema] = []
    examples: Examples = {}
    for signature in signatures.values():
        values = {name: make_example(signature, name, columns) for name in signature.inputs}
        if takes_examples(signature):
            values = dict.fromkeys(values, encode_features(make_features(signatures, columns)))
        if signature.is_batched:
            rows = {
                "type": "array",
                "items": _by_name(signature, most, is_row=True),
                "minItems": 1,
                "maxItems": most,
            }
            bodies.append(_body(signature, "instances", rows))
            examples[f"{signature.name}, rows"] = _example(signature, "instances", [values])
            values = {name: [value] for name, value in values.items()}
        bodies.append(_body(signature, "inputs", _by_name(signature, most)))
        examples[f"{signature.name}, columns"] = _example(signature, "inputs", values)
    return {"anyOf": bodies}, examples


def make_predict_response(signatures: Signatures, most: int) -> Schema:
    """Describes what Predict answers: `predictions` to rows, `outputs` to columns."""
    bodies: list[Schema] = []
    for signature in signatures.values():
        if signature.is_batched:
            rows = {"type": "array", "items": _outputs(signature, most, is_row=True)}
            bodies.append(_only("predictions", rows))
        bodies.append(_only("outputs", _outputs(signature, most)))
    return {"anyOf": bodies}


def make_examples_request(
    verb: str, signatures: Signatures, columns: Mapping[str, Column], most: int
) -> tuple[Schema, Examples]:
    """Describes what Classify and Regress take: features by name.

    Args:
        verb: `classify` or `regress`.
        signatures: Those of the version.
        columns: What is known of its raw columns.
        most: The most examples in a request.

    Returns:
        A schema, and examples of it. A whole number is an int64 feature here, one with a point
        float32.
    """
    features: Schema = {
        "type": "object",
        "additionalProperties": _FEATURE,
        "description": "A whole number is of type int64, one with a point of type float32.",
    }
    bodies, examples = [], {}
    for signature in signatures.values():
        if signature.method.endswith(f"/{verb}"):
            rows = {"type": "array", "items": features, "minItems": 1, "maxItems": most}
            body = _body(signature, "examples", rows)
            body["properties"]["context"] = features
            bodies.append(body)
            row = make_features(signatures, columns)
            examples[signature.name] = _example(signature, "examples", [row])
    return {"anyOf": bodies}, examples


def make_results_response(verb: str, most: int) -> Schema:
    """Describes what Classify answers, labels with scores, and Regress, numbers."""
    result: Schema = {"type": "number"}
    if verb == "classify":
        label_and_score = {
            "type": "array",
            "items": {"anyOf": [STRING, {"type": "number"}]},
            "minItems": 2,
            "maxItems": 2,
        }
        result = {"type": "array", "items": label_and_score}
    return _only("results", {"type": "array", "items": result, "maxItems": most})


def _by_name(signature: Signature, most: int, *, is_row: bool = False) -> Schema:
    """Describes values for all inputs; that of a single one may stand without its name."""
    inputs = {
        name: make_input_schema(tensor, most, is_row=is_row)
        for name, tensor in signature.inputs.items()
    }
    named: Schema = {"type": "object", "properties": inputs, "required": list(inputs)}
    if is_row:
        named["additionalProperties"] = False
    return {"anyOf": [named, *inputs.values()]} if len(inputs) == 1 else named


def _outputs(signature: Signature, most: int, *, is_row: bool = False) -> Schema:
    outputs = {
        name: make_output_schema(name, tensor, most, is_row=is_row)
        for name, tensor in signature.outputs.items()
    }
    if len(outputs) == 1:
        return next(iter(outputs.values()))
    return {"type": "object", "properties": outputs, "required": list(outputs)}


def _body(signature: Signature, key: str, values: Schema) -> Schema:
    """Describes a body; keys that mean nothing are let pass, as by TensorFlow Serving."""
    is_default = signature.name == SERVING_SIGNATURE
    # An empty name stands for the default one, as in TensorFlow Serving.
    name = {"enum": [signature.name, ""]} if is_default else {"const": signature.name}
    other = {"instances": {"inputs": False}, "inputs": {"instances": False}}.get(key, {})
    return {
        "title": f"{signature.name}: {key}",
        "type": "object",
        "properties": {"signature_name": name, key: values, **other},
        "required": [key] if is_default else ["signature_name", key],
    }


def _only(key: str, values: Schema) -> Schema:
    return {
        "type": "object",
        "properties": {key: values},
        "required": [key],
        "additionalProperties": False,
    }


def _example(signature: Signature, key: str, values: Any) -> dict[str, Any]:
    named = {} if signature.name == SERVING_SIGNATURE else {"signature_name": signature.name}
    return {"value": {**named, key: values}}
