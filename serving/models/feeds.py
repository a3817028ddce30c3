"""How the inputs of a signature go into the graph: those that it only stacks go as one matrix."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

_MANY = 16
"""Inputs from which on stacking them takes less time than feeding them."""


class _Stack(NamedTuple):
    """Inputs `[n]` that the graph does nothing with but stack them.

    Attributes:
        tensor: Name of the tensor `[n, n_inputs]` that it makes of them.
        inputs: Names of the inputs, in the order of the tensor's columns.
    """

    tensor: str
    inputs: tuple[str, ...]


class Feeds:
    """Arranges the inputs of a signature for the graph.

    Feeding a tensor takes as long as a small op, so that hundreds of columns would take longer
    than the rest of the model.

    Attributes:
        tensors: Names of the tensors to feed.
    """

    def __init__(
        self,
        graph: tf.Graph,
        inputs: Mapping[str, str],
        outputs: Sequence[str],
        *,
        is_batched: bool,
    ) -> None:
        """Looks for stacks.

        Args:
            graph: The loaded graph.
            inputs: Names of the inputs to names of tensors.
            outputs: Names of the tensors that are the outputs.
            is_batched: Whether all inputs have one entry per example.
        """
        self._stacks = _find_stacks(graph, inputs, outputs) if is_batched else []
        stacked = {name for stack in self._stacks for name in stack.inputs}
        self._alone = [name for name in inputs if name not in stacked]
        self.tensors = [
            *(stack.tensor for stack in self._stacks),
            *(inputs[name] for name in self._alone),
        ]

    def arrange(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Returns the values of `tensors`, for values by input name of one number of examples."""
        stacked = [_stack([inputs[name] for name in stack.inputs]) for stack in self._stacks]
        return [*stacked, *map(inputs.__getitem__, self._alone)]


def _stack(columns: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Does the same as `np.stack(columns, axis=1)`, which takes far longer for many columns."""
    table: NDArray[Any] = np.concatenate(columns).reshape(len(columns), -1)
    return table.T


def _find_stacks(
    graph: tf.Graph, inputs: Mapping[str, str], outputs: Sequence[str]
) -> list[_Stack]:
    names = {tensor: name for name, tensor in inputs.items()}
    if len(names) < len(inputs):  # two inputs are the same tensor
        return []
    consumers = {name: graph.get_tensor_by_name(inputs[name]).consumers() for name in inputs}
    ordered = {before for op in graph.get_operations() for before in op.control_inputs}
    stacks = []
    for op in {users[0] for users in consumers.values() if len(users) == 1}:
        sources = [tensor.name for tensor in op.inputs]
        if (
            op.type == "Pack"
            and op.get_attr("axis") == 1
            and not op.control_inputs
            and op not in ordered
            and len(sources) == len(set(sources)) >= _MANY
            and all(
                source in names
                and source not in outputs
                and tensor.shape.rank == 1
                and consumers[names[source]] == [op]
                for source, tensor in zip(sources, op.inputs, strict=True)
            )
            and op.outputs[0].name not in outputs
        ):
            stacks.append(_Stack(op.outputs[0].name, tuple(names[source] for source in sources)))
    return stacks
