"""DataGate: stops a run if the validators found errors in its data, or if rows were lost."""

import json
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.data_gate import executor
from components.distribution_validator.component import DataDistances


class DataFindings(types.Artifact):
    """Problems in the data that did not stop the run: `findings.json`."""

    TYPE_NAME = "DataFindings"


class DataGateSpec(ComponentSpec):
    """Inputs, outputs and properties of DataGate."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        "stop_at": ExecutionParameter(type=str),
        "is_reviewed": ExecutionParameter(type=int),
        "label": ExecutionParameter(type=str),
        "columns": ExecutionParameter(type=str),
        "columns_of_words": ExecutionParameter(type=str),
        "warnings": ExecutionParameter(type=str),
        "code_digest": ExecutionParameter(type=str, optional=True),
    }
    INPUTS: ClassVar[dict[str, Any]] = {
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics),
        "anomalies": ChannelParameter(type=standard_artifacts.ExampleAnomalies),
        "schema": ChannelParameter(type=standard_artifacts.Schema),
        "drift": ChannelParameter(type=DataDistances, optional=True),
        "skew": ChannelParameter(type=DataDistances, optional=True),
    }
    OUTPUTS: ClassVar[dict[str, Any]] = {"findings": ChannelParameter(type=DataFindings)}


class DataGate(base_component.BaseComponent):
    """Fails if a finding is at least as severe as `stop_at`, or if rows were lost on the way.

    Otherwise it writes the findings.
    """

    SPEC_CLASS = DataGateSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        statistics: types.BaseChannel,
        anomalies: types.BaseChannel,
        schema: types.BaseChannel,
        stop_at: Literal["warning", "error", "never"],
        *,
        is_reviewed: bool,
        label: str,
        columns: Sequence[str],
        columns_of_words: Sequence[str] = (),
        warnings: Sequence[str] = (),
        drift: types.BaseChannel | None = None,
        skew: types.BaseChannel | None = None,
    ) -> None:
        """Makes the component.

        Args:
            examples: The examples, with the numbers of rows that CsvExampleGen found.
            statistics: Statistics of every split.
            anomalies: The anomalies that ExampleValidator found.
            schema: The schema that ExampleValidator compared with.
            stop_at: The lowest severity that stops the run.
            is_reviewed: Whether the schema was written by a person rather than inferred.
            label: The column to predict.
            columns: All columns that the model learns from, including the label.
            columns_of_words: Those of them whose cells are tags or text: an inferred schema lists
                the cells of the train split, which others need not be equal to.
            warnings: What the check before the run warns of; findings too, of severity `warning`.
            drift: Distances to earlier data.
            skew: Distances to the rows of a given file.
        """
        super().__init__(
            DataGateSpec(
                stop_at=stop_at,
                is_reviewed=int(is_reviewed),
                label=label,
                columns=json.dumps(list(columns)),
                columns_of_words=json.dumps(list(columns_of_words)),
                warnings=json.dumps(list(warnings)),
                examples=examples,
                statistics=statistics,
                anomalies=anomalies,
                schema=schema,
                drift=drift,
                skew=skew,
                findings=types.Channel(type=DataFindings),
            )
        )
