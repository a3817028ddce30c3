"""Evaluator: TFX's inputs and outputs with this project's executor."""

from typing import Any, ClassVar

import tensorflow_model_analysis as tfma
from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import standard_artifacts, standard_component_specs
from tfx.types.component_spec import ExecutionParameter
from tfx.utils import json_utils

from components.evaluator import executor
from components.evaluator.thresholds import Thresholds, thresholds_to_json
from trainer.settings.train import Task


class EvaluatorSpec(standard_component_specs.EvaluatorSpec):
    """TFX's inputs, outputs and properties, with the task and the thresholds added."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        **standard_component_specs.EvaluatorSpec.PARAMETERS,
        executor.TASK: ExecutionParameter(type=str),
        executor.THRESHOLDS: ExecutionParameter(type=str),
    }


class Evaluator(base_beam_component.BaseBeamComponent):
    """Evaluates a model on one split, compares it with a baseline, and blesses it or not."""

    SPEC_CLASS = EvaluatorSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        model: types.BaseChannel,
        baseline_model: types.BaseChannel,
        schema: types.BaseChannel,
        *,
        eval_config: tfma.EvalConfig,
        task: Task,
        thresholds: Thresholds,
        split: str = "eval",
    ) -> None:
        """Makes the component.

        Args:
            examples: Raw examples.
            model: The candidate.
            baseline_model: The model to compare with; the channel may be empty.
            schema: Schema of the raw examples.
            eval_config: Metrics and slices. The class ids of metrics specs with `binarize` are
                filled in by the executor.
            task: What the model predicts.
            thresholds: Bounds that decide whether the model is blessed.
            split: The split that the model is judged by.
        """
        super().__init__(
            EvaluatorSpec(
                examples=examples,
                model=model,
                baseline_model=baseline_model,
                schema=schema,
                eval_config=eval_config,
                example_splits=json_utils.dumps([split]),
                task=task,
                thresholds=thresholds_to_json(thresholds),
                evaluation=types.Channel(type=standard_artifacts.ModelEvaluation),
                blessing=types.Channel(type=standard_artifacts.ModelBlessing),
            )
        )
