"""The earlier data that drift is measured against, resolved from a real MLMD."""

from collections.abc import Iterator
from pathlib import Path

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration import metadata
from tfx.types import Artifact, standard_artifacts

from components.distribution_validator.strategy import PreviousStatisticsStrategy

OUTPUT, INPUT = metadata_store_pb2.Event.OUTPUT, metadata_store_pb2.Event.INPUT
State = metadata_store_pb2.Execution


class Runs:
    """Runs up to DataGate, recorded in MLMD as by TFX."""

    def __init__(self, handle: metadata.Metadata) -> None:
        self.store: mlmd.MetadataStore = handle.store
        self.statistics: list[Artifact] = []

    def measure(self, content: str, span: int = 0) -> Artifact:
        """Records the statistics of data with this content."""
        examples, statistics = standard_artifacts.Examples(), standard_artifacts.ExampleStatistics()
        examples.set_string_custom_property("input_fingerprint", content)
        statistics.span = span
        for artifact in (examples, statistics):
            artifact.type_id = self.store.put_artifact_type(artifact.artifact_type)
            (artifact.id,) = self.store.put_artifacts([artifact.mlmd_artifact])
        self._execute("StatisticsGen", State.COMPLETE, (examples, INPUT), (statistics, OUTPUT))
        self.statistics.append(statistics)
        return statistics

    def judge(self, statistics: Artifact, state: int = State.COMPLETE, kind: str = "Gate") -> None:
        """Records an execution of DataGate with statistics as input."""
        self._execute(kind, state, (statistics, INPUT))

    def pass_(self, content: str, span: int = 0) -> Artifact:
        """Records a run whose data DataGate let pass."""
        statistics = self.measure(content, span)
        self.judge(statistics)
        return statistics

    def previous(self, current: Artifact, *, has_spans: bool = False) -> list[Artifact]:
        inputs = {
            "current": [current],
            "baseline_statistics": self.statistics[::-1],  # MLMD guarantees no order
        }
        strategy = PreviousStatisticsStrategy("Gate", has_spans)
        outputs = strategy.resolve_artifacts(self.store, inputs)
        assert outputs["current"] == [current]
        assert inputs["baseline_statistics"] == self.statistics[::-1]
        return outputs["baseline_statistics"]

    def _execute(self, kind: str, state: int, *events: tuple[Artifact, int]) -> None:
        type_id = self.store.put_execution_type(metadata_store_pb2.ExecutionType(name=kind))
        execution = State(type_id=type_id, last_known_state=state)
        self.store.put_execution(
            execution,
            [
                (
                    artifact.mlmd_artifact,
                    metadata_store_pb2.Event(artifact_id=artifact.id, type=event),
                )
                for artifact, event in events
            ],
            [],
        )


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    connection = metadata.sqlite_metadata_connection_config(str(tmp_path / "metadata.sqlite"))
    with metadata.Metadata(connection) as handle:
        yield Runs(handle)


def test_strategy_resolves_nothing_in_a_first_run(runs: Runs) -> None:
    assert runs.previous(runs.measure("a")) == []


def test_strategy_resolves_the_latest_other_content(runs: Runs) -> None:
    older, newer = runs.pass_("a"), runs.pass_("b")

    assert runs.previous(runs.measure("c")) == [newer]
    assert runs.previous(newer) == [older]


def test_strategy_counts_a_gate_from_the_cache(runs: Runs) -> None:
    older, _ = runs.pass_("a"), runs.pass_("b")

    runs.judge(older, State.CACHED)

    assert runs.previous(runs.measure("c")) == [older]


def test_strategy_skips_the_same_content(runs: Runs) -> None:
    runs.pass_("a")

    assert runs.previous(runs.measure("a")) == []


def test_strategy_skips_refused_data(runs: Runs) -> None:
    older = runs.pass_("a")
    runs.judge(runs.measure("b"), State.FAILED)

    assert runs.previous(runs.measure("c")) == [older]


def test_strategy_skips_unchecked_data(runs: Runs) -> None:
    runs.judge(runs.measure("a"), kind="ExampleValidator")

    assert runs.previous(runs.measure("b")) == []


def test_strategy_resolves_the_newest_earlier_span(runs: Runs) -> None:
    spans = {span: runs.pass_(f"content {span}", span) for span in (1, 4, 2, 3)}

    assert runs.previous(spans[4], has_spans=True) == [spans[3]]
    assert runs.previous(spans[2], has_spans=True) == [spans[1]]
    assert runs.previous(spans[1], has_spans=True) == []


def test_strategy_resolves_the_latest_version(runs: Runs) -> None:
    runs.pass_("first", 1)
    second = runs.pass_("second", 1)

    assert runs.previous(runs.measure("third", 2), has_spans=True) == [second]


def test_strategy_compares_spans_of_equal_content(runs: Runs) -> None:
    first = runs.pass_("same", 1)

    assert runs.previous(runs.measure("same", 2), has_spans=True) == [first]
