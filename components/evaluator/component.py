"""Evaluator: TFX's own component with this project's executor."""

import tensorflow_model_analysis as tfma
from tfx import types
from tfx.components.evaluator import component
from tfx.dsl.components.base import executor_spec

from components.evaluator import executor


class Evaluator(component.Evaluator):
    """Evaluates a classifier or a regression, and blesses it or not."""

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        model: types.BaseChannel,
        baseline_model: types.BaseChannel,
        schema: types.BaseChannel,
        eval_config: tfma.EvalConfig,
        split: str = "eval",
    ) -> None:
        """Makes the component.

        Args:
            examples: Raw examples.
            model: The candidate.
            baseline_model: The model to compare with, if the channel holds one.
            schema: Schema of the raw examples.
            eval_config: Metrics, slices and thresholds, of one of the tasks that
                `components.evaluator.tasks` tells apart.
            split: The split that the model is judged by.
        """
        super().__init__(
            examples=examples,
            model=model,
            baseline_model=baseline_model,
            schema=schema,
            eval_config=eval_config,
            example_splits=[split],
        )
