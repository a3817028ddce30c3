"""Transform: TFX's own component with this project's executor."""

from tfx.components.transform import component
from tfx.dsl.components.base import executor_spec

from components.transform import executor


class Transform(component.Transform):
    """Learns a transformation and applies it; statistics and an analyzer cache it has none."""

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)
