"""Nodes of the graph of the shipped configuration."""

import json
from typing import Any

from pipeline.graph.create_pipeline import create_pipeline
from pipeline.settings.load import load_config
from tabular.csv.checked_files import CheckedFiles
from tests.helpers.paths import PROJECT_DIR, SHIPPED

UNREAD = CheckedFiles(rows=0, types={}, digests={})
"""Stands for checked files in a graph that is not run."""
SWEEP = "tuner={max_trials: 3, space: {model.learning_rate: {uniform: [0.1, 1]}}}"
CATEGORICAL = "features.sepal_length={kind: categorical}"
DRIFT = "validation.drift={'*': 0.2}"
SKEW = f"validation.skew={{path: {PROJECT_DIR}/data/iris/iris.csv, columns: {{'*': 0.1}}}}"


def nodes(*overrides: str) -> dict[str, Any]:
    """Makes the nodes with overridden settings, by id, as if the data had been checked."""
    config = load_config(SHIPPED, overrides).with_checked_files(UNREAD, UNREAD)
    return {node.id: node for node in create_pipeline(config).components}


def custom_config(node: Any) -> dict[str, Any]:
    """Reads the `custom_config` of a node."""
    values: dict[str, Any] = json.loads(node.exec_properties["custom_config"])
    return values
