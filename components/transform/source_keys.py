"""Finds the raw columns that tensors of a graph depend on."""

from collections.abc import Iterable, Mapping
from typing import Any

import tensorflow as tf
from tensorflow_transform import graph_tools


def find_source_keys_by_identity() -> None:
    """Lets TensorFlow Transform find the raw columns of each analysis by `source_keys`.

    Its own function compares each input of an analysis with each raw column, and it runs for each
    analysis three times: a million comparisons each for a thousand columns in a matrix.
    """
    graph_tools._retrieve_source_keys = source_keys


def source_keys(
    tensors: Iterable[tf.Tensor],
    inputs: Mapping[str, Any],
    *,
    ignore_control_dependencies: bool = True,
) -> set[str]:
    """Finds the raw columns that any of the tensors depends on.

    Args:
        tensors: Tensors of one graph.
        inputs: Raw column to its placeholder, or a composite tensor of placeholders.
        ignore_control_dependencies: Whether columns count that are only waited for.

    Returns:
        The names of the columns.
    """
    sources = graph_tools.retrieve_sources(
        [tensor.op for tensor in tensors],
        ignore_control_dependencies=ignore_control_dependencies,
    )
    return {
        name
        for name, column in inputs.items()
        if any(part in sources for part in tf.nest.flatten(column, expand_composites=True))
    }
