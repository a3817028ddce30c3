"""Pusher: TFX's inputs and outputs with this project's driver and executor."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.proto import pusher_pb2
from tfx.types import standard_artifacts, standard_component_specs
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components.pusher import driver, executor
from trainer.settings.features import Feature


class PusherSpec(standard_component_specs.PusherSpec):
    """TFX's inputs, outputs and properties, and what the raw columns are described by."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        **standard_component_specs.PusherSpec.PARAMETERS,
        "features": ExecutionParameter(type=str),
    }
    INPUTS: ClassVar[dict[str, Any]] = {
        **standard_component_specs.PusherSpec.INPUTS,
        "schema": ChannelParameter(type=standard_artifacts.Schema),
        "statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics),
    }


class Pusher(base_component.BaseComponent):
    """Pushes a blessed model to a serving folder."""

    SPEC_CLASS = PusherSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)
    DRIVER_CLASS = driver.Driver

    def __init__(
        self,
        model: types.BaseChannel,
        model_blessing: types.BaseChannel,
        infra_blessing: types.BaseChannel,
        push_dir: str,
        *,
        schema: types.BaseChannel,
        statistics: types.BaseChannel,
        features: Mapping[str, Feature],
    ) -> None:
        """Makes the component.

        Args:
            model: The trained model.
            model_blessing: The blessing of Evaluator.
            infra_blessing: The blessing of ServingCheck.
            push_dir: The serving folder.
            schema: Schema of the raw columns.
            statistics: Statistics of the raw columns in every split.
            features: The features of the model.
        """
        super().__init__(
            PusherSpec(
                model=model,
                model_blessing=model_blessing,
                infra_blessing=infra_blessing,
                push_destination=pusher_pb2.PushDestination(
                    filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=push_dir)
                ),
                features=json.dumps(
                    {
                        name: feature.model_dump(mode="json")
                        for name, feature in features.items()
                        if feature.raw_type is not None
                    }
                ),
                schema=schema,
                statistics=statistics,
                pushed_model=types.Channel(type=standard_artifacts.PushedModel),
            )
        )
