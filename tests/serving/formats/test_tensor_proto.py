import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from tensorflow.core.framework import tensor_pb2, types_pb2
from tensorflow_serving.apis import predict_pb2

from serving.errors import Code, ServingError
from serving.formats.tensor_proto import read_tensors, serialize_output, write_tensor

_MEBIBYTE = 2**20
_DTYPES = [
    tf.float32,
    tf.float64,
    tf.int64,
    tf.int32,
    tf.int16,
    tf.int8,
    tf.uint8,
    tf.uint16,
    tf.uint32,
    tf.uint64,
    tf.bool,
    tf.float16,
    tf.bfloat16,
    tf.complex64,
    tf.complex128,
]


def _read(proto: tensor_pb2.TensorProto, max_bytes: int = _MEBIBYTE) -> Any:
    return read_tensors({"x": proto}, max_bytes)["x"]


def _refusal(proto: tensor_pb2.TensorProto) -> str:
    with pytest.raises(ServingError) as caught:
        _read(proto)
    assert caught.value.code == Code.INVALID_ARGUMENT
    return caught.value.message


def _floats(values: Any, sizes: Sequence[int]) -> tensor_pb2.TensorProto:
    proto = tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT, float_val=values)
    for size in sizes:
        proto.tensor_shape.dim.add().size = size
    return proto


@pytest.mark.parametrize("dtype", _DTYPES, ids=lambda dtype: dtype.name)
def test_write_tensor_is_read_by_tensorflow_and_here(dtype: tf.DType) -> None:
    values = np.array([[0, 1, 2], [3, 4, 5]]).astype(dtype.as_numpy_dtype)
    proto = tensor_pb2.TensorProto()

    write_tensor(values, proto)

    assert not proto.tensor_content
    for read in (tf.make_ndarray(proto), _read(proto)):
        assert read.dtype == values.dtype
        np.testing.assert_array_equal(read, values)


@pytest.mark.parametrize("dtype", _DTYPES, ids=lambda dtype: dtype.name)
def test_read_tensors_reads_make_tensor_proto(dtype: tf.DType) -> None:
    values = np.array([[0, 1, 2], [3, 4, 5]]).astype(dtype.as_numpy_dtype)

    read = _read(tf.make_tensor_proto(values))

    assert read.dtype == values.dtype
    np.testing.assert_array_equal(read, values)


@settings(deadline=None)
@given(
    st_numpy.arrays(
        st.sampled_from([np.float32, np.float64, np.int64, np.int8, np.uint64, np.complex64]),
        st_numpy.array_shapes(min_dims=0, min_side=0),
    )
)
def test_read_tensors_inverts_write_tensor(values: Any) -> None:
    proto = tensor_pb2.TensorProto()
    write_tensor(values, proto)
    np.testing.assert_array_equal(_read(proto), values)


def test_strings_are_written_and_read() -> None:
    values = np.array([[b"low", b"\xff"]], object)
    proto = tensor_pb2.TensorProto()

    write_tensor(values, proto)

    assert list(proto.string_val) == [b"low", b"\xff"]
    read = _read(proto)
    assert read.dtype == object
    assert read.tolist() == [[b"low", b"\xff"]]


@pytest.mark.parametrize(
    ("values", "expected"),
    [([7], [7, 7, 7]), ([7, 8], [7, 8, 8]), ([], [0, 0, 0])],
    ids=["one", "last", "none"],
)
def test_read_tensors_repeats_the_last_value(values: Any, expected: Any) -> None:
    assert _read(_floats(values, [3])).tolist() == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [([], [b"", b""]), ([b"a\0"], [b"a\0", b"a\0"])],
    ids=["none", "zero at the end"],
)
def test_read_tensors_repeats_whole_strings(values: Any, expected: Any) -> None:
    proto = tensor_pb2.TensorProto(dtype=types_pb2.DT_STRING, string_val=values)
    proto.tensor_shape.dim.add().size = 2
    assert _read(proto).tolist() == expected


def test_read_tensors_limits_all_repeated_bytes() -> None:
    half = _floats([1], [5, 30_000])  # 600,000 bytes of one value
    assert _read(half).shape == (5, 30_000)
    with pytest.raises(ServingError, match=r"tensor parsing error: b: .* is too large"):
        read_tensors({"a": half, "b": half}, _MEBIBYTE)


def test_read_tensors_counts_repeated_string_bytes() -> None:
    proto = tensor_pb2.TensorProto(dtype=types_pb2.DT_STRING, string_val=[b"x" * 100_000])
    proto.tensor_shape.dim.add().size = 100
    assert "too large" in _refusal(proto)


def test_read_tensors_reads_any_nonzero_byte_as_true() -> None:
    proto = tensor_pb2.TensorProto(dtype=types_pb2.DT_BOOL, tensor_content=b"\0\1\7")
    proto.tensor_shape.dim.add().size = 3
    assert _read(proto).view(np.uint8).tolist() == [0, 1, 1]


def _with(proto: tensor_pb2.TensorProto, **fields: Any) -> tensor_pb2.TensorProto:
    for name, value in fields.items():
        setattr(proto, name, value)
    return proto


@pytest.mark.parametrize(
    ("proto", "text"),
    [
        (_floats([1], [10**9]), "too large"),
        (_floats([1], [2**62, 2**62]), "too large"),
        (_floats([1], [1] * 33), "33 dimensions"),
        (_floats([1], [-1]), "shape is not known"),
        (_floats([1, 2], []), "2 values for shape"),
        (_floats([], [0, 2**62, 2**62]), "tensor parsing error"),
        (_with(_floats([], [2]), tensor_content=b"1234567"), "7 bytes of content, expected 8"),
        (_with(_floats([], [1]), dtype=types_pb2.DT_INVALID), "type 0 is not supported"),
        (_with(_floats([], [1]), dtype=types_pb2.DT_RESOURCE), "is not supported"),
        (_with(_floats([], [1]), dtype=types_pb2.DT_STRING, tensor_content=b"a"), "string_val"),
        (tensor_pb2.TensorProto(dtype=types_pb2.DT_INT8, int_val=[300]), "too large for the type"),
        (tensor_pb2.TensorProto(dtype=types_pb2.DT_HALF, half_val=[-1]), "too large for the type"),
        (tensor_pb2.TensorProto(dtype=types_pb2.DT_COMPLEX64, scomplex_val=[1]), "parsing error"),
    ],
)
def test_read_tensors_refuses_wrong_messages(proto: tensor_pb2.TensorProto, text: str) -> None:
    assert text in _refusal(proto)


def test_read_tensors_refuses_an_unknown_rank() -> None:
    proto = _floats([1], [])
    proto.tensor_shape.unknown_rank = True
    assert "shape is not known" in _refusal(proto)


def _response_of(name: str, values: Any) -> Any:
    response = predict_pb2.PredictResponse()
    write_tensor(values, response.outputs[name])
    return response


@pytest.mark.parametrize("dtype", _DTYPES, ids=lambda dtype: dtype.name)
@pytest.mark.parametrize("shape", [(), (0, 3), (3,), (2, 1), (20, 2, 5)])
def test_serialize_output_equals_protobuf(dtype: tf.DType, shape: tuple[int, ...]) -> None:
    values = np.arange(math.prod(shape)).reshape(shape).astype(dtype.as_numpy_dtype)
    parsed = predict_pb2.PredictResponse.FromString(serialize_output("a", values))
    assert parsed == _response_of("a", values)


@settings(max_examples=200, deadline=None)
@given(
    st.text(max_size=300),
    st_numpy.arrays(np.int64, st_numpy.array_shapes(), elements=st.integers(-2, 130))
    | st_numpy.arrays(np.float32, st_numpy.array_shapes(), elements={"allow_nan": False})
    | st.lists(st.binary(max_size=200), max_size=3).map(lambda words: np.array(words, object)),
)
def test_serialize_output_equals_protobuf_for_any(name: str, values: Any) -> None:
    parsed = predict_pb2.PredictResponse.FromString(serialize_output(name, values))
    assert parsed == _response_of(name, values)


def test_serialize_output_keeps_order_of_a_view() -> None:
    values = np.arange(6, dtype=np.float32).reshape(2, 3).T
    parsed = predict_pb2.PredictResponse.FromString(serialize_output("a", values))
    assert list(parsed.outputs["a"].float_val) == [0, 3, 1, 4, 2, 5]
