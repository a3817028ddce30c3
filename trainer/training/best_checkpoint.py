"""Keeps the best checkpoint of a training, and tells when training no longer improves."""

import dataclasses
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf
from absl import logging

from trainer.settings.train import TrainSettings, is_better
from trainer.training.evaluation_listener import EvaluationListener, metric_value

BEST_DIR = "best"
"""Subfolder of the training's folder with the best checkpoint, if that is to be exported."""
STATE_FILE = "evaluations.json"
"""File in the training's folder with the state of `BestCheckpoint`."""


@dataclass(frozen=True)
class _State:
    """The evaluations so far, summarized.

    Attributes:
        step: Step of the last evaluation; 0 before the first.
        has_finite_loss: Whether its loss was finite.
        best_step: Step of the best evaluation; None before the first with a finite metric.
        best_value: Metric of the best evaluation.
        value_to_beat: Metric of the last evaluation that was an improvement.
        n_without_improvement: Number of evaluations after that one.
    """

    step: int = 0
    has_finite_loss: bool = False
    best_step: int | None = None
    best_value: float | None = None
    value_to_beat: float | None = None
    n_without_improvement: int = 0


class BestCheckpoint(EvaluationListener):
    """Finds the best evaluation by `train.best_metric`, and decides when to stop early.

    Its state is a file in the training's folder, so that it survives a kill. If the best checkpoint
    is to be exported, it keeps a copy, since Estimator keeps only the last few checkpoints. Of
    equal evaluations, the first is the best.
    """

    def __init__(self, model_dir: str, settings: TrainSettings) -> None:
        """Reads the state of the training in the folder, if one has begun there.

        Args:
            model_dir: The Estimator's folder.
            settings: The metric, early stopping, and which checkpoint to export.
        """
        self._path = os.path.join(model_dir, STATE_FILE)
        self._best_dir = os.path.join(model_dir, BEST_DIR)
        self._settings = settings
        self._state = _State()
        # Without a checkpoint, training starts again: a kill interrupted the move of its folder.
        if tf.io.gfile.exists(self._path) and tf.train.latest_checkpoint(model_dir):
            with tf.io.gfile.GFile(self._path) as file:
                self._state = _State(**json.loads(file.read()))

    @property
    def step(self) -> int:
        """Step of the last evaluation; 0 before the first."""
        return self._state.step

    @property
    def best_step(self) -> int | None:
        """Step of the best evaluation; None before the first with a finite metric."""
        return self._state.best_step

    @property
    def should_stop(self) -> bool:
        """Whether early stopping ends the training."""
        early_stopping = self._settings.early_stopping
        if early_stopping is None:
            return False
        return self._state.n_without_improvement >= early_stopping.evaluations

    @property
    def stopped_step(self) -> int | None:
        """Step at which training stopped early; None if it did not."""
        return self.step if self.should_stop and self.step < self._settings.steps else None

    def evaluated(self, checkpoint_path: str, metrics: Mapping[str, Any], *, is_last: bool) -> None:
        """Updates state and best checkpoint by an evaluation.

        Args:
            checkpoint_path: The evaluated checkpoint.
            metrics: The model's metrics, `loss` and `global_step`.
            is_last: Not used.

        Raises:
            UnknownMetricError: If the model does not have the metric `train.best_metric`.
        """
        value = metric_value(metrics, self._settings.best_metric, "train.best_metric")
        step = int(metrics["global_step"])
        before = self._state
        self._state = dataclasses.replace(
            self._next_state(value, step), step=step, has_finite_loss=math.isfinite(metrics["loss"])
        )
        if self._state.best_step != before.best_step and self._settings.export == "best":
            self._copy_checkpoint(checkpoint_path)
        _write(self._path, json.dumps(dataclasses.asdict(self._state)))
        if self.should_stop:
            logging.info(
                "stopped at step %d: %d evaluations without improvement of %s, best %s at step %s",
                step,
                self._state.n_without_improvement,
                self._settings.best_metric,
                self._state.best_value,
                self._state.best_step,
            )

    def check_finite(self) -> None:
        """Checks that the checkpoint to export has a finite loss.

        Raises:
            RuntimeError: If its loss is not finite, or if no evaluation could be the best.
        """
        if self._settings.export == "last" and not self._state.has_finite_loss:
            raise RuntimeError(f"diverged: the loss evaluated at step {self.step} is not finite")
        if self._settings.export == "best" and self.best_step is None:
            metrics = " and ".join(dict.fromkeys(("loss", self._settings.best_metric)))
            raise RuntimeError(f"diverged: no evaluation had a finite {metrics}")

    def _next_state(self, value: float, step: int) -> _State:
        """Computes best evaluation and improvement after one more evaluation."""
        state = self._state
        if not math.isfinite(value):
            return dataclasses.replace(state, n_without_improvement=state.n_without_improvement + 1)
        best = self._settings.best
        if state.best_value is None or is_better(best, value, state.best_value):
            state = dataclasses.replace(state, best_step=step, best_value=value)
        early_stopping = self._settings.early_stopping
        min_change = early_stopping.min_change if early_stopping else 0.0
        margin = min_change if best == "min" else -min_change
        if state.value_to_beat is None or is_better(best, value + margin, state.value_to_beat):
            return dataclasses.replace(state, value_to_beat=value, n_without_improvement=0)
        return dataclasses.replace(state, n_without_improvement=state.n_without_improvement + 1)

    def _copy_checkpoint(self, checkpoint_path: str) -> None:
        """Copies a checkpoint; until the copy is complete, the previous one stays the best."""
        folder, name = os.path.split(checkpoint_path)
        tf.io.gfile.makedirs(self._best_dir)
        for file in tf.io.gfile.listdir(folder):
            if file.startswith(f"{name}."):
                source, copy = (os.path.join(path, file) for path in (folder, self._best_dir))
                tf.io.gfile.copy(source, copy, overwrite=True)
        # TensorFlow finds the checkpoint by this file; the path is relative since the folder moves.
        _write(os.path.join(self._best_dir, "checkpoint"), f'model_checkpoint_path: "{name}"\n')
        for file in tf.io.gfile.listdir(self._best_dir):
            if file != "checkpoint" and not file.startswith(f"{name}."):
                tf.io.gfile.remove(os.path.join(self._best_dir, file))


def _write(path: str, text: str) -> None:
    """Replaces a file by renaming, so that no reader sees it half-written."""
    with tf.io.gfile.GFile(f"{path}.new", "w") as file:
        file.write(text)
    tf.io.gfile.rename(f"{path}.new", path, overwrite=True)
