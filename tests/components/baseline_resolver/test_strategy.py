"""The model that a candidate is compared with, resolved from a real MLMD."""

from collections.abc import Iterator
from pathlib import Path

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration import metadata
from tfx.types import Artifact, standard_artifacts

from components.baseline_resolver.strategy import LatestOtherBlessedModelStrategy

OUTPUT, INPUT = metadata_store_pb2.Event.OUTPUT, metadata_store_pb2.Event.INPUT


class Evaluations:
    """Models and their evaluations, recorded in MLMD as by TFX."""

    def __init__(self, handle: metadata.Metadata) -> None:
        self.store: mlmd.MetadataStore = handle.store
        self.models: list[Artifact] = []
        self.blessings: list[Artifact] = []
        self._execution_type = self.store.put_execution_type(
            metadata_store_pb2.ExecutionType(name="Evaluator")
        )

    def train(self) -> Artifact:
        model = standard_artifacts.Model()
        self._put(model)
        self.models.append(model)
        return model

    def evaluate(self, model: Artifact, *, is_blessed: bool = True) -> Artifact:
        blessing = standard_artifacts.ModelBlessing()
        blessing.set_int_custom_property("blessed", int(is_blessed))
        blessing.set_int_custom_property("current_model_id", model.id)
        self._put(blessing)
        self.blessings.append(blessing)
        self.evaluate_from_cache(blessing)
        return blessing

    def evaluate_from_cache(self, blessing: Artifact) -> None:
        """Records another execution with a blessing as output."""
        self._execute(blessing, OUTPUT)

    def push(self, blessing: Artifact) -> None:
        """Records an execution with a blessing as input."""
        self._execute(blessing, INPUT)

    def resolve(self, candidate: Artifact) -> tuple[list[Artifact], list[Artifact]]:
        inputs = {
            "candidate": [candidate],
            "model": self.models[::-1],  # MLMD guarantees no order
            "model_blessing": self.blessings[::-1],
        }
        outputs = LatestOtherBlessedModelStrategy().resolve_artifacts(self.store, inputs)
        assert outputs["candidate"] == [candidate]
        assert inputs["model"] == self.models[::-1]
        return outputs["model"], outputs["model_blessing"]

    def _put(self, artifact: Artifact) -> None:
        artifact.type_id = self.store.put_artifact_type(artifact.artifact_type)
        (artifact.id,) = self.store.put_artifacts([artifact.mlmd_artifact])

    def _execute(self, blessing: Artifact, event_type: int) -> None:
        execution = metadata_store_pb2.Execution(type_id=self._execution_type)
        event = metadata_store_pb2.Event(artifact_id=blessing.id, type=event_type)
        self.store.put_execution(execution, [(blessing.mlmd_artifact, event)], [])


@pytest.fixture
def evaluations(tmp_path: Path) -> Iterator[Evaluations]:
    connection = metadata.sqlite_metadata_connection_config(str(tmp_path / "metadata.sqlite"))
    with metadata.Metadata(connection) as handle:
        yield Evaluations(handle)


def test_strategy_resolves_nothing_without_evaluation(evaluations: Evaluations) -> None:
    assert evaluations.resolve(evaluations.train()) == ([], [])


def test_strategy_resolves_nothing_without_blessing(evaluations: Evaluations) -> None:
    evaluations.evaluate(evaluations.train(), is_blessed=False)

    assert evaluations.resolve(evaluations.train()) == ([], [])


def test_strategy_resolves_the_blessed_model(evaluations: Evaluations) -> None:
    model = evaluations.train()
    blessing = evaluations.evaluate(model)

    assert evaluations.resolve(evaluations.train()) == ([model], [blessing])


def test_strategy_leaves_the_candidate_out(evaluations: Evaluations) -> None:
    candidate = evaluations.train()
    evaluations.evaluate(candidate)

    assert evaluations.resolve(candidate) == ([], [])


def test_strategy_skips_a_blessed_candidate(
    evaluations: Evaluations,
) -> None:
    model, candidate = evaluations.train(), evaluations.train()
    blessing = evaluations.evaluate(model)
    evaluations.evaluate(candidate)

    assert evaluations.resolve(candidate) == ([model], [blessing])


def test_strategy_ignores_unblessed_models(evaluations: Evaluations) -> None:
    model, worse = evaluations.train(), evaluations.train()
    blessing = evaluations.evaluate(model)
    evaluations.evaluate(worse, is_blessed=False)

    assert evaluations.resolve(evaluations.train()) == ([model], [blessing])


def test_strategy_resolves_the_last_evaluated_model(evaluations: Evaluations) -> None:
    older, newer = evaluations.train(), evaluations.train()
    evaluations.evaluate(newer)
    blessing = evaluations.evaluate(older)

    assert evaluations.resolve(evaluations.train()) == ([older], [blessing])


def test_strategy_counts_cached_evaluations(evaluations: Evaluations) -> None:
    older, newer = evaluations.train(), evaluations.train()
    blessing = evaluations.evaluate(older)
    evaluations.evaluate(newer)

    evaluations.evaluate_from_cache(blessing)

    assert evaluations.resolve(evaluations.train()) == ([older], [blessing])


def test_strategy_does_not_count_a_push(evaluations: Evaluations) -> None:
    older, newer = evaluations.train(), evaluations.train()
    older_blessing, newer_blessing = evaluations.evaluate(older), evaluations.evaluate(newer)

    evaluations.push(older_blessing)

    assert evaluations.resolve(evaluations.train()) == ([newer], [newer_blessing])


def test_strategy_ignores_blessings_of_deleted_models(evaluations: Evaluations) -> None:
    evaluations.evaluate(evaluations.train())
    evaluations.models.clear()

    assert evaluations.resolve(evaluations.train()) == ([], [])


def test_strategy_works_without_a_candidate(
    evaluations: Evaluations,
) -> None:
    evaluations.evaluate(evaluations.train())
    latest = evaluations.train()
    evaluations.evaluate(latest)
    evaluations.evaluate(evaluations.train(), is_blessed=False)
    inputs = {"model": evaluations.models, "model_blessing": evaluations.blessings}

    outputs = LatestOtherBlessedModelStrategy().resolve_artifacts(evaluations.store, inputs)

    assert outputs == {"model": [latest], "model_blessing": [evaluations.blessings[1]]}
