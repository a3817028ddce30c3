"""The graph of the preprocessing_fn grows by a few ops only with each further column."""

from collections.abc import Mapping
from typing import Any

import pytest
import tensorflow as tf
from tensorflow_transform.impl_helper import trace_preprocessing_function

from trainer.preprocessing import preprocessing_fn

OPS_PER_COLUMN = 3
"""Placeholder, identities of input and output."""


def count_ops(n_columns: int, features: Mapping[str, Any]) -> int:
    """Counts the ops of a graph with so many copies of each feature."""
    columns = {
        f"{name}{index}": feature
        for name, feature in features.items()
        for index in range(n_columns)
    }
    settings = {"label": "y", "task": "regression", "features": columns}
    specs = {name: tf.TensorSpec([None, 1], tf.float32) for name in [*columns, "y"]}
    graph, *_ = trace_preprocessing_function(
        lambda inputs: preprocessing_fn(inputs, {"settings": settings}),
        specs,
        use_tf_compat_v1=False,
    )
    return len(graph.get_operations())


@pytest.mark.parametrize("scale", ["z_score", "min_max", "log1p", "raw"])
def test_a_further_number_adds_few_ops(scale: str) -> None:
    features = {"x": {"kind": "numeric", "scale": scale, "clip": [-1, 1], "fill": "mean"}}
    assert count_ops(30, features) - count_ops(20, features) <= 10 * OPS_PER_COLUMN


def test_numbers_of_other_settings_share_the_ops() -> None:
    features = {
        "a": {"kind": "numeric", "fill": 3},
        "b": {"kind": "numeric", "scale": "min_max", "missing_indicator": True},
        "c": {"kind": "numeric", "scale": "log1p", "clip": [0, 9]},
        "d": "numeric",
    }
    assert count_ops(20, features) - count_ops(10, features) <= 10 * (4 * OPS_PER_COLUMN + 1)
