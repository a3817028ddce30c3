"""Executor: computes TFDV statistics of CSV files, without making examples."""

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import apache_beam as beam
import pyarrow as pa
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx import types
from tfx.dsl.components.base import base_beam_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils

from components.distribution_validator.executor import load
from tabular.csv.casting import cast_to_lists
from tabular.csv.checked_files import ChangedFileError, CheckedFiles
from tabular.csv.column_rules import ColumnRules
from tabular.csv.decoding import Utf8Stream
from tabular.csv.dialect import Dialect
from tabular.csv.row_checks import read_usable
from tabular.csv.types import ColumnType, decide_type

SPLIT = "all"
_Feature = statistics_pb2.FeatureNameStatistics
_TYPES = {
    _Feature.INT: ColumnType.INT,
    _Feature.FLOAT: ColumnType.FLOAT,
    _Feature.STRING: ColumnType.BYTES,
}


class Executor(base_beam_executor.BaseBeamExecutor):
    """Reads CSV in blocks; each file is a Beam element."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the statistics of all rows, as one split.

        Args:
            input_dict: `statistics` of the training data, to compare with.
            output_dict: `baseline_statistics`.
            exec_properties: `paths`, `dialect` and `checked`, JSON; `label`; `stats_options_json`.

        Raises:
            ChangedFileError: If a file has changed since the check.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        paths = json.loads(exec_properties["paths"])
        dialect = Dialect.from_json(exec_properties["dialect"])
        checked = CheckedFiles.from_json(exec_properties["checked"])
        expected = load(artifact_utils.get_single_instance(input_dict["statistics"]))
        known = {
            feature.path.step[0]: _TYPES[feature.type] for feature in expected.datasets[0].features
        }
        column_types = {
            name: _decide(found, known.get(name, ColumnType.UNKNOWN))
            for name, found in checked.types.items()
        }

        artifact = artifact_utils.get_single_instance(output_dict["baseline_statistics"])
        artifact.split_names = artifact_utils.encode_split_names([SPLIT])
        folder = artifact_utils.get_split_uri([artifact], SPLIT)
        fileio.makedirs(folder)
        with self._make_beam_pipeline() as pipeline:
            _ = (
                pipeline
                | "Files" >> beam.Create(paths)
                | "Read"
                >> beam.FlatMap(
                    _read, column_types, dialect, exec_properties["label"], checked.digests
                )
                | "Measure"
                >> tfdv.GenerateStatistics(
                    tfdv.StatsOptions.from_json(exec_properties["stats_options_json"])
                )
                | "Write"
                >> tfdv.WriteStatisticsToBinaryFile(os.path.join(folder, "FeatureStats.pb"))
            )


def _decide(found: ColumnType, known: ColumnType) -> ColumnType:
    """Decides the type of a column: that of the training data, or wider if cells need it.

    Args:
        found: The narrowest type that holds the cells.
        known: The type in the training data, `UNKNOWN` if it lacks the column.
    """
    if found == ColumnType.WHOLE and known == ColumnType.INT:  # 1.0
        return known
    if found == ColumnType.PADDED and known in (ColumnType.INT, ColumnType.FLOAT):  # 01
        return ColumnType.FLOAT
    return max(decide_type(found), known)


def _read(
    path: str,
    column_types: Mapping[str, ColumnType],
    dialect: Dialect,
    label: str,
    digests: Mapping[str, str],
) -> Iterator[pa.RecordBatch]:
    """Reads the batches of a file: a list of one value per cell, null for a missing value."""
    text = Utf8Stream(path, dialect)
    for block in read_usable(text, ColumnRules({}, {}, label)):
        yield cast_to_lists(block.batch, column_types, dialect.decimal)
    if text.digest != digests.get(path):
        raise ChangedFileError(path)
