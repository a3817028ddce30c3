import json
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.errors import Code, ServingError
from serving.formats.json_text import dump, parse
from serving.formats.predict_json import read_predict, write_predict
from serving.models.engine import Signature, Tensor

_NUMBER = Tensor("number:0", tf.float32, (None,))
_WORD = Tensor("word:0", tf.string, (None,))
_ONE = Signature("one", "tensorflow/serving/predict", {"x": _NUMBER}, {})
_BYTES = Signature("bytes", "tensorflow/serving/predict", {"b": _WORD}, {})
_TWO = Signature("two", "tensorflow/serving/predict", {"number": _NUMBER, "word": _WORD}, {})
_NONE = Signature("none", "tensorflow/serving/predict", {}, {})


@pytest.mark.parametrize(
    ("signature", "request_", "expected"),
    [
        (_ONE, {"instances": [1, 2.5]}, {"x": [1, 2.5]}),
        (_ONE, {"instances": [{"x": 1}, {"x": 2.5}]}, {"x": [1, 2.5]}),
        (_ONE, {"instances": [[1], [2]]}, {"x": [[1], [2]]}),
        (_ONE, {"inputs": [1, 2.5]}, {"x": [1, 2.5]}),
        (_ONE, {"inputs": 1}, {"x": 1}),
        (_ONE, {"inputs": {"x": [1]}, "signature_name": "one", "more": 1}, {"x": [1]}),
        (_ONE, {"inputs": {"x": [1], "unknown": "ignored"}}, {"x": [1]}),
        (_BYTES, {"instances": [{"b64": "AP8="}, "a"]}, {"b": [b"\0\xff", b"a"]}),
        (_BYTES, {"instances": [{"b": {"b64": "AP8="}}]}, {"b": [b"\0\xff"]}),
        (_BYTES, {"inputs": {"b64": "AP8="}}, {"b": b"\0\xff"}),
        (
            _TWO,
            {"instances": [{"word": "a", "number": 1}, {"number": 2, "word": "b"}]},
            {"number": [1, 2], "word": [b"a", b"b"]},
        ),
        (
            _TWO,
            {"inputs": {"number": [1, 2], "word": ["a", "b"]}},
            {"number": [1, 2], "word": [b"a", b"b"]},
        ),
    ],
)
def test_read_predict_reads_both_formats(
    signature: Signature, request_: dict[str, Any], expected: dict[str, Any]
) -> None:
    inputs, is_by_row = read_predict(request_, signature)
    assert {name: values.tolist() for name, values in inputs.items()} == expected
    assert is_by_row == ("instances" in request_)


@pytest.mark.parametrize(
    ("signature", "request_", "message"),
    [
        (_ONE, {}, "Missing 'inputs' or 'instances' key"),
        (_ONE, {"inputs": [1], "instances": [1]}, "expecting only one of"),
        (_ONE, {"instances": []}, "No values in 'instances' array"),
        (_ONE, {"instances": {"x": 1}}, "Expecting 'instances' to be a list"),
        (_ONE, {"instances": None}, "Expecting 'instances' to be a list"),
        (_ONE, {"instances": [{"x": 1}, 2]}, "Expecting object but got list at item 1"),
        (_ONE, {"instances": [1, {"x": 2}]}, "Type: Object is not of expected type: float32"),
        (_ONE, {"instances": [{"x": 1, "y": 2}]}, "keys must be equal to: x; unknown: y"),
        (_ONE, {"instances": [[1], [1, 2]]}, "unexpected size"),
        (_ONE, {"inputs": {"y": 1}}, "Missing named input: x in 'inputs' object"),
        (_TWO, {"instances": [1]}, "instances is a plain list, but expecting list of objects"),
        (_TWO, {"instances": [{"number": 1}]}, "equal to: number,word; missing: word"),
        (_TWO, {"inputs": [1]}, "inputs is a plain value/list, but expecting an object"),
        (_TWO, {"inputs": {"number": [1]}}, "Missing named input: word"),
        (_NONE, {"inputs": {}}, "Failed to get input map for signature: none"),
    ],
)
def test_read_predict_refuses_wrong_documents(
    signature: Signature, request_: dict[str, Any], message: str
) -> None:
    with pytest.raises(ServingError, match=message) as caught:
        read_predict(request_, signature)
    assert caught.value.code == Code.INVALID_ARGUMENT


_Y = np.array([2.5, 3], np.float32)
_WORDS = np.array([[b"a"], [b"b"]], object)


@pytest.mark.parametrize(
    ("outputs", "by_row", "expected"),
    [
        ({"y": _Y}, True, b'{"predictions":[2.5,3.0]}'),
        ({"y": _Y}, False, b'{"outputs":[2.5,3.0]}'),
        ({"y": np.float32(2.5)}, False, b'{"outputs":2.5}'),
        (
            {"w": _WORDS, "y": _Y},
            True,
            b'{"predictions":[{"w":["a"],"y":2.5},{"w":["b"],"y":3.0}]}',
        ),
        ({"w": _WORDS, "y": _Y}, False, b'{"outputs":{"w":[["a"],["b"]],"y":[2.5,3.0]}}'),
        (
            {"w_bytes": _WORDS[:1], "y": _Y[:1] * np.nan},
            True,
            b'{"predictions":[{"w_bytes":[{"b64":"YQ=="}],"y":NaN}]}',
        ),
    ],
)
def test_write_predict_writes_both_formats(
    outputs: dict[str, Any], by_row: bool, expected: bytes
) -> None:
    assert dump(write_predict(outputs, by_row=by_row)) == expected


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ({"y": np.float32(1)}, "Tensor name: y has no shape information"),
        ({"a": b"word", "y": _Y}, "Tensor name: a has no shape information"),
        ({"y": _Y, "z": _Y[:1]}, "z has inconsistent batch size: 1 expecting: 2"),
    ],
)
def test_write_predict_refuses_outputs_without_rows(outputs: dict[str, Any], message: str) -> None:
    with pytest.raises(ServingError, match=message) as caught:
        write_predict(outputs, by_row=True)
    assert caught.value.code == Code.INVALID_ARGUMENT


_ROWS = st.lists(
    st.fixed_dictionaries({"number": st.floats(width=32), "word": st.text("aé\n")}), min_size=1
)


@settings(deadline=None)
@given(_ROWS)
def test_rows_and_columns_read_the_same(rows: list[dict[str, Any]]) -> None:
    columns = {name: [row[name] for row in rows] for name in ("number", "word")}
    by_row, _ = read_predict(parse(json.dumps({"instances": rows}).encode(), 9, 2**20), _TWO)
    by_column, _ = read_predict(parse(json.dumps({"inputs": columns}).encode(), 9, 2**20), _TWO)
    for name in columns:
        np.testing.assert_array_equal(by_row[name], by_column[name])


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text("ab\ud800") | st.just("AP8="),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["x", "b64", "number", "word"]), inner, max_size=3)
    ),
    max_leaves=8,
)
_REQUESTS = st.dictionaries(st.sampled_from(["instances", "inputs", "context"]), _VALUES)


def _check_is_read_or_refused(request: dict[str, Any]) -> None:
    for signature in (_ONE, _BYTES, _TWO):
        code = Code.OK
        try:
            inputs, _ = read_predict(parse(json.dumps(request).encode(), 64, 2**20), signature)
            assert inputs.keys() == signature.inputs.keys()
            for name, values in inputs.items():
                assert values.dtype == signature.inputs[name].numpy_dtype
        except ServingError as error:
            code = error.code
        assert code in (Code.OK, Code.INVALID_ARGUMENT)


@settings(deadline=None)
@given(_REQUESTS)
def test_read_predict_reads_or_refuses_anything(request_: dict[str, Any]) -> None:
    _check_is_read_or_refused(request_)


@pytest.mark.slow
@settings(max_examples=1500, deadline=None)
@given(_REQUESTS)
def test_read_predict_reads_or_refuses_many(request_: dict[str, Any]) -> None:
    _check_is_read_or_refused(request_)
