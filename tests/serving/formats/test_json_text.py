import json
import math
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.errors import Code, ServingError
from serving.formats.json_text import dump, dump_error, parse


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"a": [1, 2.5, true, null, "\xc3\xa9"]}', {"a": [1, 2.5, True, None, "é"]}),
        (b' {"a": 1} and more', {"a": 1}),
        (b'{"a": 1}{"b": 2}', {"a": 1}),
        (b'{"a": [Infinity, -Infinity]}', {"a": [math.inf, -math.inf]}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'{"a": 1, "a": 2, "b": Infinity}', {"a": 2, "b": math.inf}),
        (b"{}", {}),
    ],
)
def test_parse_reads_lenient_json(body: bytes, expected: Any) -> None:
    assert parse(body, 64, 2**20) == expected


def test_parse_reads_nan() -> None:
    assert math.isnan(parse(b'{"a": NaN}', 64, 2**20)["a"])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "JSON Parse error: Expecting value at offset: 0"),
        (b"{", "JSON Parse error: Expecting property name enclosed in double quotes at offset: 1"),
        (b'{"a": 01}', "JSON Parse error: Expecting ',' delimiter at offset: 7"),
        (b"\xef\xbb\xbf{}", "JSON Parse error: Expecting value at offset: 0"),
        (b"\xff{}", "JSON Parse error: Invalid UTF-8 at offset: 0"),
        (b'{"a": 1e400}', "JSON Parse error: Number too big to be stored in double"),
        (b'{"a": %s}' % (b"9" * 5000), None),
        (b"[" * 100_000, "JSON Parse error: too many levels"),
        (b'{"a":' * 100_000, "JSON Parse error: too many levels"),
        (b"[" * 2000 + b"]" * 2000, "JSON Parse error: too many levels"),
        (b"[" * 500 + b"]" * 500, "JSON Parse error: more than 64 levels"),
        (b'{"a": %s}' % (b'{"b":' * 64 + b"1" + b"}" * 64), None),
        (b"[]", "JSON Value: Is not object"),
        (b"null", "JSON Value: Is not object"),
        (b"1" + b"[" * 100, "JSON Value: Is not object"),
        (b'"[[[[' + b"[" * 100 + b'"', "JSON Value: Is not object"),
        (b"NaN", "JSON Value: Is not object"),
    ],
)
def test_parse_refuses_wrong_documents(body: bytes, message: str | None) -> None:
    with pytest.raises(ServingError) as caught:
        parse(body, 64, 2**20)
    assert caught.value.code == Code.INVALID_ARGUMENT
    assert message in (None, caught.value.message)


@pytest.mark.parametrize("value", [b"[]", b"{}", b"1", b'""', b'"a,b"'])
def test_parse_limits_values(value: bytes) -> None:
    body = b'{"a": [%b]}' % b",".join([value] * 10)
    parse(body, 64, 22)
    with pytest.raises(ServingError, match="JSON Parse error: more than 10 values"):
        parse(body, 64, 10)


def test_parse_counts_levels_not_brackets() -> None:
    wide = {"a": [[1]] * 100, "b": "[" * 100}
    assert parse(json.dumps(wide).encode(), 3, 2**20) == wide
    with pytest.raises(ServingError, match="more than 2 levels"):
        parse(json.dumps(wide).encode(), 2, 2**20)


def test_dump_writes_whole_floats_with_a_point() -> None:
    assert dump({"a": [5.0, -0.0, 1e16], "b": 5}) == b'{"a":[5.0,-0.0,1e+16],"b":5}'


def test_dump_writes_only_needed_digits() -> None:
    tenth = np.array([0.1])
    assert dump({"a": tenth.astype(np.float32), "b": tenth}) == b'{"a":[0.1],"b":[0.1]}'
    assert dump({"a": [np.float32(0.1)]}) == b'{"a":[0.1]}'


def test_dump_writes_nan_and_infinity() -> None:
    values = np.array([[0.1, np.nan], [np.inf, -np.inf]], np.float32)
    expected = b"[[0.1,NaN],[Infinity,-Infinity]]"
    assert dump(values) == expected
    assert dump(values.astype(np.float64).round(1)) == expected
    assert dump([np.float32("nan"), np.int64(3), 5.0]) == b"[NaN,3,5.0]"


def test_dump_writes_the_string_null() -> None:
    words = {"é null": "null", "a": np.array([True, False]), "b": np.array([7], np.uint8)}
    assert json.loads(dump(words)) == {"é null": "null", "a": [True, False], "b": [7]}


def test_dump_error_cuts_long_messages() -> None:
    assert json.loads(dump_error('a "\ud800"')) == {"error": 'a "\ud800"'}
    assert json.loads(dump_error("x" * 2000)) == {"error": "x" * 1024 + "...TRUNCATED"}


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text('aé☃𝄞"\\\n\0', max_size=5),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("ab\0\n", max_size=3), inner),
    max_leaves=10,
)


@settings(deadline=None)
@given(st.dictionaries(st.text("abc"), _JSON))
def test_parse_inverts_json_dumps(document: dict[str, Any]) -> None:
    assert parse(orjson.dumps(document), 200, 2**20) == document
    assert parse(json.dumps(document).encode() + b"\n}", 200, 2**20) == document


@settings(deadline=None)
@given(st.binary() | st.text('[]{}",:\\0123456789.eE+-truefalsnINy \t').map(str.encode))
def test_parse_raises_only_serving_errors(body: bytes) -> None:
    code = Code.OK
    try:
        assert isinstance(parse(body, 8, 2**20), dict)
    except ServingError as error:
        code = error.code
    assert code in (Code.OK, Code.INVALID_ARGUMENT)
