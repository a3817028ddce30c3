"""DistributionValidator: measures drift or skew; DataGate decides what follows."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.distribution_validator import executor

Kind = Literal["drift", "skew"]


class DataDistances(types.Artifact):
    """Distances between two data sets, column by column: `distances.json`."""

    TYPE_NAME = "DataDistances"


class DistributionValidatorSpec(ComponentSpec):
    """Inputs, outputs and properties of DistributionValidator."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        "kind": ExecutionParameter(type=str),
        "limits": ExecutionParameter(type=str),
        "baseline": ExecutionParameter(type=str),
        "code_digest": ExecutionParameter(type=str, optional=True),
    }
    INPUTS: ClassVar[dict[str, Any]] = {
        "statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics),
        "baseline_statistics": ChannelParameter(
            type=standard_artifacts.ExampleStatistics, optional=True
        ),
    }
    OUTPUTS: ClassVar[dict[str, Any]] = {"distances": ChannelParameter(type=DataDistances)}


class DistributionValidator(base_component.BaseComponent):
    """Measures the distance of every column of the train split to the same column of other data."""

    SPEC_CLASS = DistributionValidatorSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        kind: Kind,
        statistics: types.BaseChannel,
        baseline_statistics: types.BaseChannel,
        limits: Mapping[str, float],
        baseline: str = "",
    ) -> None:
        """Makes the component.

        Args:
            kind: Name of the distances in reports and metrics.
            statistics: Statistics of the data.
            baseline_statistics: Statistics of the data to compare with; the channel may be empty.
            limits: Highest distance allowed by column, `*` for all other columns.
            baseline: Name of the data to compare with; if empty, it is named by its span.
        """
        super().__init__(
            DistributionValidatorSpec(
                kind=kind,
                limits=json.dumps(dict(limits)),
                baseline=baseline,
                statistics=statistics,
                baseline_statistics=baseline_statistics,
                distances=types.Channel(type=DataDistances),
            )
        )
