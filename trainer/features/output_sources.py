"""Finds the inputs of each output of Transform's graph in one pass over the graph.

Loading the graph, TensorFlow Transform walks back to the inputs from each output anew. Where all
numbers are one matrix, each of n outputs has n inputs: a minute for a thousand columns.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import tensorflow as tf
from tensorflow.python.util import object_identity
from tensorflow_transform.saved import saved_transform_io_v2

_LOOPS = ("Merge", "NextIteration")
walk_from_each_output = saved_transform_io_v2._get_output_to_inputs_map
"""Transform's own function."""


def find_sources_once() -> None:
    """Lets Transform find the inputs of its graph's outputs by `output_sources`.

    Called where this project's code runs before Transform loads the graph.
    """
    saved_transform_io_v2._get_output_to_inputs_map = output_sources


class Sources:
    """Placeholders that outputs depend on; shared by all outputs with the same ones."""

    def __init__(self, tensors: Any) -> None:
        """Takes the placeholders, an ObjectIdentitySet."""
        self.tensors = tensors
        self._last: tuple[Any, Any] = (None, None)

    def difference(self, fed: Iterable[tf.Tensor]) -> Any:
        """Returns the placeholders without those that are fed, computed once for a set of these."""
        if self._last[0] is not fed:
            self._last = fed, self.tensors.difference(fed)
        return self._last[1]


def output_sources(outputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Finds the placeholders that each output depends on, control dependencies aside.

    Args:
        outputs: Output name to a tensor, or a composite one, of one graph.

    Returns:
        For each output, an object with the method `difference` of an ObjectIdentitySet.
    """
    components = {
        name: tf.nest.flatten(output, expand_composites=True) for name, output in outputs.items()
    }
    tensors = [tensor for parts in components.values() for tensor in parts]
    if not tensors or any(op.type in _LOOPS for op in tensors[0].graph.get_operations()):
        sources: Mapping[str, Any] = walk_from_each_output(outputs)
        return sources
    known: dict[tf.Operation, Sources] = {}
    # Operations are listed in the order in which they were made: inputs come first.
    for op in tensors[0].graph.get_operations():
        known[op] = _join([known[tensor.op] for tensor in op.inputs])
        if op.type == "Placeholder":
            known[op] = Sources(object_identity.ObjectIdentitySet(op.outputs))
    return {
        name: _join([known[tensor.op] for tensor in parts]) for name, parts in components.items()
    }


def _join(parts: list[Sources]) -> Sources:
    distinct = list({id(part): part for part in parts if part.tensors}.values())
    if len(distinct) == 1:
        return distinct[0]
    tensors = object_identity.ObjectIdentitySet()
    for part in distinct:
        tensors.update(part.tensors)
    return Sources(tensors)
