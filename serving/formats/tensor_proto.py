"""Conversion between untrusted TensorProto messages and NumPy arrays."""

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.core.framework import tensor_pb2, types_pb2

from serving.errors import invalid

_MAX_DIMENSIONS = 32
"""Limit of NumPy."""


class _Kind(NamedTuple):
    """How a message holds values of a type.

    Attributes:
        enum: Number of the type in DataType.
        field: Name of the typed field.
        dtype: Type of the array.
        bits: Type of the field's numbers after conversion to the array's size: for instance the
            bits of a half, or the two parts of a complex number.
        wire: Type of the field's numbers in protobuf.
    """

    enum: int
    field: str
    dtype: np.dtype[Any]
    bits: np.dtype[Any]
    wire: np.dtype[Any]


def _kind(dtype: tf.DType, field: str, bits: Any = None, wire: Any = None) -> _Kind:
    numpy_dtype = np.dtype(dtype.as_numpy_dtype)
    bits = numpy_dtype if bits is None else np.dtype(bits)
    wire = bits if wire is None else np.dtype(wire)
    return _Kind(dtype.as_datatype_enum, field, numpy_dtype, bits, wire)


_KINDS = [
    _kind(tf.float32, "float_val"),
    _kind(tf.float64, "double_val"),
    _kind(tf.int64, "int64_val"),
    _kind(tf.int32, "int_val"),
    _kind(tf.bool, "bool_val"),
    *(_kind(t, "int_val", wire=np.int32) for t in (tf.int16, tf.int8, tf.uint16, tf.uint8)),
    _kind(tf.uint32, "uint32_val"),
    _kind(tf.uint64, "uint64_val"),
    *(_kind(t, "half_val", np.uint16, np.int32) for t in (tf.float16, tf.bfloat16)),
    _kind(tf.complex64, "scomplex_val", np.float32),
    _kind(tf.complex128, "dcomplex_val", np.float64),
]
_FIELDS = tensor_pb2.TensorProto.DESCRIPTOR.fields_by_name
_OUTPUTS, _MAP_KEY, _MAP_VALUE = 1, 1, 2
_FLOATS, _STRINGS, _INTEGERS = (
    _FIELDS[name].number for name in ("float_val", "string_val", "int64_val")
)
"""Field numbers: `outputs` in PredictResponse, key and value of a map entry, and of TensorProto."""
_SMALL = 128
"""A smaller integer is encoded as one byte with its value."""
_BY_ENUM = {kind.enum: kind for kind in _KINDS}
_BY_DTYPE = {kind.dtype: kind for kind in _KINDS}


def read_tensors(protos: Mapping[str, tensor_pb2.TensorProto], max_bytes: int) -> dict[str, Any]:
    """Reads the inputs of a request.

    As in TensorFlow, a message may hold fewer values than its shape needs: the last value, or zero
    if there is none, is repeated.

    Args:
        protos: Messages by input name.
        max_bytes: Limit on the bytes of repeated values in all messages together.

    Returns:
        Arrays by input name; strings are objects of bytes.

    Raises:
        ServingError: INVALID_ARGUMENT, if type, shape and values of a message do not match.
    """
    arrays = {}
    for name, proto in protos.items():
        try:
            arrays[name], n_repeated_bytes = _read_tensor(proto, max_bytes)
        except ValueError as error:
            raise invalid(f"tensor parsing error: {name}: {error}") from None
        max_bytes -= n_repeated_bytes
    return arrays


def serialize_output(name: str, values: NDArray[Any]) -> bytes:
    """Serializes an entry of PredictResponse's map `outputs`.

    Writes the bytes of floats, strings and small integers, the usual outputs, directly: for a small
    message, protobuf takes five times as long, mostly to look up fields.

    Args:
        name: Name of the output.
        values: An array as for `write_tensor`.
    """
    tensor = _serialize(values)
    entry = _field(_MAP_KEY, name.encode()) + _field(_MAP_VALUE, tensor)
    return _field(_OUTPUTS, entry)


def write_tensor(values: NDArray[Any], proto: tensor_pb2.TensorProto) -> None:
    """Writes an array to the typed field of an empty message.

    Args:
        values: An array of any shape and any type of `_KINDS`, or of strings as objects of bytes.
        proto: The message.
    """
    for size in values.shape:
        proto.tensor_shape.dim.add().size = size
    if values.dtype == object:
        proto.dtype = types_pb2.DT_STRING
        proto.string_val.extend(values.ravel().tolist())
        return
    kind = _BY_DTYPE[values.dtype]
    proto.dtype = kind.enum
    getattr(proto, kind.field).extend(values.ravel().view(kind.bits).tolist())


def _serialize(values: NDArray[Any]) -> bytes:
    """Serializes a TensorProto. Source: https://protobuf.dev/programming-guides/encoding/."""
    dtype = values.dtype
    if dtype == np.float32:
        data = values.astype("<f4", copy=False).tobytes()
        return _serialize_head(types_pb2.DT_FLOAT, values.shape) + _field(_FLOATS, data)
    if dtype.kind == "O":
        strings = [_field(_STRINGS, string) for string in values.ravel().tolist()]
        return _serialize_head(types_pb2.DT_STRING, values.shape) + b"".join(strings)
    if dtype == np.int64 and values.size:
        numbers = values.ravel().tolist()
        if min(numbers) >= 0 and max(numbers) < _SMALL:
            head = _serialize_head(types_pb2.DT_INT64, values.shape)
            return head + _field(_INTEGERS, bytes(numbers))
    proto = tensor_pb2.TensorProto()
    write_tensor(values, proto)
    serialized: bytes = proto.SerializeToString()
    return serialized


@lru_cache(maxsize=1024)
def _serialize_head(enum: int, shape: tuple[int, ...]) -> bytes:
    proto = tensor_pb2.TensorProto(dtype=enum)
    for size in shape:
        proto.tensor_shape.dim.add().size = size
    serialized: bytes = proto.SerializeToString()
    return serialized


def _field(number: int, data: bytes) -> bytes:
    """Serializes a length-delimited field: bytes, a message, or packed numbers."""
    size = len(data)
    if size < _SMALL:
        return bytes((number << 3 | 2, size)) + data
    head = [number << 3 | 2]
    while size >= _SMALL:
        head.append(size % _SMALL + _SMALL)
        size //= _SMALL
    return bytes((*head, size)) + data


def _read_tensor(proto: tensor_pb2.TensorProto, max_bytes: int) -> tuple[NDArray[Any], int]:
    """Reads a message; returns the array and the number of bytes of repeated values."""
    shape = _shape_of(proto)
    size = shape[0] if len(shape) == 1 else math.prod(shape)
    is_string = proto.dtype == types_pb2.DT_STRING
    if proto.tensor_content:
        if is_string:
            raise ValueError("strings are expected in string_val, not in tensor_content")
        return _read_content(proto, size).reshape(shape), 0
    values = _read_strings(proto) if is_string else _read_numbers(proto)
    n_missing = size - len(values)
    if not n_missing and len(shape) == 1:
        return values, 0
    if n_missing < 0:
        raise ValueError(f"{len(values)} values for shape {list(shape)}")
    n_repeated_bytes = 0
    if n_missing:
        last = values[-1:] if len(values) else np.array([b"" if is_string else 0], values.dtype)
        n_repeated_bytes = n_missing * (values.itemsize + (len(last[0]) if is_string else 0))
        if n_repeated_bytes > max_bytes:
            raise ValueError(f"shape {list(shape)} is too large")
        values = np.concatenate([values, np.repeat(last, n_missing)])
    return values.reshape(shape), n_repeated_bytes


def _shape_of(proto: tensor_pb2.TensorProto) -> tuple[int, ...]:
    message = proto.tensor_shape
    shape = tuple([dim.size for dim in message.dim])
    if message.unknown_rank or min(shape, default=0) < 0:
        raise ValueError("the shape is not known")
    if len(shape) > _MAX_DIMENSIONS:
        raise ValueError(f"{len(shape)} dimensions, at most {_MAX_DIMENSIONS} are supported")
    return shape


def _kind_of(proto: tensor_pb2.TensorProto) -> _Kind:
    kind = _BY_ENUM.get(proto.dtype)
    if kind is None:
        raise ValueError(f"type {proto.dtype} is not supported")
    return kind


def _read_content(proto: tensor_pb2.TensorProto, size: int) -> NDArray[Any]:
    kind = _kind_of(proto)
    n_bytes = size * kind.dtype.itemsize
    if len(proto.tensor_content) != n_bytes:
        raise ValueError(f"{len(proto.tensor_content)} bytes of content, expected {n_bytes}")
    if kind.dtype == np.bool_:  # in C++, a boolean must not be a byte other than 0 and 1
        return np.frombuffer(proto.tensor_content, np.uint8).astype(bool)
    values: NDArray[Any] = np.frombuffer(proto.tensor_content, kind.dtype)
    return values


def _read_strings(proto: tensor_pb2.TensorProto) -> NDArray[Any]:
    values = np.empty(len(proto.string_val), object)
    values[:] = proto.string_val[:]
    return values


def _read_numbers(proto: tensor_pb2.TensorProto) -> NDArray[Any]:
    kind = _kind_of(proto)
    sent = np.array(getattr(proto, kind.field)[:], kind.wire)
    if kind.wire is kind.dtype:
        return sent
    bits = sent.astype(kind.bits)
    if (bits != sent).any() and kind.bits.kind in "iu":
        raise ValueError(f"{kind.field} holds numbers that are too large for the type")
    values: NDArray[Any] = bits.view(kind.dtype)
    return values
