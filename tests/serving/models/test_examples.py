"""Parsing and serializing of examples."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from serving.models.columns import Column
from serving.models.examples import parse_examples, serialize_example

COLUMNS = {"x": Column(2.5, True, 1.5, 3.5), "word": Column("b", True, words=("a", "b"))}


def example(**columns: tf.train.Feature) -> bytes:
    features = tf.train.Features(feature=columns)
    return bytes(tf.train.Example(features=features).SerializeToString())


def floats(*values: float) -> tf.train.Feature:
    return tf.train.Feature(float_list=tf.train.FloatList(value=values))


def words(*values: bytes) -> tf.train.Feature:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))


def whole(*values: int) -> tf.train.Feature:
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))


FULL = example(x=floats(2.1), word=words(b"\xff"), other=whole(1))


def parse(*serialized: bytes) -> dict[str, Any]:
    return parse_examples(np.array(serialized, object), COLUMNS)


def test_parse_examples_returns_raw_columns() -> None:
    inputs = parse(FULL, example(x=floats(7.0), word=words(b"b")))

    assert list(inputs) == ["x", "word"]
    assert inputs["x"].dtype == np.float32
    np.testing.assert_array_equal(inputs["x"], np.float32([2.1, 7.0]))
    assert inputs["word"].tolist() == [b"\xff", b"b"]


@pytest.mark.parametrize(
    "serialized",
    [
        pytest.param(example(), id="absent"),
        pytest.param(example(x=floats(), word=words()), id="empty lists"),
        pytest.param(example(x=tf.train.Feature(), word=tf.train.Feature()), id="no lists"),
        pytest.param(b"no example", id="invalid"),
        pytest.param(b"", id="empty"),
    ],
)
def test_parse_examples_marks_missing_values(serialized: bytes) -> None:
    inputs = parse(serialized, FULL)

    np.testing.assert_array_equal(inputs["x"], np.float32([np.nan, 2.1]))
    assert inputs["word"].tolist() == [b"", b"\xff"]


@pytest.mark.parametrize(
    ("serialized", "left"),
    [
        (example(x=whole(2), word=words(b"a")), ["word"]),
        (example(x=whole()), ["word"]),
        (example(x=floats(2.0), word=whole(8)), ["x"]),
        (example(x=words(b"2"), word=floats(8.0)), []),
    ],
    ids=["whole number", "no number", "number for a word", "both"],
)
def test_parse_examples_drops_columns_of_wrong_type(serialized: bytes, left: list[str]) -> None:
    assert list(parse(FULL, serialized)) == left


def test_parse_examples_agrees_with_tensorflow() -> None:
    serialized = [FULL, example(), example(x=floats(), word=words(b"a")), example(x=floats(-1.5))]
    spec = {"x": tf.io.VarLenFeature(tf.float32), "word": tf.io.VarLenFeature(tf.string)}
    parsed = tf.io.parse_example(serialized, spec)

    inputs = parse(*serialized)

    for name, gap in (("x", np.nan), ("word", b"")):
        dense = tf.sparse.to_dense(parsed[name], gap).numpy()[:, 0]
        np.testing.assert_array_equal(inputs[name], dense)


def test_serialize_example_writes_each_type() -> None:
    serialized = serialize_example({"x": [1.5, 2.0], "word": [b"\xff"], "n": [3], "yes": [True]})

    assert tf.train.Example.FromString(serialized) == tf.train.Example.FromString(
        example(x=floats(1.5, 2.0), word=words(b"\xff"), n=whole(3), yes=whole(1))
    )
