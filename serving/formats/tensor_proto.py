"""NumPy arrays from TensorProto messages that a client may have made up, and back."""

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.core.framework import tensor_pb2, types_pb2

from serving.errors import invalid

_MOST_DIMENSIONS = 32
"""Of a NumPy array."""


class _Kind(NamedTuple):
    """How values of a type stand in a message."""

    enum: int
    field: str
    dtype: np.dtype[Any]
    """Of the array."""
    bits: np.dtype[Any]
    """What the numbers of the field are, once they fit the type: the bits of a half, the two parts
    of a complex number."""
    wire: np.dtype[Any]
    """What protocol buffers hold the numbers of the field in."""


def _kind(dtype: tf.DType, field: str, bits: Any = None, wire: Any = None) -> _Kind:
    own = np.dtype(dtype.as_numpy_dtype)
    bits = own if bits is None else np.dtype(bits)
    wire = bits if wire is None else np.dtype(wire)
    return _Kind(dtype.as_datatype_enum, field, own, bits, wire)


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
"""Numbers of the field in the message, and of the two in an entry of a map."""
_SMALL = 128
"""Integers below take a byte, which is the integer itself."""
_BY_ENUM = {kind.enum: kind for kind in _KINDS}
_BY_DTYPE = {kind.dtype: kind for kind in _KINDS}


def arrays_of(protos: Mapping[str, tensor_pb2.TensorProto], most_bytes: int) -> dict[str, Any]:
    """Reads the inputs of a request.

    Args:
        protos: Messages by input name, from anyone.
        most_bytes: How much may be made of values that a message leaves out: as in TensorFlow, the
            last one stands for those that follow, and zero where there is none.

    Returns:
        Arrays by input name; strings are objects of bytes.

    Raises:
        ServingError: INVALID_ARGUMENT, if one has no type, shape or values that go together.
    """
    arrays = {}
    for name, proto in protos.items():
        try:
            arrays[name], n_made_up = _array_of(proto, most_bytes)
        except ValueError as error:
            raise invalid(f"tensor parsing error: {name}: {error}") from None
        most_bytes -= n_made_up
    return arrays


def serialize_output(name: str, values: NDArray[Any]) -> bytes:
    """Makes an entry of a PredictResponse's `outputs`, as it stands in that, serialized.

    Floats, words and small integers, which models mostly give, are put into the bytes at once: the
    library takes five times as long for as small a message, most of it to look at its fields.

    Args:
        name: Of the output.
        values: As of `write_array`.
    """
    tensor = _serialize(values)
    entry = _field(_MAP_KEY, name.encode()) + _field(_MAP_VALUE, tensor)
    return _field(_OUTPUTS, entry)


def write_array(values: NDArray[Any], proto: tensor_pb2.TensorProto) -> None:
    """Fills an empty message, in the typed field that belongs to the values.

    Args:
        values: Of any shape and any type that a graph computes with; strings are objects of bytes.
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
    """Serializes a TensorProto, see https://protobuf.dev/programming-guides/encoding/."""
    dtype = values.dtype
    if dtype == np.float32:
        data = values.astype("<f4", copy=False).tobytes()
        return _serialize_head(types_pb2.DT_FLOAT, values.shape) + _field(_FLOATS, data)
    if dtype.kind == "O":
        words = [_field(_STRINGS, word) for word in values.ravel().tolist()]
        return _serialize_head(types_pb2.DT_STRING, values.shape) + b"".join(words)
    if dtype == np.int64 and values.size:
        numbers = values.ravel().tolist()
        if min(numbers) >= 0 and max(numbers) < _SMALL:
            head = _serialize_head(types_pb2.DT_INT64, values.shape)
            return head + _field(_INTEGERS, bytes(numbers))
    proto = tensor_pb2.TensorProto()
    write_array(values, proto)
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
    """Serializes a field of bytes, of a message, or of packed numbers."""
    size = len(data)
    if size < _SMALL:
        return bytes((number << 3 | 2, size)) + data
    head = [number << 3 | 2]
    while size >= _SMALL:
        head.append(size % _SMALL + _SMALL)
        size //= _SMALL
    return bytes((*head, size)) + data


def _array_of(proto: tensor_pb2.TensorProto, most_bytes: int) -> tuple[NDArray[Any], int]:
    """Makes an array, and tells how many bytes of it the message has left out."""
    shape = _shape_of(proto)
    size = shape[0] if len(shape) == 1 else math.prod(shape)
    is_text = proto.dtype == types_pb2.DT_STRING
    if proto.tensor_content:
        if is_text:
            raise ValueError("strings are expected in string_val, not in tensor_content")
        return _content_of(proto, size).reshape(shape), 0
    values = _texts_of(proto) if is_text else _numbers_of(proto)
    n_missing = size - len(values)
    if not n_missing and len(shape) == 1:
        return values, 0
    if n_missing < 0:
        raise ValueError(f"{len(values)} values for shape {list(shape)}")
    n_made_up = 0
    if n_missing:
        last = values[-1:] if len(values) else np.array([b"" if is_text else 0], values.dtype)
        n_made_up = n_missing * (values.itemsize + (len(last[0]) if is_text else 0))
        if n_made_up > most_bytes:
            raise ValueError(f"shape {list(shape)} is too large")
        values = np.concatenate([values, np.repeat(last, n_missing)])
    return values.reshape(shape), n_made_up


def _shape_of(proto: tensor_pb2.TensorProto) -> tuple[int, ...]:
    message = proto.tensor_shape
    shape = tuple([dim.size for dim in message.dim])
    if message.unknown_rank or min(shape, default=0) < 0:
        raise ValueError("its shape is not known")
    if len(shape) > _MOST_DIMENSIONS:
        raise ValueError(f"{len(shape)} dimensions, at most {_MOST_DIMENSIONS} are possible")
    return shape


def _kind_of(proto: tensor_pb2.TensorProto) -> _Kind:
    kind = _BY_ENUM.get(proto.dtype)
    if kind is None:
        raise ValueError(f"type {proto.dtype} is not possible")
    return kind


def _content_of(proto: tensor_pb2.TensorProto, size: int) -> NDArray[Any]:
    kind = _kind_of(proto)
    n_bytes = size * kind.dtype.itemsize
    if len(proto.tensor_content) != n_bytes:
        raise ValueError(f"{len(proto.tensor_content)} bytes of content, expected {n_bytes}")
    if kind.dtype == np.bool_:  # a byte of another value than 0 and 1 is no boolean in C++
        return np.frombuffer(proto.tensor_content, np.uint8).astype(bool)
    values: NDArray[Any] = np.frombuffer(proto.tensor_content, kind.dtype)
    return values


def _texts_of(proto: tensor_pb2.TensorProto) -> NDArray[Any]:
    values = np.empty(len(proto.string_val), object)
    values[:] = proto.string_val[:]
    return values


def _numbers_of(proto: tensor_pb2.TensorProto) -> NDArray[Any]:
    kind = _kind_of(proto)
    sent = np.array(getattr(proto, kind.field)[:], kind.wire)
    if kind.wire is kind.dtype:
        return sent
    bits = sent.astype(kind.bits)
    if (bits != sent).any() and kind.bits.kind in "iu":
        raise ValueError(f"{kind.field} holds numbers that are too large for the type")
    values: NDArray[Any] = bits.view(kind.dtype)
    return values
