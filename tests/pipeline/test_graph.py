"""The graph's keys: what is not in a node's properties, its cache cannot follow."""

import json
from pathlib import Path

import pytest

from pipeline.code_digest import code_digest
from pipeline.graph import create_pipeline
from pipeline.load import load_config

SHIPPED = Path(__file__).parents[2] / "pipeline_config.yaml"


def test_create_pipeline_tells_run_fn_the_digest_of_its_code() -> None:
    pipeline = create_pipeline(load_config(SHIPPED))
    (trainer,) = (node for node in pipeline.components if node.id == "Trainer")

    custom_config = json.loads(trainer.exec_properties["custom_config"])

    assert custom_config["code_digest"] == code_digest("trainer.run")


@pytest.mark.parametrize("node_id", ["CsvExampleGen", "Transform", "Evaluator", "Pusher"])
def test_create_pipeline_keys_a_node_by_its_code(node_id: str) -> None:
    pipeline = create_pipeline(load_config(SHIPPED))
    (node,) = (node for node in pipeline.components if node.id == node_id)

    assert len(node.exec_properties["code_digest"]) == 64
