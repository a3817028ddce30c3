"""The node loop: memory and interrupts between nodes."""

import os
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest
from tfx.dsl.components.common.importer import Importer
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.orchestration.pipeline import Pipeline
from tfx.proto.orchestration import pipeline_pb2
from tfx.types import Artifact
from tfx.types.standard_artifacts import Examples, Schema

from pipeline.errors import NodeFailedError, RunKilledError
from pipeline.run import node_loop
from pipeline.run.interrupts import Interrupts
from pipeline.run.node_loop import run_nodes
from pipeline.run.node_result import NodeResult


class Ended:
    """An observer that keeps the results of nodes."""

    def __init__(self) -> None:
        self.results: list[NodeResult] = []

    def run_started(self, pipeline_run_id: str, node_ids: list[str]) -> None: ...

    def node_started(self, node_id: str) -> None: ...

    def node_finished(self, result: NodeResult) -> None:
        self.results.append(result)


def run_one_node(
    folder: Path,
    observer: Ended,
    interrupts: Interrupts,
    artifact_type: type[Artifact] = Schema,
    properties: dict[str, int] | None = None,
) -> None:
    class Runner(LocalDagRunner):
        def run_with_ir(self, pipeline: pipeline_pb2.Pipeline, **_: Any) -> None:
            run_nodes(pipeline, "1", observer, interrupts)

    node = Importer(str(folder), artifact_type, custom_properties=properties).with_id("Node")
    connection = sqlite_metadata_connection_config(str(folder / "metadata.sqlite"))
    Runner().run(Pipeline("one_node", str(folder), connection, components=[node]))


def test_run_nodes_returns_free_memory(tmp_path: Path, interrupts: Interrupts) -> None:
    observer = Ended()
    process = psutil.Process()
    blocks = [bytes(10_000) for _ in range(20_000)]
    in_use = blocks[::100]
    del blocks
    before = process.memory_info().rss

    run_one_node(tmp_path, observer, interrupts)

    assert before - process.memory_info().rss > 100e6
    assert len(in_use) == 200
    assert [result.state for result in observer.results] == ["done"]


@pytest.mark.parametrize(
    ("owner", "name"), [(Ended, "node_started"), (node_loop, "return_free_memory")]
)
def test_interrupt_at_node_start_kills_the_node(
    tmp_path: Path,
    interrupts: Interrupts,
    monkeypatch: pytest.MonkeyPatch,
    owner: object,
    name: str,
) -> None:
    observer = Ended()
    monkeypatch.setattr(owner, name, lambda *_: os.kill(os.getpid(), signal.SIGINT))

    with pytest.raises(RunKilledError):
        run_one_node(tmp_path, observer, interrupts)

    assert [result.state for result in observer.results] == ["killed"]


def test_rows_that_add_up_let_a_node_pass(tmp_path: Path, interrupts: Interrupts) -> None:
    observer = Ended()
    counts = {"rows": 9, "quarantined": 2, "unlabeled": 1, "examples_train": 6}

    run_one_node(tmp_path, observer, interrupts, Examples, counts)

    assert [result.state for result in observer.results] == ["done"]


def test_rows_that_do_not_add_up_fail_a_node(tmp_path: Path, interrupts: Interrupts) -> None:
    observer = Ended()
    counts = {"rows": 9, "quarantined": 2, "unlabeled": 0, "examples_train": 6}

    with pytest.raises(NodeFailedError, match=r"Node failed: 9 read = 6 .* do not add up"):
        run_one_node(tmp_path, observer, interrupts, Examples, counts)

    assert [result.state for result in observer.results] == ["failed"]
