"""Pusher: TFX's own component with this project's driver and executor."""

from tfx import types
from tfx.components.pusher import component
from tfx.dsl.components.base import executor_spec
from tfx.proto import pusher_pb2

from components.pusher import driver, executor


class Pusher(component.Pusher):
    """Pushes a blessed model to a serving folder."""

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)
    DRIVER_CLASS = driver.Driver

    def __init__(
        self,
        model: types.BaseChannel,
        model_blessing: types.BaseChannel,
        infra_blessing: types.BaseChannel,
        push_dir: str,
    ) -> None:
        """Makes the component.

        Args:
            model: The trained model.
            model_blessing: Whether it is good enough to be pushed.
            infra_blessing: Whether it answers as it should.
            push_dir: The serving folder.
        """
        super().__init__(
            model=model,
            model_blessing=model_blessing,
            infra_blessing=infra_blessing,
            push_destination=pusher_pb2.PushDestination(
                filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=push_dir)
            ),
        )
