"""Serialized `tf.Example`s and the values that they hold; TensorFlow is imported with it."""

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
    """Where the values of a column stand in a feature, and what it is as a raw column."""

    field: str
    gap: float | bytes
    dtype: type


_NUMBERS = _Kind("float_list", math.nan, np.float32)
_WORDS = _Kind("bytes_list", b"", object)


def parse_examples(
    serialized: npt.NDArray[np.object_], columns: Mapping[str, Column]
) -> dict[str, npt.NDArray[Any]]:
    """Decodes examples for a look at their values, before the model does.

    Args:
        serialized: Bytes `[n]`; what is no example counts as one without values.
        columns: The raw columns to look for.

    Returns:
        Columns by name, `[n]`: numbers float32, a gap NaN; words objects of bytes, a gap empty. A
        column that holds values of another type in any example is left out: the model refuses it.
    """
    kinds = {
        name: _WORDS if isinstance(column.example, str) else _NUMBERS
        for name, column in columns.items()
    }
    found: dict[str, list[Any]] = {name: [] for name in columns}
    refused = set()
    # Example by example: none has to be kept, which takes longer than reading it.
    for example in serialized.reshape(-1):
        features = _parse(example)
        for name, kind in kinds.items():
            value = kind.gap
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
    """Makes an example.

    Args:
        features: Values by name, one or more, of one type: bytes, floats or whole numbers.
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
    """Gives the features by name, read only: asking for one that is absent would add it."""
    try:
        return Example.FromString(serialized).features.feature
    except DecodeError:
        return {}
