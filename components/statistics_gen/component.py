"""StatisticsGen: TFX's component with this project's executor."""

import tensorflow_data_validation as tfdv
from tfx import types
from tfx.components.statistics_gen import component
from tfx.dsl.components.base import executor_spec

from components.statistics_gen import executor


class StatisticsGen(component.StatisticsGen):
    """Computes statistics of every column of every split."""

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(self, examples: types.BaseChannel, stats_options: tfdv.StatsOptions) -> None:
        """Makes the component.

        Args:
            examples: The examples.
            stats_options: TFDV's options; slices, samples and a label for lift are not supported.
        """
        super().__init__(examples=examples, stats_options=stats_options)
