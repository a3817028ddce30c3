"""ServingCheck: asks the exported model before it is pushed."""

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
    """Holds every signature of a model against the Estimator it was exported from.

    The outcome is an InfraBlessing, as of TFX's InfraValidator, which asks a container instead.
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
            model_run: Its training.
            transform_graph: What Transform learned.
            split: Split of the examples to ask about.
            rows: The most examples to ask about.
            tolerance: By how much answers may differ, in relation to their size.
            max_milliseconds: The most time for one row; None for any.
            reference_fn: Dotted path of a function of serialized examples, the folder of the
                transform graph, and that of the training, which gives the Estimator's predictions:
                output name to array.
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
