import json
import math
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from serving.errors import Code, ServingError
from serving.formats.json_text import dump, parse
from serving.formats.tensor_json import read_columns, read_tensor, write_tensor
from serving.models.engine import Signature, Tensor

_INTS = [tf.int8, tf.int16, tf.int32, tf.int64, tf.uint8, tf.uint16, tf.uint32, tf.uint64]


def _read(value: Any, dtype: tf.DType) -> NDArray[Any]:
    return read_tensor(value, Tensor("x:0", dtype, None), "x")


@pytest.mark.parametrize(
    ("dtype", "value", "expected"),
    [
        (tf.float32, [1, 2.5], np.array([1, 2.5], np.float32)),
        (tf.float32, 0.1, np.array(0.1, np.float32)),
        (tf.float32, [math.inf, -math.inf], np.array([math.inf, -math.inf], np.float32)),
        (tf.float32, [2**24 - 1], np.array([16777215], np.float32)),
        (tf.float32, [3e9], np.array([3e9], np.float32)),
        (tf.float32, [1e-60], np.array([0], np.float32)),
        (tf.float64, [[1e300], [2**53 - 1]], np.array([[1e300], [9007199254740991]])),
        (tf.float16, [65504.0], np.array([65504], np.float16)),
        (tf.bfloat16, [1.5], np.array([1.5], tf.bfloat16.as_numpy_dtype)),
        (tf.int8, [-128, 127], np.array([-128, 127], np.int8)),
        (tf.uint64, [2**64 - 1], np.array([2**64 - 1], np.uint64)),
        (tf.int64, [-(2**63)], np.array([-(2**63)], np.int64)),
        (tf.bool, [True, False], np.array([True, False])),
        (tf.string, ["é", {"b64": "AP8="}, ""], np.array(["é".encode(), b"\0\xff", b""], object)),
        (tf.string, [{"b64": "AP8"}], np.array([b"\0\xff"], object)),
        (tf.float32, [1_000_000_001, -(2**24) - 1], np.float32([1_000_000_001, -(2**24) - 1])),
        (tf.float32, [2**127 + 1, 0.5], np.float32([2.0**127, 0.5])),
        (tf.float64, [2**53 + 1], np.array([2.0**53])),
        (tf.float16, [2049], np.array([2048], np.float16)),
        (tf.bfloat16, [257], np.array([256], tf.bfloat16.as_numpy_dtype)),
        (tf.float32, [], np.empty([0], np.float32)),
        (tf.float32, [[], []], np.empty([2, 0], np.float32)),
        (tf.int32, [[[1], [2]]], np.array([[[1], [2]]], np.int32)),
    ],
)
def test_read_tensor_converts_values(dtype: tf.DType, value: Any, expected: NDArray[Any]) -> None:
    array = _read(value, dtype)
    np.testing.assert_array_equal(array, expected)
    assert (array.dtype, array.shape) == (expected.dtype, expected.shape)


@pytest.mark.parametrize(
    ("dtype", "value", "message"),
    [
        (tf.float32, ["1"], "Type: String is not of expected type: float32"),
        (tf.float32, [1.0, None], "Type: Null is not"),
        (tf.float32, [True], "Type: Boolean is not"),
        (tf.float32, [{"b64": "AP8="}], "Type: Object is not"),
        (tf.float32, [1e39], "to float32 without loss of precision"),
        (tf.float32, [-(2**128)], "without loss"),
        (tf.float32, [10**400], "without loss"),
        (tf.float64, [10**309], "to float64 without loss"),
        (tf.float16, [7e4], "to float16 without loss"),
        (tf.bfloat16, [10**39], "to bfloat16 without loss"),
        (tf.int32, [1.0], "Type: Decimal number is not of expected type: int32"),
        (tf.int32, [math.nan], "Type: Decimal number"),
        (tf.int32, [True], "Type: Boolean"),
        (tf.int8, [128], "out of the range of int8"),
        (tf.int64, [2**63], "out of the range of int64"),
        (tf.uint8, [-1], "out of the range of uint8"),
        (tf.bool, [1], "Type: Integer is not of expected type: bool"),
        (tf.bool, ["true"], "Type: String"),
        (tf.string, [1], "Type: Integer is not of expected type: string"),
        (tf.string, [None], "Type: Null"),
        (tf.string, ["\ud800"], "not valid Unicode"),
        (tf.string, [{"b64": "A"}], "Unable to base64 decode"),
        (tf.string, [{"b64": "é"}], "Unable to base64 decode"),
        (tf.string, [{"b64": 1}], "not formatted correctly for base64"),
        (tf.string, [{"b64": "AP8=", "x": ""}], "not formatted correctly for base64"),
        (tf.string, [{}], "not formatted correctly for base64"),
        (tf.float32, [[1], [2, 3]], "unexpected size"),
        (tf.float32, [[1], 2], "unexpected size or level"),
        (tf.float32, [1, [2]], "Type: Array is not"),
    ],
)
def test_read_tensor_refuses_wrong_values(dtype: tf.DType, value: Any, message: str) -> None:
    with pytest.raises(ServingError, match=message) as caught:
        _read(value, dtype)
    assert caught.value.code == Code.INVALID_ARGUMENT


def test_read_tensor_limits_nesting() -> None:
    value: Any = 1.0
    for _ in range(40):
        value = [value]
    with pytest.raises(ServingError, match="has 40 levels"):
        _read(value, tf.float32)


def test_read_tensor_refuses_complex_numbers() -> None:
    with pytest.raises(ServingError, match="complex64") as caught:
        _read([1.0], tf.complex64)
    assert caught.value.code == Code.UNIMPLEMENTED


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("y", np.array([5, 0.1], np.float32), b"[5.0,0.1]"),
        ("y", np.float32(5), b"5.0"),
        ("y", np.array(5, np.int64), b"5"),
        ("y", np.array([[1, 2]], np.uint8), b"[[1,2]]"),
        ("y", np.array([True]), b"[true]"),
        ("y", np.array([1.5], tf.bfloat16.as_numpy_dtype), b"[1.5]"),
        ("y", np.array([[b"a", "é".encode()]], object), '[["a","é"]]'.encode()),
        ("y", b"a", b'"a"'),
        ("y", np.array([b"\xff"], object), b'[{"b64":"/w=="}]'),
        ("y_bytes", np.array([[b"a"]], object), b'[[{"b64":"YQ=="}]]'),
        ("y_bytes", b"a", b'{"b64":"YQ=="}'),
        ("y_bytes", np.array([1]), b"[1]"),
        ("y", np.empty([2, 0], np.float32), b"[[],[]]"),
        ("y", np.array([], object), b"[]"),
    ],
)
def test_write_tensor_converts_values(name: str, values: NDArray[Any], expected: bytes) -> None:
    assert dump(write_tensor(values, name)) == expected


def test_write_tensor_refuses_complex_numbers() -> None:
    with pytest.raises(ServingError, match="complex64") as caught:
        write_tensor(np.array([1j], np.complex64), "y")
    assert caught.value.code == Code.UNIMPLEMENTED


_SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)


def _shown(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Returns the shape that nested lists can express: cut after the first 0."""
    return shape[: shape.index(0) + 1] if 0 in shape else shape


def _check_round_trip(values: NDArray[Any], dtype: tf.DType, name: str = "x") -> None:
    text = dump({name: write_tensor(values, name)})
    back = _read(parse(text, 64, 2**20)[name], dtype)
    assert (back.dtype, back.shape) == (values.dtype, _shown(values.shape))
    np.testing.assert_array_equal(back.ravel(), values.ravel())


@st.composite
def _numbers(draw: st.DrawFn) -> tuple[NDArray[Any], tf.DType]:
    dtype = draw(st.sampled_from([tf.float16, tf.float32, tf.float64, tf.bool, *_INTS]))
    return draw(hnp.arrays(dtype.as_numpy_dtype, _SHAPES)), dtype


@st.composite
def _words(draw: st.DrawFn, entries: st.SearchStrategy[bytes]) -> NDArray[Any]:
    return draw(hnp.arrays(object, _SHAPES, elements=entries))


_TEXT = st.text(st.characters(exclude_categories=["Cs"])).map(str.encode)


@settings(deadline=None)
@given(_numbers())
def test_numbers_survive_a_round_trip(
    tensor: tuple[NDArray[Any], tf.DType],
) -> None:
    _check_round_trip(*tensor)


@settings(deadline=None)
@given(_words(_TEXT), _words(st.binary()))
def test_strings_survive_a_round_trip(words: NDArray[Any], data: NDArray[Any]) -> None:
    _check_round_trip(words, tf.string)
    _check_round_trip(data, tf.string)
    _check_round_trip(data, tf.string, "x_bytes")


@pytest.mark.slow
@settings(max_examples=1500, deadline=None)
@given(_numbers(), _words(st.binary()))
def test_many_tensors_survive_a_round_trip(
    tensor: tuple[NDArray[Any], tf.DType], data: NDArray[Any]
) -> None:
    _check_round_trip(*tensor)
    _check_round_trip(data, tf.string)


def test_json_library_reads_the_same_numbers() -> None:
    values = np.array([0.1, 1e-7, 3e20, -5], np.float32)
    back = np.array(json.loads(dump(write_tensor(values, "y"))), np.float32)
    np.testing.assert_array_equal(back, values)


# columns

_CELLS = st.one_of(
    st.integers(-(2**25), 2**25), st.floats(), st.text(max_size=2), st.none(), st.booleans()
)
_COLUMN = st.one_of(
    st.lists(st.floats(-9, 9, width=32), min_size=2, max_size=2),
    st.lists(st.text(max_size=3), min_size=2, max_size=2),
    st.lists(_CELLS, max_size=3),
    st.lists(st.lists(st.integers(0, 9), max_size=2), max_size=2),
    _CELLS,
)


@given(st.lists(st.tuples(st.sampled_from([tf.float32, tf.string, tf.int64]), _COLUMN), max_size=5))
@settings(max_examples=300)
def test_read_columns_reads_as_one_by_one(given_columns: list[tuple[tf.DType, Any]]) -> None:
    columns = {f"x{index}": values for index, (_, values) in enumerate(given_columns)}
    inputs = {
        f"x{index}": Tensor("x:0", dtype, None) for index, (dtype, _) in enumerate(given_columns)
    }
    signature = Signature("s", "", inputs, {})
    expected, arrays = (
        _read_or_fail(read, columns, signature) for read in (_read_one_by_one, read_columns)
    )

    assert list(arrays) == list(expected)
    for name, array in expected.items():
        assert arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(arrays[name], array)


def _read_one_by_one(columns: Any, signature: Signature) -> Any:
    return {
        name: read_tensor(columns[name], tensor, name) for name, tensor in signature.inputs.items()
    }


def _read_or_fail(read: Any, columns: Any, signature: Signature) -> dict[str, NDArray[Any]]:
    """Reads columns; an error becomes a column of its code and message."""
    try:
        return dict(read(columns, signature))
    except ServingError as error:
        return {"error": np.array([error.code.name, str(error)])}


def test_read_columns_names_the_column_of_half_a_pair() -> None:
    inputs = {name: Tensor("x:0", tf.string, None) for name in ("a", "b")}

    with pytest.raises(ServingError, match=r"^input b: is not valid Unicode"):
        read_columns({"a": ["x"], "b": ["\ud800"]}, Signature("s", "", inputs, {}))
