"""CsvStatisticsGen: computes statistics of CSV files, with the column types of other statistics."""

from collections.abc import Sequence
from typing import Any, ClassVar

import tensorflow_data_validation as tfdv
from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter
from tfx.utils import json_utils

from components.csv_statistics_gen import executor
from tabular.csv.checked_files import CheckedFiles
from tabular.csv.dialect import Dialect


class CsvStatisticsGenSpec(ComponentSpec):
    """Inputs, outputs and properties of CsvStatisticsGen."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        "paths": ExecutionParameter(type=str),
        "dialect": ExecutionParameter(type=str),
        "checked": ExecutionParameter(type=str),
        "label": ExecutionParameter(type=str),
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
    """Computes statistics of CSV files; runs again if, and only if, their content has changed."""

    SPEC_CLASS = CsvStatisticsGenSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(
        self,
        paths: Sequence[str],
        dialect: Dialect,
        checked: CheckedFiles,
        label: str,
        statistics: types.BaseChannel,
        stats_options: tfdv.StatsOptions,
    ) -> None:
        """Makes the component.

        Args:
            paths: The CSV files.
            dialect: How they are written.
            checked: Findings of the check of these files; column types as inferred from the cells.
            label: The column of the label, read as in the training data; the files may lack it.
            statistics: Statistics of the training data, whose column types are used here too.
            stats_options: Options that the statistics of the training data were made with.
        """
        super().__init__(
            CsvStatisticsGenSpec(
                paths=json_utils.dumps(list(paths)),
                dialect=dialect.to_json(),
                checked=checked.to_json(),
                label=label,
                stats_options_json=stats_options.to_json(),
                statistics=statistics,
                baseline_statistics=types.Channel(type=standard_artifacts.ExampleStatistics),
            )
        )
