"""The input of a network, compared with feature_column.input_layer."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from trainer.model.input_layer import make_input

number = tf.feature_column.numeric_column
ids = tf.feature_column.categorical_column_with_identity
one_hot = tf.feature_column.indicator_column
STOCK = tf.compat.v1.feature_column.input_layer

FEATURES = {
    "c": [[1.5], [-2.0], [float("inf")]],
    "B": [[7], [8], [9]],
    "a": [[0.25], [0.0], [1e30]],
    "wide": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]],
    "word": [[2], [0], [1]],
    "city": [[0], [4], [3]],
    "list": [[0, 0], [1, 2], [2, 0]],
}
COLUMNS: dict[str, Callable[[], list[Any]]] = {
    "one number": lambda: [number("c")],
    "numbers": lambda: [number("c"), number("B"), number("a")],
    "vectors": lambda: [number("c"), number("wide", (2,)), number("a")],
    "normalized": lambda: [number("c", normalizer_fn=lambda x: x + 1), number("a")],
    "one-hot": lambda: [one_hot(ids("word", 3)), one_hot(ids("city", 5))],
    "counts": lambda: [one_hot(ids("list", 3)), one_hot(ids("word", 3))],
    "mixed": lambda: [
        number("c"),
        one_hot(ids("word", 3)),
        tf.feature_column.embedding_column(ids("city", 5), 2),
        one_hot(tf.feature_column.crossed_column([ids("word", 3), ids("city", 5)], 4)),
        number("a"),
        one_hot(ids("city", 5)),
    ],
}


def build(
    join: Callable[[Any, Any], tf.Tensor], columns: Sequence[Any]
) -> tuple[list[Any], list[str]]:
    """Computes the input of the rows, and lists the variables."""
    tf.keras.utils.set_random_seed(1)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        joined = join({name: tf.constant(rows) for name, rows in FEATURES.items()}, columns)
        variables = tf.compat.v1.global_variables()
        for variable in variables:
            variable.load(np.arange(10.0).reshape(5, 2), session)
        return session.run(joined).tolist(), [variable.name for variable in variables]


@pytest.mark.parametrize("columns", COLUMNS.values(), ids=COLUMNS)
def test_make_input_is_that_of_feature_columns(columns: Callable[[], list[Any]]) -> None:
    assert build(make_input, columns()) == build(STOCK, columns())


@pytest.mark.parametrize(
    "column", [lambda name: number(name), lambda name: one_hot(ids(name, 3))], ids=["number", "ids"]
)
def test_a_further_column_adds_no_op_but_its_cast(column: Callable[[str], Any]) -> None:
    def count(n_columns: int) -> int:
        names = [f"x{index}" for index in range(n_columns)]
        with tf.Graph().as_default() as graph:
            features = {
                name: tf.compat.v1.placeholder(tf.int32, [None, 1], name=name) for name in names
            }
            make_input(features, [column(name) for name in names])
            return len(graph.get_operations()) - n_columns

    assert count(30) - count(20) == 10
