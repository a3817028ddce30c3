"""A tensor in JSON, by the rules of TensorFlow Serving: what is a value of which type.

Source: tensorflow/serving, tensorflow_serving/util/json_tensor.cc
"""

import base64
import struct
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from serving.engine import Tensor
from serving.errors import Code, ServingError

_JSON_TYPES = {
    bool: "Boolean",
    dict: "Object",
    float: "Decimal number",
    int: "Integer",
    list: "Array",
    str: "String",
    type(None): "Null",
}


def read_tensor(value: Any, tensor: Tensor, name: str) -> NDArray[Any]:
    """Makes an array of a number, a word, or lists of them.

    Integers become floats, as long as the type holds all integers up to there; never the reverse.
    A word becomes its UTF-8, `{"b64": "..."}` the bytes that it stands for.

    Args:
        value: JSON.
        tensor: Its type counts; the shape is that of the lists.
        name: Name of the input, for messages.

    Returns:
        Values that must not be changed.

    Raises:
        ServingError: INVALID_ARGUMENT, if a value is of another type or out of the type's range,
            or if lists of one level have different lengths; UNIMPLEMENTED, if JSON has no values of
            this type.
    """
    read = _READERS.get(tensor.dtype)
    if read is None:
        raise ServingError(
            Code.UNIMPLEMENTED, f"input {name}: Conversion of JSON Value to {tensor.dtype.name}"
        )
    shape: list[int] = []
    values = [value]
    while values and type(values[0]) is list:
        size = len(values[0])
        for inner in values:
            if type(inner) is not list or len(inner) != size:
                raise invalid(f"input {name}: Encountered list at unexpected size or level")
        shape.append(size)
        values = values[0] if len(values) == 1 else list(chain.from_iterable(values))
    array = read(values, tensor, name)
    if len(shape) == 1:
        return array
    try:
        return array.reshape(shape)
    except ValueError:  # more levels than an array of NumPy's may have
        raise invalid(f"input {name}: has {len(shape)} levels of lists") from None


def write_tensor(values: NDArray[Any] | bytes, name: str) -> Any:
    """Makes what `json_text.dump` takes of an array: a list of its entries, a scalar of itself.

    Bytes become words, or `{"b64": "..."}` if the name ends in `_bytes` or they are no UTF-8.

    Args:
        values: Of any shape; TensorFlow gives bytes for a string without a shape.
        name: Name of the output.

    Raises:
        ServingError: UNIMPLEMENTED, if JSON has no values of this type.
    """
    if isinstance(values, bytes):
        return _write_string(values, as_bytes=name.endswith("_bytes"))
    kind = values.dtype.kind
    if kind == "O":
        return _write_strings(values.tolist(), as_bytes=name.endswith("_bytes"))
    if kind not in "fiub":
        if values.dtype != tf.bfloat16.as_numpy_dtype:
            raise ServingError(
                Code.UNIMPLEMENTED, f"Failed to write JSON value for tensor type: {values.dtype}"
            )
        values = values.astype(np.float32)
    return list(values) if values.ndim else values[()]


def decode_base64(value: dict[str, Any], name: str) -> bytes:
    """Gives the bytes of `{"b64": "..."}`; the padding at its end may be missing.

    Raises:
        ServingError: INVALID_ARGUMENT, if it is anything else.
    """
    if not is_base64(value):
        raise invalid(f"input {name}: JSON Value not formatted correctly for base64 data")
    text = value["b64"]
    padding = "" if text.endswith("=") else -len(text) % 4 * "="
    try:
        return base64.b64decode(text + padding, validate=True)
    except ValueError:
        raise invalid(f"input {name}: Unable to base64 decode") from None


def is_base64(value: Any) -> bool:
    """Whether it stands for bytes."""
    return type(value) is dict and len(value) == 1 and type(value.get("b64")) is str


def encode_text(text: str, name: str) -> bytes:
    """Gives the UTF-8 of a word.

    Raises:
        ServingError: INVALID_ARGUMENT, if it has none, as half of a surrogate pair.
    """
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise invalid(f"input {name}: is no text in Unicode") from None


def json_type(value: Any) -> str:
    """Names the type of a value, for messages."""
    return _JSON_TYPES[type(value)]


def invalid(message: str) -> ServingError:
    """Makes what is raised of a request that does not hold what it should."""
    return ServingError(Code.INVALID_ARGUMENT, message)


def _hold_types(values: Sequence[Any], allowed: set[type], tensor: Tensor, name: str) -> set[type]:
    """Gives the types of the values, which are among those allowed."""
    kinds = set(map(type, values))
    if not kinds <= allowed:
        wrong = ", ".join(sorted(_JSON_TYPES[kind] for kind in kinds - allowed))
        raise invalid(
            f"input {name}: JSON Value Type: {wrong} is not of expected type: {tensor.dtype.name}"
        )
    return kinds


def _read_floats(values: Sequence[Any], tensor: Tensor, name: str) -> NDArray[Any]:
    kinds = _hold_types(values, {int, float}, tensor, name)
    type_code, greatest = _FLOATS[tensor.dtype]
    if int in kinds and any(
        (value > greatest or value < -greatest) and type(value) is int for value in values
    ):
        raise _lossy(tensor, name)
    try:
        # NumPy would make what is beyond the type's range infinite, with a warning.
        packed = struct.pack(f"<{len(values)}{type_code}", *values)
    except OverflowError:
        raise _lossy(tensor, name) from None
    array = np.frombuffer(packed, f"<{type_code}")
    return array.astype(tensor.numpy_dtype) if tensor.dtype == tf.bfloat16 else array


def _lossy(tensor: Tensor, name: str) -> ServingError:
    return invalid(
        f"input {name}: Cannot convert JSON value to {tensor.dtype.name} without loss of precision."
    )


def _read_ints(values: Sequence[Any], tensor: Tensor, name: str) -> NDArray[Any]:
    _hold_types(values, {int}, tensor, name)
    if values and not tensor.dtype.min <= min(values) <= max(values) <= tensor.dtype.max:
        raise invalid(f"input {name}: JSON Value out of the range of {tensor.dtype.name}")
    return np.array(values, tensor.numpy_dtype)


def _read_bools(values: Sequence[Any], tensor: Tensor, name: str) -> NDArray[Any]:
    _hold_types(values, {bool}, tensor, name)
    return np.array(values, bool)


def _read_strings(values: Sequence[Any], tensor: Tensor, name: str) -> NDArray[Any]:
    _hold_types(values, {str, dict}, tensor, name)
    array = np.empty(len(values), object)
    array[:] = [
        encode_text(value, name) if type(value) is str else decode_base64(value, name)
        for value in values
    ]
    return array


def _write_strings(values: Any, *, as_bytes: bool) -> Any:
    if type(values) is list:
        return [_write_strings(value, as_bytes=as_bytes) for value in values]
    return _write_string(values, as_bytes=as_bytes)


def _write_string(value: bytes, *, as_bytes: bool) -> Any:
    if not as_bytes:
        try:
            return value.decode()
        except UnicodeDecodeError:
            pass
    return {"b64": base64.b64encode(value).decode()}


_FLOATS = {
    tf.bfloat16: ("f", 2**8 - 1),
    tf.float16: ("e", 2**11 - 1),
    tf.float32: ("f", 2**24 - 1),
    tf.float64: ("d", 2**53 - 1),
}
"""Code in `struct` and NumPy, and the integer up to which a type of float holds every one."""
_READERS: dict[tf.DType, Callable[[Sequence[Any], Tensor, str], NDArray[Any]]] = {
    **dict.fromkeys(_FLOATS, _read_floats),
    tf.bool: _read_bools,
    tf.int8: _read_ints,
    tf.int16: _read_ints,
    tf.int32: _read_ints,
    tf.int64: _read_ints,
    tf.uint8: _read_ints,
    tf.uint16: _read_ints,
    tf.uint32: _read_ints,
    tf.uint64: _read_ints,
    tf.string: _read_strings,
}
