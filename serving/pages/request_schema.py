"""JSON Schemas of the bodies of requests and responses, with examples."""

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
"""OpenAPI Example Objects by name."""

_INT64: Schema = {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1}
_FEATURE_KINDS: tuple[Schema, ...] = (_INT64, {"type": "number"}, {"type": "boolean"}, STRING)
_FEATURE: Schema = {
    "anyOf": [*_FEATURE_KINDS, *({"type": "array", "items": kind} for kind in _FEATURE_KINDS)]
}


def make_predict_request(
    signatures: Signatures, columns: Mapping[str, Column], max_examples: int
) -> tuple[Schema, Examples]:
    """Describes a request to Predict: rows under `instances`, or columns under `inputs`.

    Args:
        signatures: The signatures of the version.
        columns: The raw columns of the version.
        max_examples: Limit on the examples in a request.

    Returns:
        A schema and examples of it.
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
                "items": _by_name(signature, max_examples, is_row=True),
                "minItems": 1,
                "maxItems": max_examples,
            }
            bodies.append(_body(signature, "instances", rows))
            examples[f"{signature.name}, rows"] = _example(signature, "instances", [values])
            values = {name: [value] for name, value in values.items()}
        bodies.append(_body(signature, "inputs", _by_name(signature, max_examples)))
        examples[f"{signature.name}, columns"] = _example(signature, "inputs", values)
    return {"anyOf": bodies}, examples


def make_predict_response(signatures: Signatures, max_examples: int) -> Schema:
    """Describes a response of Predict: `predictions` for rows, `outputs` for columns."""
    bodies: list[Schema] = []
    for signature in signatures.values():
        if signature.is_batched:
            rows = {"type": "array", "items": _outputs(signature, max_examples, is_row=True)}
            bodies.append(_only("predictions", rows))
        bodies.append(_only("outputs", _outputs(signature, max_examples)))
    return {"anyOf": bodies}


def make_examples_request(
    verb: str, signatures: Signatures, columns: Mapping[str, Column], max_examples: int
) -> tuple[Schema, Examples]:
    """Describes a request to Classify or Regress: examples as features by name.

    Args:
        verb: `classify` or `regress`.
        signatures: The signatures of the version.
        columns: The raw columns of the version.
        max_examples: Limit on the examples in a request.

    Returns:
        A schema and examples of it. A whole number becomes an int64 feature, a number with a
        decimal point a float32 feature.
    """
    features: Schema = {
        "type": "object",
        "additionalProperties": _FEATURE,
        "description": "A whole number has type int64, one with a decimal point type float32.",
    }
    bodies, examples = [], {}
    for signature in signatures.values():
        if signature.method.endswith(f"/{verb}"):
            rows = {"type": "array", "items": features, "minItems": 1, "maxItems": max_examples}
            body = _body(signature, "examples", rows)
            body["properties"]["context"] = features
            bodies.append(body)
            row = make_features(signatures, columns)
            examples[signature.name] = _example(signature, "examples", [row])
    return {"anyOf": bodies}, examples


def make_results_response(verb: str, max_examples: int) -> Schema:
    """Describes a response of Classify, labels with scores, or of Regress, numbers."""
    result: Schema = {"type": "number"}
    if verb == "classify":
        label_and_score = {
            "type": "array",
            "items": {"anyOf": [STRING, {"type": "number"}]},
            "minItems": 2,
            "maxItems": 2,
        }
        result = {"type": "array", "items": label_and_score}
    return _only("results", {"type": "array", "items": result, "maxItems": max_examples})


def _by_name(signature: Signature, max_examples: int, *, is_row: bool = False) -> Schema:
    """Describes the values of all inputs; the name may be left out if there is only one."""
    inputs = {
        name: make_input_schema(tensor, max_examples, is_row=is_row)
        for name, tensor in signature.inputs.items()
    }
    named: Schema = {"type": "object", "properties": inputs, "required": list(inputs)}
    if is_row:
        named["additionalProperties"] = False
    return {"anyOf": [named, *inputs.values()]} if len(inputs) == 1 else named


def _outputs(signature: Signature, max_examples: int, *, is_row: bool = False) -> Schema:
    outputs = {
        name: make_output_schema(name, tensor, max_examples, is_row=is_row)
        for name, tensor in signature.outputs.items()
    }
    if len(outputs) == 1:
        return next(iter(outputs.values()))
    return {"type": "object", "properties": outputs, "required": list(outputs)}


def _body(signature: Signature, key: str, values: Schema) -> Schema:
    """Describes a body; unknown keys are allowed, as in TensorFlow Serving."""
    is_default = signature.name == SERVING_SIGNATURE
    # An empty name means the default signature, as in TensorFlow Serving.
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
