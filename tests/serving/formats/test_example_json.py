from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.errors import Code, ServingError
from serving.formats.example_json import read_examples, write_classes
from serving.formats.json_text import dump
from serving.interfaces.classify_regress import classification_of
from serving.settings import LimitSettings


def _features(request: dict[str, Any]) -> list[dict[str, tuple[str | None, list[Any]]]]:
    """Reads a request; returns kind and values of each feature of each example."""
    read = []
    for serialized in read_examples(request, LimitSettings()):
        features = {}
        for name, feature in tf.train.Example.FromString(serialized).features.feature.items():
            kind = feature.WhichOneof("kind")
            features[name] = (kind, list(getattr(feature, kind).value) if kind else [])
        read.append(features)
    return read


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, ("int64_list", [5])),
        (5.0, ("float_list", [5.0])),
        ([0.5, 2.0], ("float_list", [0.5, 2.0])),
        ([1, True, False], ("int64_list", [1, 1, 0])),
        ("é", ("bytes_list", ["é".encode()])),
        (["a", {"b64": "AP8="}], ("bytes_list", [b"a", b"\0\xff"])),
        ({"b64": "AP8="}, ("bytes_list", [b"\0\xff"])),
        ([-(2**63), 2**63 - 1], ("int64_list", [-(2**63), 2**63 - 1])),
        ([float("inf")], ("float_list", [float("inf")])),
        ([], (None, [])),
    ],
)
def test_read_examples_converts_features(
    value: Any, expected: tuple[str | None, list[Any]]
) -> None:
    assert _features({"examples": [{"x": value}, {}]}) == [{"x": expected}, {}]


def test_read_examples_adds_context_features() -> None:
    request = {"context": {"x": 1, "y": "c"}, "examples": [{"x": 2}, {}]}
    c = ("bytes_list", [b"c"])
    assert _features(request) == [
        {"x": ("int64_list", [2]), "y": c},
        {"x": ("int64_list", [1]), "y": c},
    ]


@pytest.mark.parametrize(
    ("n_examples", "n_characters", "message"),
    [
        (4, 980, None),
        (5, 1, "5 examples: 4 are allowed in a request"),
        (4, 1100, "the context is too large for that many examples"),
    ],
)
def test_read_examples_limits_copies_of_the_context(
    n_examples: int, n_characters: int, message: str | None
) -> None:
    limits = LimitSettings(examples=4, body_bytes=4096)
    request = {"context": {"x": "c" * n_characters}, "examples": [{}] * n_examples}
    if message is None:
        assert sum(map(len, read_examples(request, limits))) <= 4096
        return
    with pytest.raises(ServingError, match=message):
        read_examples(request, limits)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({}, "key 'examples' is expected and was not found"),
        ({"examples": {}}, "Expecting 'examples' value to be an list/array"),
        ({"examples": []}, "'examples' value is an empty array"),
        ({"examples": [1]}, "Example must be JSON object but got JSON Integer"),
        ({"examples": [{}], "context": []}, "Example must be JSON object but got JSON Array"),
        ({"examples": [{"x": None}]}, "Feature: x has element with unexpected JSON type: Null"),
        ({"examples": [{"x": {"y": 1}}]}, "unexpected JSON type: Object"),
        ({"examples": [{"x": [[1]]}]}, "unexpected JSON type: Array"),
        ({"examples": [{"x": [1, 2.5]}]}, "Unexpected element type in feature: x"),
        ({"examples": [{"x": ["a", 1]}]}, "Unexpected element type in feature: x"),
        ({"examples": [{"x": 2**63}]}, "x has an integer beyond int64"),
        ({"examples": [{"x": 1e39}]}, "without loss of precision"),
        ({"examples": [{"x": {"b64": "A"}}]}, "Unable to base64 decode"),
        ({"examples": [{"x": "\ud800"}]}, "not valid Unicode"),
        ({"examples": [{"\ud800": 1}]}, "not valid Unicode"),
    ],
)
def test_read_examples_refuses_wrong_documents(request_: dict[str, Any], message: str) -> None:
    with pytest.raises(ServingError, match=message) as caught:
        read_examples(request_, LimitSettings())
    assert caught.value.code == Code.INVALID_ARGUMENT


_SCORES = np.array([[0.25, 0.75], [1, 0]], np.float32)
_CLASSES = np.array([[b"low", b"high"]] * 2, object)


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        (
            {"classes": _CLASSES, "scores": _SCORES},
            b'{"results":[[["low",0.25],["high",0.75]],[["low",1.0],["high",0.0]]]}',
        ),
        ({"scores": _SCORES}, b'{"results":[[["",0.25],["",0.75]],[["",1.0],["",0.0]]]}'),
        (
            {"scores": np.array([[np.inf, np.inf], [np.inf, np.nan]], np.float32)},
            b'{"results":[[["",Infinity],["",Infinity]],[["",Infinity],["",NaN]]]}',
        ),
    ],
)
def test_write_classes_pairs_labels_and_scores(outputs: dict[str, Any], expected: bytes) -> None:
    assert dump(write_classes(*classification_of(outputs, 2))) == expected


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text("a\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.just("b64"), inner),
    max_leaves=4,
)


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.text("xy\ud800"), _VALUES, max_size=3), max_size=3))
def test_read_examples_reads_or_refuses_anything(examples: list[dict[str, Any]]) -> None:
    code = Code.OK
    try:
        read = _features({"examples": examples})
        assert [features.keys() for features in read] == [example.keys() for example in examples]
    except ServingError as error:
        code = error.code
    assert code in (Code.OK, Code.INVALID_ARGUMENT)
