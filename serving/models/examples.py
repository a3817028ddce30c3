"""Parsing and serializing of `tf.Example`s."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from google.protobuf.message import DecodeError
from tensorflow.core.example.example_pb2 import Example

from serving.models.columns import Column


@dataclass(frozen=True)
class _Kind:
    """How examples and arrays hold the values of a column.

    Attributes:
        field: Field of the feature.
        missing: Stands for a missing value in the array.
        dtype: Type of the array.
    """

    field: str
    missing: float | bytes
    dtype: type


_NUMBERS = _Kind("float_list", math.nan, np.float32)
_STRINGS = _Kind("bytes_list", b"", object)


def parse_examples(
    serialized: npt.NDArray[np.object_], columns: Mapping[str, Column]
) -> dict[str, npt.NDArray[Any]]:
    """Reads the raw columns from examples, to check their values before the model runs.

    Args:
        serialized: Serialized examples, bytes `[n]`; one that cannot be parsed counts as empty.
        columns: The raw columns to read.

    Returns:
        Arrays by column name, `[n]`: numbers as float32 with NaN for a missing value, strings as
        objects of bytes, empty for a missing value. A column with values of another type in any
        example is left out, since the model refuses it.
    """
    kinds = {
        name: _STRINGS if isinstance(column.example, str) else _NUMBERS
        for name, column in columns.items()
    }
    found: dict[str, list[Any]] = {name: [] for name in columns}
    refused = set()
    # One example at a time: keeping parsed examples takes longer than parsing them.
    for example in serialized.reshape(-1):
        features = _parse(example)
        for name, kind in kinds.items():
            value = kind.missing
            if name in features:
                values = getattr(features[name], kind.field).value
                if values:
                    value = values[0]
                elif features[name].WhichOneof("kind") not in (kind.field, None):
                    refused.add(name)
            found[name].append(value)
    return {
        name: np.array(found[name], kind.dtype)
        for name, kind in kinds.items()
        if name not in refused
    }


def serialize_example(features: Mapping[str, Sequence[bytes | float]]) -> bytes:
    """Serializes an example.

    Args:
        features: At least one value by feature name; all of a feature bytes, floats or integers.
    """
    example = Example()
    for name, values in features.items():
        feature = example.features.feature[name]
        if isinstance(values[0], bytes):
            feature.bytes_list.value.extend(values)
        elif isinstance(values[0], float):
            feature.float_list.value.extend(values)
        else:
            feature.int64_list.value.extend(values)
    serialized: bytes = example.SerializeToString()
    return serialized


def _parse(serialized: bytes) -> Any:
    """Returns the features by name; look up only those that exist, since a lookup adds them."""
    try:
        return Example.FromString(serialized).features.feature
    except (DecodeError, SystemError):  # the latter of names that are not UTF-8
        return {}
