"""Base class of what reacts to each evaluation of a training."""

import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import tensorflow as tf


class UnknownMetricError(ValueError):
    """A setting names a metric that the model's evaluation does not have."""


class EvaluationListener(tf.estimator.Exporter):
    """Receives each evaluation of a training.

    It is an exporter only because Estimator passes evaluations to exporters; it exports nothing.
    """

    @property
    def name(self) -> str:
        """Name that Estimator derives the export folder from."""
        return type(self).__name__

    @property
    @abstractmethod
    def step(self) -> int:
        """Step of the last evaluation that was stored; 0 before the first."""

    @abstractmethod
    def evaluated(self, checkpoint_path: str, metrics: Mapping[str, Any], *, is_last: bool) -> None:
        """Handles an evaluation.

        Args:
            checkpoint_path: The evaluated checkpoint.
            metrics: The model's metrics, `loss` and `global_step`.
            is_last: Whether training has reached its last step.
        """

    def export(
        self,
        estimator: tf.estimator.Estimator,
        export_path: str,
        checkpoint_path: str,
        eval_result: Mapping[str, Any],
        is_the_final_export: bool,
    ) -> None:
        """Passes an evaluation on to `evaluated`; called by Estimator."""
        self.evaluated(checkpoint_path, eval_result, is_last=is_the_final_export)


def metric_value(metrics: Mapping[str, Any], name: str, setting: str) -> float:
    """Returns a metric of an evaluation; NaN if the loss is not finite.

    Args:
        metrics: Metrics by name, with `loss`.
        name: Name of the metric.
        setting: Setting that names the metric, for the error.

    Raises:
        UnknownMetricError: If there is no such metric.
    """
    if name not in metrics:
        names = ", ".join(sorted(set(metrics) - {"global_step"}))
        raise UnknownMetricError(f"{setting}: the model has no metric '{name}' (it has: {names})")
    return float(metrics[name]) if math.isfinite(metrics["loss"]) else math.nan
