"""Tuner: TFX's component with this project's executor."""

from tfx.components.tuner import component
from tfx.dsl.components.base import executor_spec

from components.tuner import executor


class Tuner(component.Tuner):
    """Searches for the best settings, and keeps the trials among its results."""

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)
