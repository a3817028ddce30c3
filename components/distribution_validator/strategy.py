"""Picks the statistics of earlier data, against which drift is measured."""

from collections.abc import Iterable

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2
from tfx import types
from tfx.dsl.components.common import resolver

CURRENT = "current"
STATISTICS = "baseline_statistics"
_FINGERPRINT = "input_fingerprint"
_INPUT_EVENTS = (metadata_store_pb2.Event.INPUT, metadata_store_pb2.Event.DECLARED_INPUT)
_ENDED_WELL = (metadata_store_pb2.Execution.COMPLETE, metadata_store_pb2.Execution.CACHED)

Artifacts = dict[str, list[types.Artifact]]


class PreviousStatisticsStrategy(resolver.ResolverStrategy):
    """Resolves the statistics of the newest earlier span, or of the latest other data.

    Only data that DataGate let pass counts. Otherwise a refused span would become the baseline of
    the next one, and the same error would pass the second time.
    """

    def __init__(self, gate_type: str, has_spans: bool) -> None:
        """Makes the strategy.

        Args:
            gate_type: Type of DataGate's executions in MLMD.
            has_spans: Whether data is identified by its span, or else by the content of its files.
        """
        self._gate_type = gate_type
        self._has_spans = has_spans

    def resolve_artifacts(self, store: mlmd.MetadataStore, input_dict: Artifacts) -> Artifacts:
        """Resolves `baseline_statistics`, which is empty if there is no earlier data.

        Args:
            store: MLMD.
            input_dict: All statistics of the pipeline under `baseline_statistics`, those of the
                current data under `current`.

        Returns:
            The inputs with at most one artifact under `baseline_statistics`.
        """
        (current,) = input_dict[CURRENT]
        content = _fingerprint(store, current.id)
        passed = self._passed(store, [artifact.id for artifact in input_dict[STATISTICS]])
        others = [
            artifact
            for artifact in input_dict[STATISTICS]
            if artifact.id in passed
            and (
                artifact.span < current.span
                if self._has_spans
                else _fingerprint(store, artifact.id) != content
            )
        ]
        latest = sorted(others, key=lambda found: (self._span(found), passed[found.id]))[-1:]
        return {**input_dict, STATISTICS: latest}

    def _span(self, artifact: types.Artifact) -> int:
        return int(artifact.span) if self._has_spans else 0

    def _passed(self, store: mlmd.MetadataStore, artifact_ids: Iterable[int]) -> dict[int, int]:
        """Finds the statistics that DataGate let pass, with its last execution on each."""
        events = [
            event
            for event in store.get_events_by_artifact_ids(list(artifact_ids))
            if event.type in _INPUT_EVENTS
        ]
        gates = {
            execution.id
            for execution in store.get_executions_by_id([event.execution_id for event in events])
            if execution.type == self._gate_type and execution.last_known_state in _ENDED_WELL
        }
        passed: dict[int, int] = {}
        for event in events:
            if event.execution_id in gates:
                passed[event.artifact_id] = max(
                    event.execution_id, passed.get(event.artifact_id, 0)
                )
        return passed


def _fingerprint(store: mlmd.MetadataStore, statistics_id: int) -> str:
    """Reads the digest of the CSV files that statistics were made from."""
    made_by = [
        event.execution_id
        for event in store.get_events_by_artifact_ids([statistics_id])
        if event.type == metadata_store_pb2.Event.OUTPUT
    ]
    read = [
        event.artifact_id
        for event in store.get_events_by_execution_ids(made_by)
        if event.type in _INPUT_EVENTS
    ]
    for examples in store.get_artifacts_by_id(read):
        if _FINGERPRINT in examples.custom_properties:
            return str(examples.custom_properties[_FINGERPRINT].string_value)
    return ""
