"""ServingCheck: runs the exported model before it is pushed."""

from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import component_spec, standard_artifacts

from components.serving_check import executor
from components.serving_check.executor import (
    BLESSING,
    EXAMPLES,
    MAX_MILLISECONDS,
    MODEL,
    MODEL_RUN,
    REFERENCE_FN,
    ROWS,
    SPLIT,
    TOLERANCE,
    TRANSFORM_GRAPH,
)


class _Spec(component_spec.ComponentSpec):
    PARAMETERS: ClassVar = {
        SPLIT: component_spec.ExecutionParameter(type=str),
        ROWS: component_spec.ExecutionParameter(type=int),
        TOLERANCE: component_spec.ExecutionParameter(type=float),
        MAX_MILLISECONDS: component_spec.ExecutionParameter(type=float, optional=True),
        REFERENCE_FN: component_spec.ExecutionParameter(type=str),
    }
    INPUTS: ClassVar = {
        EXAMPLES: component_spec.ChannelParameter(type=standard_artifacts.Examples),
        MODEL: component_spec.ChannelParameter(type=standard_artifacts.Model),
        MODEL_RUN: component_spec.ChannelParameter(type=standard_artifacts.ModelRun),
        TRANSFORM_GRAPH: component_spec.ChannelParameter(type=standard_artifacts.TransformGraph),
    }
    OUTPUTS: ClassVar = {
        BLESSING: component_spec.ChannelParameter(type=standard_artifacts.InfraBlessing)
    }


class ServingCheck(base_component.BaseComponent):
    """Compares every signature of a model with the Estimator that it was exported from.

    The output is an InfraBlessing, as from TFX's InfraValidator, which runs models in a container.
    """

    SPEC_CLASS = _Spec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        model: types.BaseChannel,
        model_run: types.BaseChannel,
        transform_graph: types.BaseChannel,
        *,
        split: str,
        rows: int,
        tolerance: float,
        max_milliseconds: float | None,
        reference_fn: str,
    ) -> None:
        """Makes the component.

        Args:
            examples: Raw examples.
            model: The exported model.
            model_run: The training of the model.
            transform_graph: The transformation that the model was trained with.
            split: The split to take examples from.
            rows: Highest number of examples.
            tolerance: By how much predictions may differ, relative to their size.
            max_milliseconds: Longest time for one row; None for no limit.
            reference_fn: Dotted path of the function that makes the Estimator's predictions, output
                name to array, from serialized examples, the folder of the transform graph and the
                folder of the training.
        """
        channel = types.Channel(type=standard_artifacts.InfraBlessing)
        super().__init__(
            _Spec(
                **{
                    EXAMPLES: examples,
                    MODEL: model,
                    MODEL_RUN: model_run,
                    TRANSFORM_GRAPH: transform_graph,
                    SPLIT: split,
                    ROWS: rows,
                    TOLERANCE: tolerance,
                    MAX_MILLISECONDS: max_milliseconds,
                    REFERENCE_FN: reference_fn,
                    BLESSING: channel,
                }
            )
        )
