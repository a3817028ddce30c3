"""Inputs that the graph only stacks are fed as one matrix."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from serving.errors import ServingError
from serving.models.engine import Engine
from serving.models.feeds import Feeds
from tests.helpers.served_models import sign, write_graph

_NAMES = [f"c{index}" for index in range(20)]
_Inputs = dict[str, tf.Tensor]


def _placeholders(dtype: tf.DType = tf.float32) -> _Inputs:
    return {name: tf.compat.v1.placeholder(dtype, [None], name) for name in _NAMES}


def _stack(inputs: _Inputs) -> tf.Tensor:
    return tf.stack([inputs[name] for name in reversed(_NAMES)], axis=1, name="table")


def _stack_rows(inputs: _Inputs) -> tf.Tensor:
    return tf.stack(list(inputs.values()))


def _stack_few(inputs: _Inputs) -> tf.Tensor:
    return tf.stack([inputs["c0"], inputs["c1"]], axis=1)


def _stack_twice(inputs: _Inputs) -> tf.Tensor:
    return tf.stack([*inputs.values(), inputs["c0"]], axis=1)


def _stack_with_another(inputs: _Inputs) -> tf.Tensor:
    return tf.stack([*inputs.values(), tf.ones_like(inputs["c0"])], axis=1)


def _stack_after_a_check(inputs: _Inputs) -> tf.Tensor:
    with tf.control_dependencies([tf.no_op()]):  # an assertion, for instance
        return _stack(inputs)


def _stack_before_another(inputs: _Inputs) -> tf.Tensor:
    with tf.control_dependencies([_stack(inputs)]):
        return tf.constant(1.0)


def _n_feeds(
    build: Callable[[_Inputs], tf.Tensor], outputs: list[str], *, is_batched: bool = True
) -> int:
    with tf.Graph().as_default() as graph:
        inputs = _placeholders()
        build(inputs)
    names = {name: tensor.name for name, tensor in inputs.items()}
    return len(Feeds(graph, names, outputs, is_batched=is_batched).tensors)


def test_stacked_inputs_are_one_feed() -> None:
    assert _n_feeds(_stack, []) == 1


@pytest.mark.parametrize(
    "build",
    [
        _stack_rows,
        _stack_few,
        _stack_twice,
        _stack_with_another,
        _stack_after_a_check,
        _stack_before_another,
    ],
)
def test_other_inputs_are_fed_one_by_one(build: Callable[[_Inputs], tf.Tensor]) -> None:
    assert _n_feeds(build, []) == len(_NAMES)


@pytest.mark.parametrize("output", ["c3:0", "table:0"])
def test_stacked_inputs_that_are_outputs_are_fed_one_by_one(output: str) -> None:
    assert _n_feeds(_stack, [output]) == len(_NAMES)


def test_stacked_inputs_without_batch_are_fed_one_by_one() -> None:
    assert _n_feeds(_stack, [], is_batched=False) == len(_NAMES)


@pytest.mark.parametrize("n_rows", [0, 1, 3])
def test_engine_puts_each_value_at_its_place(tmp_path: Path, n_rows: int) -> None:
    expected = np.arange(n_rows * len(_NAMES)).reshape(n_rows, len(_NAMES))
    with write_graph(tmp_path / "1") as signatures:
        numbers = _placeholders()
        words = {f"w{name}": word for name, word in _placeholders(tf.string).items()}
        alone = tf.compat.v1.placeholder(tf.float32, [None], "alone")
        outputs = {
            "numbers": tf.stack(list(numbers.values()), axis=1) + alone[:, None],
            "words": tf.strings.join([tf.stack(list(words.values()), axis=1), "."]),
        }
        signatures["serving_default"] = sign(numbers | words | {"alone": alone}, outputs)
    inputs: dict[str, Any] = {"alone": np.full(n_rows, 0.5, np.float32)}
    for name, values in zip(_NAMES, expected.T, strict=True):
        inputs[name] = values.astype(np.float32)
        inputs[f"w{name}"] = values.astype(bytes).astype(object)
    engine = Engine(tmp_path / "1")
    signature = engine.signatures["serving_default"]

    assert signature.check(inputs) == n_rows
    answer = engine.run(signature, inputs)
    np.testing.assert_array_equal(answer["numbers"], expected + 0.5)
    assert answer["words"].tolist() == [[b"%d." % cell for cell in row] for row in expected]


def test_engine_refuses_an_object_among_stacked_strings(tmp_path: Path) -> None:
    with write_graph(tmp_path / "1") as signatures:
        words = _placeholders(tf.string)
        signatures["serving_default"] = sign(words, {"y": tf.strings.length(_stack(words))})
    engine = Engine(tmp_path / "1")
    inputs = {name: np.array([b"a"], object) for name in _NAMES}
    inputs["c3"][0] = object()

    with pytest.raises(ServingError, match="Unsupported object type"):
        engine.run(engine.signatures["serving_default"], inputs)
