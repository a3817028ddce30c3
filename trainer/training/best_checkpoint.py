"""What comes of a training's evaluations: the best checkpoint, and when there is no better one."""

import dataclasses
import json
import math
import os
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf
from absl import logging

from trainer.settings.train import TrainSettings, is_better

BEST_DIR = "best"
"""Folder of the best checkpoint in the training's, where that is what is exported."""
STANDING_FILE = "evaluations.json"


class UnknownMetricError(ValueError):
    """A setting names a metric that the model's evaluation does not have."""


class EvaluationListener(tf.estimator.Exporter):
    """Is told of each evaluation, as Estimator tells an exporter; it exports nothing."""

    @property
    def name(self) -> str:
        """What Estimator names the folder of exports by."""
        return type(self).__name__

    @property
    @abstractmethod
    def step(self) -> int:
        """Step of the last evaluation that it has kept; 0 before the first."""

    @abstractmethod
    def evaluated(self, checkpoint_path: str, metrics: Mapping[str, Any], *, is_last: bool) -> None:
        """Takes an evaluation.

        Args:
            checkpoint_path: What was evaluated.
            metrics: Those of the model, `loss` and `global_step`.
            is_last: Whether the training has come to its last step.
        """

    def export(
        self,
        estimator: tf.estimator.Estimator,
        export_path: str,
        checkpoint_path: str,
        eval_result: Mapping[str, Any],
        is_the_final_export: bool,
    ) -> None:
        """Takes an evaluation, as Estimator gives it."""
        self.evaluated(checkpoint_path, eval_result, is_last=is_the_final_export)


def metric_value(metrics: Mapping[str, Any], name: str, setting: str) -> float:
    """Picks a metric out of an evaluation; NaN if the model's loss is not finite.

    Raises:
        UnknownMetricError: If there is none of that name.
    """
    if name not in metrics:
        names = ", ".join(sorted(set(metrics) - {"global_step"}))
        raise UnknownMetricError(f"{setting}: the model has no metric '{name}' (it has: {names})")
    return float(metrics[name]) if math.isfinite(metrics["loss"]) else math.nan


@dataclass(frozen=True)
class _Standing:
    """What is kept of the evaluations so far.

    Attributes:
        step: That of the last.
        has_finite_loss: Whether the loss there was finite.
        best_step: That of the best; None before the first with a finite value.
        best_value: The metric there.
        bar: The value that another has to be better than, so as not to count as one in a row.
        in_a_row: How many were no better, up to the last.
    """

    step: int = 0
    has_finite_loss: bool = False
    best_step: int | None = None
    best_value: float | None = None
    bar: float | None = None
    in_a_row: int = 0


class BestSoFar(EvaluationListener):
    """Knows the best evaluation by `train.best_metric`, and whether to stop for want of a better.

    What it knows stands in the training's folder, so that a training that was killed goes on with
    it. Where the best checkpoint is to be exported, it keeps a copy of that, since Estimator keeps
    the last few only. Of equal ones the first is the best.
    """

    def __init__(self, model_dir: str, settings: TrainSettings) -> None:
        """Reads how the training in the folder stands.

        Args:
            model_dir: The Estimator's folder.
            settings: Which metric, and what to do with it.
        """
        self._path = os.path.join(model_dir, STANDING_FILE)
        self._best_dir = os.path.join(model_dir, BEST_DIR)
        self._settings = settings
        self._standing = _Standing()
        # Without a checkpoint the training begins anew: a kill came while its folder was moved.
        if tf.io.gfile.exists(self._path) and tf.train.latest_checkpoint(model_dir):
            with tf.io.gfile.GFile(self._path) as file:
                self._standing = _Standing(**json.loads(file.read()))

    @property
    def step(self) -> int:
        """Step of the last evaluation that it has kept; 0 before the first."""
        return self._standing.step

    @property
    def best_step(self) -> int | None:
        """Step of the best evaluation; None before the first with a finite value."""
        return self._standing.best_step

    @property
    def is_over(self) -> bool:
        """Whether the training is to stop, since it no longer gets better."""
        early_stopping = self._settings.early_stopping
        return early_stopping is not None and self._standing.in_a_row >= early_stopping.evaluations

    @property
    def stopped_step(self) -> int | None:
        """Step at which the training stopped early; None if it did not."""
        return self.step if self.is_over and self.step < self._settings.steps else None

    def evaluated(self, checkpoint_path: str, metrics: Mapping[str, Any], *, is_last: bool) -> None:
        """Keeps an evaluation.

        Raises:
            UnknownMetricError: If the model has no `train.best_metric`.
        """
        value = metric_value(metrics, self._settings.best_metric, "train.best_metric")
        step = int(metrics["global_step"])
        before = self._standing
        self._standing = dataclasses.replace(
            self._next(value, step), step=step, has_finite_loss=math.isfinite(metrics["loss"])
        )
        if self._standing.best_step != before.best_step and self._settings.export == "best":
            self._keep(checkpoint_path)
        _write(self._path, json.dumps(dataclasses.asdict(self._standing)))
        if self.is_over:
            logging.info(
                "stopped at step %d: in %d evaluations no better %s than %s at step %s",
                step,
                self._standing.in_a_row,
                self._settings.best_metric,
                self._standing.best_value,
                self._standing.best_step,
            )

    def check(self) -> None:
        """Makes sure that what would be exported has not diverged.

        Raises:
            RuntimeError: If it has.
        """
        if self._settings.export == "last" and not self._standing.has_finite_loss:
            raise RuntimeError(f"diverged: the loss evaluated at step {self.step} is not finite")
        if self._settings.export == "best" and self.best_step is None:
            metric = self._settings.best_metric
            raise RuntimeError(f"diverged: no evaluation had a finite loss and {metric}")

    def _next(self, value: float, step: int) -> _Standing:
        """Gives what is best, and how many were no better, after a further evaluation."""
        now = self._standing
        if not math.isfinite(value):
            return dataclasses.replace(now, in_a_row=now.in_a_row + 1)
        best = self._settings.best
        if now.best_value is None or is_better(best, value, now.best_value):
            now = dataclasses.replace(now, best_step=step, best_value=value)
        early_stopping = self._settings.early_stopping
        change = early_stopping.min_change if early_stopping else 0.0
        nearer = change if best == "min" else -change
        if now.bar is None or is_better(best, value + nearer, now.bar):
            return dataclasses.replace(now, bar=value, in_a_row=0)
        return dataclasses.replace(now, in_a_row=now.in_a_row + 1)

    def _keep(self, checkpoint_path: str) -> None:
        """Copies a checkpoint; until it is whole, the one before it is the best."""
        folder, name = os.path.split(checkpoint_path)
        tf.io.gfile.makedirs(self._best_dir)
        for file in tf.io.gfile.listdir(folder):
            if file.startswith(f"{name}."):
                source, copy = (os.path.join(path, file) for path in (folder, self._best_dir))
                tf.io.gfile.copy(source, copy, overwrite=True)
        # What TensorFlow finds a folder's checkpoint by; a relative path, since the folder moves.
        _write(os.path.join(self._best_dir, "checkpoint"), f'model_checkpoint_path: "{name}"\n')
        for file in tf.io.gfile.listdir(self._best_dir):
            if file != "checkpoint" and not file.startswith(f"{name}."):
                tf.io.gfile.remove(os.path.join(self._best_dir, file))


def _write(path: str, text: str) -> None:
    """Writes a file in one rename."""
    with tf.io.gfile.GFile(f"{path}.new", "w") as file:
        file.write(text)
    tf.io.gfile.rename(f"{path}.new", path, overwrite=True)
