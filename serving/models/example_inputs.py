"""Inputs that a graph parses as serialized examples.

TensorFlow 2.15 parses `tf.Example`s by code of its own, which reads and writes out of bounds for
some bytes, for instance for a packed list whose length does not fit into 32 bits: the process dies.
Bytes of a request therefore have to pass protobuf's parser first.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from google.protobuf.message import DecodeError, Message
from tensorflow.core.example.example_pb2 import Example, SequenceExample
from tensorflow.core.framework.node_def_pb2 import NodeDef
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

_PARSERS: Mapping[str, type[Message]] = {
    "ParseExample": Example,
    "ParseExampleV2": Example,
    "ParseSequenceExample": SequenceExample,
    "ParseSequenceExampleV2": SequenceExample,
    "ParseSingleExample": Example,
    "ParseSingleSequenceExample": SequenceExample,
}
"""Ops to the message that they parse; the serialized messages are their first input."""
_CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})
_KEEP_VALUES = frozenset(
    {
        "ConcatV2",
        "ExpandDims",
        "GatherV2",
        "Identity",
        "IdentityN",
        "Pack",
        "PlaceholderWithDefault",
        "Reshape",
        "Slice",
        "Squeeze",
        "StopGradient",
        "StridedSlice",
        "Unpack",
    }
)
"""Ops that only rearrange the values of an input."""


class ExampleInputs:
    """Finds the placeholders of a graph whose values it parses."""

    def __init__(self, meta_graph: MetaGraphDef) -> None:
        """Reads the graph and its functions.

        Args:
            meta_graph: The graph to serve.
        """
        library = meta_graph.graph_def.library.function
        self._arguments = {
            function.signature.name: [argument.name for argument in function.signature.input_arg]
            for function in library
        }
        self._consumers = {
            "": _consumers(meta_graph.graph_def.node),
            **{function.signature.name: _consumers(function.node_def) for function in library},
        }

    def message_of(self, tensor: str) -> type[Message] | None:
        """Returns the message that the values of a tensor are parsed as; None if they are not.

        Args:
            tensor: Name of the tensor, for instance `input_example_tensor:0`.
        """
        pending, seen = [("", tensor.partition(":")[0])], set()
        while pending:
            place = pending.pop()
            if place in seen:
                continue
            seen.add(place)
            scope, name = place
            for node, index in self._consumers.get(scope, {}).get(name, ()):
                if index == 0 and node.op in _PARSERS:
                    return _PARSERS[node.op]
                if node.op in _CALLS:
                    function = node.attr["f"].func.name
                    arguments = self._arguments.get(function, ())
                    pending += [(function, argument) for argument in arguments[index : index + 1]]
                elif node.op in _KEEP_VALUES:
                    pending.append((scope, node.name))
        return None


def are_parsable(message: type[Message], serialized: Iterable[Any]) -> bool:
    """Whether protobuf parses all bytes as messages of a type; what is not bytes is skipped."""
    try:
        for value in serialized:
            if isinstance(value, bytes):
                message.FromString(value)
    except (DecodeError, SystemError):  # the latter of names that are not UTF-8
        return False
    return True


def _consumers(nodes: Iterable[NodeDef]) -> dict[str, list[tuple[NodeDef, int]]]:
    """Maps each node or argument to the nodes that take its outputs, with the input's index."""
    consumers: dict[str, list[tuple[NodeDef, int]]] = {}
    for node in nodes:
        for index, name in enumerate(_data_inputs(node)):
            consumers.setdefault(name, []).append((node, index))
    return consumers


def _data_inputs(node: NodeDef) -> Iterator[str]:
    """Yields the names of the nodes or arguments that a node takes values of."""
    for name in node.input:
        if not name.startswith("^"):  # else an order of execution
            yield name.partition(":")[0]
