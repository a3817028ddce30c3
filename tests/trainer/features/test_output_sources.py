"""Inputs of the outputs of a graph, compared with those that Transform finds."""

from typing import Any

import tensorflow as tf
from tensorflow_transform.saved import saved_transform_io_v2

from trainer.features.output_sources import (
    find_sources_once,
    output_sources,
    walk_from_each_output,
)


def make_outputs(*, loop: bool = False) -> dict[str, Any]:
    """Makes outputs of a graph, some of them of the same inputs."""
    with tf.Graph().as_default():
        a, b, c = (tf.compat.v1.placeholder(tf.float32, [None, 1], name=name) for name in "abc")
        sparse = tf.compat.v1.sparse_placeholder(tf.float32, [None, 1])
        joined = tf.split(tf.concat([a, b], axis=1) * 2, 2, axis=1)
        if loop:
            with tf.control_dependencies([c]):
                c = tf.raw_ops.NextIteration(data=c)
        return {
            "a": tf.identity(joined[0]),
            "b": joined[1] + 1,
            "all": joined[0] + c,
            "constant": tf.constant(1.0),
            "input": a,
            "sparse": tf.sparse.map_values(tf.abs, sparse),
        }


def names_of(tensors: Any) -> set[str]:
    return {tensor.name for tensor in tensors}


def test_output_sources_are_those_that_transform_finds() -> None:
    for loop in (False, True):
        outputs = make_outputs(loop=loop)
        expected = walk_from_each_output(outputs)

        found = output_sources(outputs)

        for name in outputs:
            assert names_of(found[name].difference([])) == names_of(expected[name])
            fed = [outputs["input"]]
            assert names_of(found[name].difference(fed)) == names_of(expected[name].difference(fed))


def test_outputs_of_the_same_inputs_share_the_answer() -> None:
    found = output_sources(make_outputs())
    fed: list[tf.Tensor] = []

    assert found["a"].difference(fed) is found["b"].difference(fed)


def test_transform_uses_output_sources() -> None:
    find_sources_once()

    assert saved_transform_io_v2._get_output_to_inputs_map is output_sources
