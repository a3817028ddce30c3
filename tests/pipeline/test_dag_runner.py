"""What is done between the nodes of a run."""

from pathlib import Path
from typing import Any

import psutil
from tfx.dsl.components.common.importer import Importer
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.orchestration.pipeline import Pipeline
from tfx.proto.orchestration import pipeline_pb2
from tfx.types.standard_artifacts import Schema

from components.mlflow_tracker.events import NodeOutcome
from pipeline.dag_runner import run_nodes
from pipeline.interrupts import Interrupts


class Ended:
    """An observer that keeps how nodes have ended."""

    def __init__(self) -> None:
        self.outcomes: list[NodeOutcome] = []

    def run_started(self, pipeline_run_id: str, node_ids: list[str]) -> None: ...

    def node_started(self, node_id: str) -> None: ...

    def node_finished(self, outcome: NodeOutcome) -> None:
        self.outcomes.append(outcome)


def test_free_memory_is_returned_though_some_above_it_is_in_use(
    tmp_path: Path, interrupts: Interrupts
) -> None:
    observer = Ended()

    class Runner(LocalDagRunner):
        def run_with_ir(self, pipeline: pipeline_pb2.Pipeline, **_: Any) -> None:
            run_nodes(pipeline, "1", observer, interrupts)

    node = Importer(str(tmp_path), Schema).with_id("Schema")
    connection = sqlite_metadata_connection_config(str(tmp_path / "metadata.sqlite"))
    pipeline = Pipeline("one_node", str(tmp_path), connection, components=[node])
    process = psutil.Process()
    blocks = [bytes(10_000) for _ in range(20_000)]
    in_use = blocks[::100]
    del blocks
    before = process.memory_info().rss

    Runner().run(pipeline)

    assert before - process.memory_info().rss > 100e6
    assert len(in_use) == 200
    assert [outcome.state for outcome in observer.outcomes] == ["done"]
