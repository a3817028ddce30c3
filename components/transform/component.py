"""Transform: TFX's component with this project's executor."""

from tfx.components.transform import component
from tfx.dsl.components.base import executor_spec

from components.transform import executor


class Transform(component.Transform):
    """Learns a transformation and applies it; writes neither statistics nor an analyzer cache."""

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)
