"""Executor: measures the distances between two sets of statistics, and writes them as JSON."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils

from components.distribution_validator.measure import EMPTY_THERE, NO_COLUMN, measure_distances
from components.distribution_validator.report import DISTANCES_FILE

TRAIN = "train"
_ALL_OTHERS = "*"


class Executor(base_executor.BaseExecutor):
    """Compares the train splits; data without a train split has a single one, which is used."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes `distances.json`.

        Args:
            input_dict: `statistics`, and `baseline_statistics` if there is earlier data.
            output_dict: `distances`.
            exec_properties: `kind`; `limits`, JSON of the highest distance by column, `*` for all
                other columns; `baseline`, a name, or empty to name the data by its span.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        limits = json.loads(exec_properties["limits"])
        statistics = artifact_utils.get_single_instance(input_dict["statistics"])
        baselines = input_dict.get("baseline_statistics", [])
        report: dict[str, Any] = {"kind": exec_properties["kind"]}
        if baselines:
            name = exec_properties["baseline"] or f"the data of span {baselines[0].span}"
            distances = _distances(statistics, baselines[0], limits)
            report |= {"baseline": name, "distances": distances}
        else:
            report |= {"baseline": None, "distances": []}
        report["examples"] = load(statistics).datasets[0].num_examples
        folder = Path(artifact_utils.get_single_uri(output_dict["distances"]))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / DISTANCES_FILE).write_text(json.dumps(report, indent=1), "utf-8")


def _distances(
    statistics: types.Artifact, baseline: types.Artifact, limits: Mapping[str, float]
) -> list[dict[str, Any]]:
    return [
        {
            "column": column,
            "measure": distance.measure,
            "distance": distance.value,
            "limit": limits.get(
                column,
                # Rows from production have no label: `*` does not cover columns absent there.
                None if distance.obstacle in (NO_COLUMN, EMPTY_THERE) else limits.get(_ALL_OTHERS),
            ),
            "obstacle": distance.obstacle,
        }
        for column, distance in measure_distances(load(statistics), load(baseline)).items()
    ]


def load(artifact: types.Artifact) -> statistics_pb2.DatasetFeatureStatisticsList:
    """Loads the statistics of the train split, or of the only split if there is no train split."""
    splits = artifact_utils.decode_split_names(artifact.split_names)
    split = TRAIN if TRAIN in splits else splits[0]
    folder = artifact_utils.get_split_uri([artifact], split)
    return tfdv.load_stats_binary(str(Path(folder, "FeatureStats.pb")))
