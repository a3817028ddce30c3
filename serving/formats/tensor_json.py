"""Tensors in JSON, with TensorFlow Serving's rules for the values of each type.

Source: tensorflow/serving, tensorflow_serving/util/json_tensor.cc
"""

import base64
import struct
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from serving.errors import Code, ServingError, invalid
from serving.models.engine import Arrays, Signature, Tensor

_Read = Callable[[Sequence[Any], Tensor, str], NDArray[Any]]
_SAFE_FLOAT32 = 2.0**127
"""Numbers up to this one do not overflow."""
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
    """Makes an array from a number, a string, or nested lists of them.

    An integer is converted to a float type if the type holds all integers up to it; a float is
    never converted to an integer. A string becomes its UTF-8 bytes, `{"b64": "..."}` the decoded
    bytes.

    Args:
        value: A parsed JSON value.
        tensor: The input, for its type. The array has the shape of the lists.
        name: Name of the input, for messages.

    Returns:
        The array, which may be read-only.

    Raises:
        ServingError: INVALID_ARGUMENT, if a value has another type or is out of the type's range,
            or if lists at the same level differ in length; UNIMPLEMENTED, if JSON cannot hold
            values of the type.
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
    except ValueError:  # more levels than NumPy supports
        raise invalid(f"input {name}: has {len(shape)} levels of lists") from None


def read_columns(columns: Mapping[str, Any], signature: Signature) -> Arrays:
    """Makes an array from each column, as `read_tensor` does.

    Numbers, and strings, of many columns are converted together: one by one, hundreds of columns
    take longer than the model.

    Args:
        columns: Parsed JSON values by name, those of the inputs among them.
        signature: The signature, for names and types of the inputs.

    Raises:
        ServingError: As for `read_tensor`.
    """
    arrays: dict[str, Any] = dict.fromkeys(signature.inputs)
    n_read = 0
    for dtype, read in _READ_TOGETHER.items():
        names = signature.names_by_type.get(dtype, ())
        lists = [columns[name] for name in names]
        if len(names) > 1 and set(map(type, lists)) == {list}:
            sizes = set(map(len, lists))
            values = list(chain.from_iterable(lists))
            array = read(values) if len(sizes) == 1 and values else None
            if array is not None:
                arrays.update(zip(names, array.reshape(len(names), -1), strict=True))
                n_read += len(names)
    if n_read < len(arrays):
        for name, tensor in signature.inputs.items():
            if arrays[name] is None:
                arrays[name] = read_tensor(columns[name], tensor, name)
    return arrays


def write_tensor(values: NDArray[Any] | bytes, name: str) -> Any:
    """Converts an array to nested lists, or a scalar to a value, for `json_text.dump`.

    Bytes become a string, or `{"b64": "..."}` if the name ends in `_bytes` or they are not UTF-8.

    Args:
        values: An array of any shape; bytes for a scalar string, as TensorFlow returns it.
        name: Name of the output.

    Raises:
        ServingError: UNIMPLEMENTED, if JSON cannot hold values of the type.
    """
    write = _write_bytes if name.endswith("_bytes") else _write_text
    if isinstance(values, bytes):
        return write(values)
    kind = values.dtype.kind
    if kind == "O":
        return _write_strings(values.tolist(), write)
    if kind not in "fiub":
        if values.dtype == tf.bfloat16.as_numpy_dtype:
            return write_tensor(values.astype(np.float32), name)
        raise ServingError(
            Code.UNIMPLEMENTED, f"Failed to write JSON value for tensor type: {values.dtype}"
        )
    if kind == "f" and values.dtype.itemsize < 8:  # Python floats would show a double's digits
        return list(values) if values.ndim else values[()]
    return values.tolist()


def decode_base64(value: dict[str, Any], name: str) -> bytes:
    """Decodes `{"b64": "..."}`; the padding may be missing.

    Raises:
        ServingError: INVALID_ARGUMENT, if the value is not of this form or not base64.
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
    """Returns whether a JSON value is an object `{"b64": "..."}`."""
    return type(value) is dict and len(value) == 1 and type(value.get("b64")) is str


def encode_text(text: str, name: str) -> bytes:
    """Encodes a string as UTF-8.

    Raises:
        ServingError: INVALID_ARGUMENT, if it holds half of a surrogate pair.
    """
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise invalid(f"input {name}: is not valid Unicode") from None


def json_type(value: Any) -> str:
    """Returns TensorFlow Serving's name for the type of a JSON value."""
    return _JSON_TYPES[type(value)]


def _check_types(values: Sequence[Any], allowed: set[type], tensor: Tensor, name: str) -> set[type]:
    """Returns the types of the values.

    Raises:
        ServingError: INVALID_ARGUMENT, if a type is not allowed.
    """
    kinds = set(map(type, values))
    if not kinds <= allowed:
        wrong = ", ".join(sorted(_JSON_TYPES[kind] for kind in kinds - allowed))
        raise invalid(
            f"input {name}: JSON Value Type: {wrong} is not of expected type: {tensor.dtype.name}"
        )
    return kinds


def _make_float_reader(type_code: str, greatest: float) -> _Read:
    """Makes the reader for a float type, which rounds numbers to it as the training does.

    TensorFlow Serving refuses whole numbers that the type does not hold exactly.

    Args:
        type_code: The type's code in `struct` and NumPy.
        greatest: A number up to which NumPy does not overflow.
    """
    dtype = np.dtype(f"<{type_code}")
    allowed: set[type] = {int, float}

    def read(values: Sequence[Any], tensor: Tensor, name: str) -> NDArray[Any]:
        _check_types(values, allowed, tensor, name)
        if values and -greatest <= min(values) and max(values) <= greatest:  # nearly always
            return np.array(values, dtype)
        try:
            # NumPy would turn numbers beyond the type's range into infinity, with a warning.
            return np.frombuffer(struct.pack(f"<{len(values)}{type_code}", *values), dtype)
        except (OverflowError, struct.error):  # of a float, of an integer
            pass
        raise invalid(
            f"input {name}: Cannot convert JSON value to {tensor.dtype.name} without loss of"
            " precision."
        )

    return read


def _read_bfloats(values: Sequence[Any], tensor: Tensor, name: str) -> NDArray[Any]:
    return _read_floats(values, tensor, name).astype(tensor.numpy_dtype)


def _read_ints(values: Sequence[Any], tensor: Tensor, name: str) -> NDArray[Any]:
    _check_types(values, {int}, tensor, name)
    if values and not tensor.dtype.min <= min(values) <= max(values) <= tensor.dtype.max:
        raise invalid(f"input {name}: JSON Value out of the range of {tensor.dtype.name}")
    return np.array(values, tensor.numpy_dtype)


def _read_bools(values: Sequence[Any], tensor: Tensor, name: str) -> NDArray[Any]:
    _check_types(values, {bool}, tensor, name)
    return np.array(values, bool)


def _read_strings(values: Sequence[Any], tensor: Tensor, name: str) -> NDArray[Any]:
    _check_types(values, {str, dict}, tensor, name)
    array = np.empty(len(values), object)
    array[:] = [
        encode_text(value, name) if type(value) is str else decode_base64(value, name)
        for value in values
    ]
    return array


def _write_strings(values: Any, write: Callable[[bytes], Any]) -> Any:
    if type(values) is not list:
        return write(values)
    return [
        write(value) if type(value) is bytes else _write_strings(value, write) for value in values
    ]


def _write_text(value: bytes) -> Any:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return _write_bytes(value)


def _write_bytes(value: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(value).decode()}


def _read_plain_floats(values: Sequence[Any]) -> NDArray[Any] | None:
    """Reads numbers that float32 surely holds; None if there are others, or other types."""
    if not set(map(type, values)) <= {int, float}:
        return None
    if min(values) >= -_SAFE_FLOAT32 and max(values) <= _SAFE_FLOAT32:
        return np.array(values, np.float32)
    return None


def _read_plain_strings(values: Sequence[Any]) -> NDArray[Any] | None:
    """Reads strings; None if there are other types, or half of a surrogate pair."""
    if set(map(type, values)) != {str}:
        return None
    array = np.empty(len(values), object)
    try:
        array[:] = [value.encode() for value in values]
    except UnicodeEncodeError:
        return None
    return array


_READ_TOGETHER: dict[tf.DType, Callable[[Sequence[Any]], NDArray[Any] | None]] = {
    tf.float32: _read_plain_floats,
    tf.string: _read_plain_strings,
}
_read_floats = _make_float_reader("f", _SAFE_FLOAT32)
_READERS: dict[tf.DType, _Read] = {
    tf.bfloat16: _read_bfloats,
    tf.float16: _make_float_reader("e", 2.0**15),
    tf.float32: _read_floats,
    tf.float64: _make_float_reader("d", 2.0**1023),
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
