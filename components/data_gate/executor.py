"""Executor: collects the findings of the validators, and fails if one is too severe."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils

from components.data_gate.findings import Finding, Rules, find_anomalies, find_distances
from components.data_gate.lost_rows import check_rows
from components.data_gate.report import FINDINGS_FILE, DataRefusedError, shorten, to_lines
from components.data_gate.split_files import read_split, read_statistics
from components.distribution_validator.report import read_distances

_STOPPED_BY: Mapping[str, Sequence[str]] = {
    "warning": ("warning", "error"),
    "error": ("error",),
    "never": (),
}


class Executor(base_executor.BaseExecutor):
    """Turns anomalies and distances into findings, with a severity each."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes `findings.json`.

        Args:
            input_dict: `examples`, `statistics`, `anomalies`, `schema`; `drift` and `skew`, if
                measured.
            output_dict: `findings`.
            exec_properties: `stop_at`, `is_reviewed`, `label`; JSON lists: `columns` that the model
                learns from, `columns_of_words` among them, and `warnings` of the check before the
                run.

        Raises:
            LostRowsError: If the numbers of rows do not add up.
            DataRefusedError: If a finding is at least as severe as `stop_at`.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        examples = artifact_utils.get_single_instance(input_dict["examples"])
        statistics = artifact_utils.get_single_instance(input_dict["statistics"])
        check_rows(examples, statistics)
        rules = Rules(
            is_reviewed=bool(exec_properties["is_reviewed"]),
            label=exec_properties["label"],
            columns=frozenset(json.loads(exec_properties["columns"])),
            filled=_filled(statistics),
            of_words=frozenset(json.loads(exec_properties["columns_of_words"])),
        )
        measured = [
            read_distances(distances.uri)
            for key in ("drift", "skew")
            for distances in input_dict.get(key, [])
        ]
        warnings = json.loads(exec_properties["warnings"])
        findings = [Finding("warning", "", "", text) for text in warnings]
        findings += _of_splits(input_dict, rules)
        for report in measured:
            findings += find_distances(report, rules)
        stop_at = exec_properties["stop_at"]
        stopping = [found for found in findings if found.severity in _STOPPED_BY[stop_at]]
        if stopping:
            raise DataRefusedError(_refusal(stopping, stop_at))

        content = {
            "findings": [asdict(found) for found in findings],
            "notes": [
                f"{report['kind']}: not measured, there is no earlier data that has passed"
                for report in measured
                if report["baseline"] is None
            ],
        }
        folder = Path(artifact_utils.get_single_uri(output_dict["findings"]))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FINDINGS_FILE).write_text(json.dumps(content, indent=1), "utf-8")


def _filled(statistics: types.Artifact) -> dict[str, float]:
    """Computes the share of cells of the train split that are not empty, by column."""
    (dataset,) = read_statistics(statistics, "train").datasets
    return {
        feature.path.step[0]: (
            feature.num_stats.common_stats.num_non_missing
            + feature.string_stats.common_stats.num_non_missing
        )
        / max(1, dataset.num_examples)
        for feature in dataset.features
    }


def _of_splits(input_dict: Mapping[str, list[types.Artifact]], rules: Rules) -> Iterator[Finding]:
    """Yields the findings of every split, those of the train split first."""
    statistics = artifact_utils.get_single_instance(input_dict["statistics"])
    anomalies = artifact_utils.get_single_instance(input_dict["anomalies"])
    (schema_path,) = Path(artifact_utils.get_single_uri(input_dict["schema"])).iterdir()
    schema = text_format.Parse(schema_path.read_text("utf-8"), schema_pb2.Schema())
    splits = artifact_utils.decode_split_names(anomalies.split_names)
    for split in sorted(splits, reverse=True):
        yield from find_anomalies(
            split,
            anomalies_pb2.Anomalies.FromString(read_split(anomalies, split, "SchemaDiff.pb")),
            schema,
            read_statistics(statistics, split),
            rules,
        )


def _refusal(stopping: Sequence[Finding], stop_at: str) -> str:
    count = "an anomaly" if len(stopping) == 1 else f"{len(stopping):,} anomalies"
    lines = shorten(list(to_lines([asdict(found) for found in stopping])))
    return "\n".join([f"{count} in the data (validation.stop_at: {stop_at})", *lines])
