"""Raw columns of tensors, compared with those that Transform finds."""

from typing import Any

import pytest
import tensorflow as tf
from tensorflow.python.util import object_identity
from tensorflow_transform import graph_tools

from components.transform.source_keys import find_source_keys_by_identity, source_keys

transforms_own = graph_tools._retrieve_source_keys


def make_graph(n_columns: int) -> tuple[dict[str, Any], tf.Tensor]:
    """Makes columns, half of them sparse, and a matrix of all but the first."""
    with tf.Graph().as_default():
        columns: dict[str, Any] = {
            f"x{index}": tf.compat.v1.placeholder(tf.float32, [None, 1])
            if index % 2
            else tf.compat.v1.sparse_placeholder(tf.float32, [None, 1])
            for index in range(n_columns)
        }
        _, *used = columns.values()
        values = [column if isinstance(column, tf.Tensor) else column.values for column in used]
        return columns, tf.concat([tf.reshape(each, [-1]) for each in values], axis=0)


def test_source_keys_are_those_that_transform_finds() -> None:
    columns, matrix = make_graph(4)

    for tensors in ([matrix], [columns["x0"].indices, columns["x1"]], []):
        assert source_keys(tensors, columns) == transforms_own(tensors, columns)
    assert source_keys([matrix], columns) == {"x1", "x2", "x3"}


def test_source_keys_count_control_dependencies_if_asked() -> None:
    columns, _ = make_graph(2)
    with columns["x1"].graph.as_default(), tf.control_dependencies([columns["x1"]]):
        waiting = tf.constant(1)

    assert source_keys([waiting], columns) == set()
    assert source_keys([waiting], columns, ignore_control_dependencies=False) == {"x1"}


def test_each_column_is_compared_a_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    equal = object_identity._ObjectIdentityWrapper.__eq__

    def count(left: Any, right: Any) -> Any:
        compared.append(left)
        return equal(left, right)

    def count_comparisons(n_columns: int) -> int:
        columns, matrix = make_graph(n_columns)
        compared.clear()
        assert len(source_keys([matrix], columns)) == n_columns - 1
        return len(compared)

    monkeypatch.setattr(object_identity._ObjectIdentityWrapper, "__eq__", count)

    assert count_comparisons(100) < 10 * 100


def test_transform_uses_source_keys() -> None:
    find_source_keys_by_identity()

    assert graph_tools._retrieve_source_keys is source_keys
