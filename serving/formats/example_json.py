"""The JSON format of Classify and Regress: features to serialized examples, scores to JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from serving.errors import invalid
from serving.formats.tensor_json import (
    decode_base64,
    encode_text,
    is_base64,
    json_type,
)
from serving.settings import LimitSettings

_MAX_FLOAT = float(np.finfo(np.float32).max)


def read_examples(request: Mapping[str, Any], limits: LimitSettings) -> NDArray[Any]:
    """Reads the `examples` of a request and adds the features of its `context` to each.

    An integer becomes an int64, a number with a decimal point a float, true and false become 1
    and 0, a string or `{"b64": "..."}` becomes bytes. A list becomes a feature of several values.

    Args:
        request: The parsed body.
        limits: Limits on the number of examples and, for the copies of the context, on the bytes.

    Returns:
        Serialized `tf.Example`s, string `[n_examples]`.

    Raises:
        ServingError: INVALID_ARGUMENT, if `examples` is not a list of such objects, or there are
            too many of them.
    """
    if "examples" not in request:
        raise invalid("key 'examples' is expected and was not found")
    examples = request["examples"]
    if type(examples) is not list:
        raise invalid("Expecting 'examples' value to be an list/array")
    if not examples:
        raise invalid("'examples' value is an empty array")
    context = _serialize(request.get("context", {}))
    check_examples(len(examples), len(context), limits)
    serialized = np.empty(len(examples), object)
    # Parsing concatenated messages merges them; in a map, the later entry wins.
    serialized[:] = [context + _serialize(example) for example in examples]
    return serialized


def check_examples(n_examples: int, n_context_bytes: int, limits: LimitSettings) -> None:
    """Checks the number of examples in a request, and the size of their copies of the context.

    Raises:
        ServingError: INVALID_ARGUMENT, if there are more examples than `limits.examples`, or more
            bytes of context than `limits.body_bytes`.
    """
    if n_examples > limits.examples:
        raise invalid(f"{n_examples} examples: {limits.examples} are allowed in a request")
    if n_examples * n_context_bytes > limits.body_bytes:
        raise invalid("the context is too large for that many examples")


def write_classes(labels: Sequence[Sequence[str]], scores: NDArray[Any]) -> dict[str, Any]:
    """Makes the response of Classify: for each example, a list of `[label, score]` pairs.

    Args:
        labels: Labels of the classes, `[n_examples, n_classes]`.
        scores: Scores of the classes, float32 `[n_examples, n_classes]`.
    """
    return {
        "results": [
            [list(pair) for pair in zip(*row, strict=True)]
            for row in zip(labels, scores, strict=True)
        ]
    }


def _serialize(example: Any) -> bytes:
    features = tf.train.Features(feature=_read_features(example))
    serialized: bytes = tf.train.Example(features=features).SerializeToString()
    return serialized


def _read_features(example: Any) -> dict[str, tf.train.Feature]:
    if type(example) is not dict:
        raise invalid(f"Example must be JSON object but got JSON {json_type(example)}")
    for name in example:
        encode_text(name, "example")
    return {name: _read_feature(value, name) for name, value in example.items()}


def _read_feature(value: Any, name: str) -> tf.train.Feature:
    values = value if type(value) is list else [value]
    kinds = {_kind(one, name) for one in values}
    if len(kinds) > 1:
        raise invalid(f"Unexpected element type in feature: {name}: {', '.join(sorted(kinds))}")
    if not kinds:
        return tf.train.Feature()
    kind = kinds.pop()
    if kind == "int64":
        if not tf.int64.min <= min(values) <= max(values) <= tf.int64.max:
            raise invalid(f"Feature: {name} has an integer beyond int64")
        return tf.train.Feature(int64_list=tf.train.Int64List(value=[int(one) for one in values]))
    if kind == "float":
        if any(_MAX_FLOAT < abs(one) < float("inf") for one in values):
            raise invalid(f"Feature: {name}: Cannot convert to float without loss of precision.")
        return tf.train.Feature(float_list=tf.train.FloatList(value=values))
    encoded = [
        encode_text(one, name) if type(one) is str else decode_base64(one, name) for one in values
    ]
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=encoded))


def _kind(value: Any, name: str) -> str:
    if type(value) is bool or type(value) is int:
        return "int64"
    if type(value) is float:
        return "float"
    if type(value) is str or is_base64(value):
        return "bytes"
    raise invalid(f"Feature: {name} has element with unexpected JSON type: {json_type(value)}")
