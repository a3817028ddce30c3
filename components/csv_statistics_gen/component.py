"""CsvStatisticsGen: statistics of a CSV set, its columns typed as in the statistics of the data."""

import hashlib
import os
from collections.abc import Sequence
from typing import Any, ClassVar

import tensorflow_data_validation as tfdv
from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter
from tfx.utils import json_utils

from components.csv_statistics_gen import executor
from tabular.csv.dialect import Dialect

_CHUNK_BYTES = 2**20


class CsvStatisticsGenSpec(ComponentSpec):
    """Inputs, outputs and properties."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        "paths": ExecutionParameter(type=str),
        "dialect": ExecutionParameter(type=str),
        "content_digest": ExecutionParameter(type=str),
        "stats_options_json": ExecutionParameter(type=str),
        "code_digest": ExecutionParameter(type=str, optional=True),
    }
    INPUTS: ClassVar[dict[str, Any]] = {
        "statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics)
    }
    OUTPUTS: ClassVar[dict[str, Any]] = {
        "baseline_statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics)
    }


class CsvStatisticsGen(base_beam_component.BaseBeamComponent):
    """Measures the columns of CSV files; runs again if, and only if, their content has changed."""

    SPEC_CLASS = CsvStatisticsGenSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(
        self,
        paths: Sequence[str],
        dialect: Dialect,
        statistics: types.BaseChannel,
        stats_options: tfdv.StatsOptions,
    ) -> None:
        """Makes the component.

        Args:
            paths: The CSV files.
            dialect: How they are written.
            statistics: Statistics of the data, whose columns' types hold here too.
            stats_options: As the data's own statistics are made.
        """
        super().__init__(
            CsvStatisticsGenSpec(
                paths=json_utils.dumps(list(paths)),
                dialect=dialect.to_json(),
                content_digest=_digest(paths),
                stats_options_json=stats_options.to_json(),
                statistics=statistics,
                baseline_statistics=types.Channel(type=standard_artifacts.ExampleStatistics),
            )
        )


def _digest(paths: Sequence[str]) -> str:
    """Digests the files' names and bytes, sha256 in hex."""
    digest = hashlib.sha256()
    for path in paths:
        content = hashlib.sha256()
        with open(path, "rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                content.update(chunk)
        digest.update(os.path.basename(path).encode() + b"\0" + content.digest())
    return digest.hexdigest()
