"""Bytes that TensorFlow's own parser of examples must not see."""

import base64
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow.core.example.example_pb2 import Example, SequenceExample

from serving.errors import ServingError
from serving.models.engine import Engine
from serving.models.example_inputs import are_parsable
from tests.helpers.served_models import sign, write_graph, write_model

_V1 = tf.compat.v1
OUT_OF_BOUNDS = base64.b64decode(
    "CmYKGAoMcGV0YWxfbGVuZ3RoEggSBgrumpnZPwoXCgtwZXRhbF93aWR0aBIIEgYKBAAAAD8KFwoLc2VwYWxfd2lkdGgS"
    "CBIGCgQzM1NAChgKDHNlcGFsX2xlbmd0aBIIEgYKBDMzo0A="
)
"""An example whose packed floats state a length beyond 32 bits; it ended the process."""
NOT_UTF_8 = b"\x0a\x05\x0a\x03\x0a\x01\xff"
"""An example with a feature whose name is the byte 0xff."""
SPEC = {"x": tf.io.FixedLenFeature([], tf.float32)}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine(write_model(tmp_path_factory.mktemp("models"), 1))


@pytest.mark.parametrize("signature", ["classify", "regress", "examples"])
@pytest.mark.parametrize("example", [OUT_OF_BOUNDS, b"no example", b"\x0a\xff", NOT_UTF_8])
def test_check_refuses_bytes_that_are_not_an_example(
    engine: Engine, signature: str, example: bytes
) -> None:
    (name,) = engine.signatures[signature].inputs
    good = Example().SerializeToString()

    with pytest.raises(ServingError, match="Could not parse example input"):
        engine.signatures[signature].check({name: np.array([good, example], object)})


def test_check_takes_strings_that_are_not_parsed(engine: Engine) -> None:
    inputs = {"number": np.ones(1, np.float32), "word": np.array([b"no example"], object)}

    assert engine.signatures["columns"].check(inputs) == 1


def parse_plainly(serialized: tf.Tensor) -> tf.Tensor:
    return tf.io.parse_example(serialized, SPEC)["x"]


def parse_reshaped(serialized: tf.Tensor) -> tf.Tensor:
    return tf.io.parse_example(tf.reshape(tf.identity(serialized), [-1]), SPEC)["x"]


def parse_in_functions(serialized: tf.Tensor) -> tf.Tensor:
    inner = tf.function(lambda first, second: parse_plainly(second))
    return tf.function(lambda bytes_: inner(tf.constant([""]), bytes_))(serialized)


def parse_first(serialized: tf.Tensor) -> tf.Tensor:
    return tf.io.parse_single_example(serialized[0], SPEC)["x"]


def parse_sequences(serialized: tf.Tensor) -> tf.Tensor:
    context, _, _ = tf.io.parse_sequence_example(serialized, SPEC)
    return context["x"]


def parse_nothing(serialized: tf.Tensor) -> tf.Tensor:
    return tf.strings.length(serialized)


@pytest.mark.parametrize(
    ("parse", "message"),
    [
        (parse_plainly, Example),
        (parse_reshaped, Example),
        (parse_in_functions, Example),
        (parse_first, Example),
        (parse_sequences, SequenceExample),
        (parse_nothing, None),
    ],
)
def test_inputs_that_are_parsed_are_found(
    tmp_path: Path, parse: object, message: type[Message] | None
) -> None:
    with write_graph(tmp_path / "1") as signatures:
        serialized = _V1.placeholder(tf.string, [None], "bytes")
        signatures["s"] = sign({"x": serialized}, {"y": parse(serialized)})  # type: ignore[operator]

    assert Engine(tmp_path / "1").signatures["s"].inputs["x"].message is message


@pytest.mark.slow
@settings(max_examples=20_000, deadline=None)
@given(
    st.lists(st.floats(width=32), max_size=3),
    st.lists(st.tuples(st.integers(0, 60), st.binary(max_size=3)), max_size=4),
)
def test_what_protobuf_parses_does_not_end_the_process(
    engine: Engine, values: list[float], edits: list[tuple[int, bytes]]
) -> None:
    example = Example()
    example.features.feature["x"].float_list.value.extend(values)
    serialized = example.SerializeToString()
    for place, new in edits:
        serialized = serialized[:place] + new + serialized[place + len(new) // 2 :]

    if are_parsable(Example, [serialized]):
        inputs = {"examples": np.array([serialized], object)}
        with suppress(ServingError):  # an answer is all that is asked for
            engine.run(engine.signatures["examples"], inputs)
