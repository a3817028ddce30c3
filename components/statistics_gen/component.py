"""StatisticsGen: TFX's own component with this project's executor."""

import tensorflow_data_validation as tfdv
from tfx import types
from tfx.components.statistics_gen import component
from tfx.dsl.components.base import executor_spec

from components.statistics_gen import executor


class StatisticsGen(component.StatisticsGen):
    """Measures every column of every split."""

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(self, examples: types.BaseChannel, stats_options: tfdv.StatsOptions) -> None:
        """Makes the component.

        Args:
            examples: Examples.
            stats_options: How they are measured, without slices, samples and a label to measure
                the lift of.
        """
        super().__init__(examples=examples, stats_options=stats_options)
