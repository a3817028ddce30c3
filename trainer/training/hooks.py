"""Hooks of the training loop."""

import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging


class NanLossDuringTrainingError(tf.estimator.NanLossDuringTrainingError):
    """The loss is no number any more.

    Attributes:
        step: The training step after which that was seen.
    """

    def __init__(self, step: int) -> None:
        """Keeps the step."""
        super().__init__(step)
        self.step = step

    def __str__(self) -> str:
        """Says it in one line."""
        return f"NaN loss at step {self.step}: lower model.learning_rate, or look at the data"


class StopAtNan(tf.estimator.SessionRunHook):
    """Ends a training whose loss is NaN; Estimator's own hook does not say at which step."""

    def begin(self) -> None:
        """Finds the loss, which Estimator adds to the graph's last, and the step."""
        self._loss = tf.compat.v1.get_collection(tf.compat.v1.GraphKeys.LOSSES)[-1]
        self._step = tf.compat.v1.train.get_global_step()

    def before_run(self, run_context: Any) -> tf.estimator.SessionRunArgs:
        """Asks for the loss."""
        return tf.estimator.SessionRunArgs(self._loss)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Looks at it.

        Raises:
            NanLossDuringTrainingError: If it is NaN.
        """
        if np.isnan(run_values.results):
            raise NanLossDuringTrainingError(int(run_context.session.run(self._step)))


class FlushSummaries(tf.estimator.SessionRunHook):
    """Has the training curves reach their file every second; by itself it takes two minutes."""

    _PERIOD_SECONDS = 1.0

    def __init__(self, model_dir: str) -> None:
        """Keeps the folder of the event file.

        Args:
            model_dir: The Estimator's `model_dir`.
        """
        self._model_dir = model_dir
        self._flushed_at = 0.0

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Flushes if a second has passed since it did so last."""
        now = time.monotonic()
        if now - self._flushed_at >= self._PERIOD_SECONDS:
            self._flushed_at = now
            tf.compat.v1.summary.FileWriterCache.get(self._model_dir).flush()


class StopWhenOver(tf.estimator.SessionRunHook):
    """Ends a training at the step at which it is over."""

    def __init__(self, is_over: Callable[[], bool]) -> None:
        """Keeps what is asked after each step."""
        self._is_over = is_over

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Asks."""
        if self._is_over():
            run_context.request_stop()


class WarmStart(tf.estimator.SessionRunHook):
    """Has a training begin with the weights of an exported model, as far as they fit.

    What is no weight of the other model, or one of another shape, begins as it would anyhow; so
    does what the optimizer keeps, which no exported model holds. A training that goes on from a
    checkpoint of its own takes all from there.
    """

    def __init__(self, saved_model_dir: str) -> None:
        """Keeps where the model is.

        Args:
            saved_model_dir: Folder of the SavedModel.
        """
        self._path = os.path.join(
            saved_model_dir,
            tf.saved_model.VARIABLES_DIRECTORY,
            tf.saved_model.VARIABLES_FILENAME,
        )

    def begin(self) -> None:
        """Replaces the initial values in the graph."""
        shapes = tf.train.load_checkpoint(self._path).get_variable_to_shape_map()
        step = tf.compat.v1.train.get_global_step()
        fitting = [
            variable
            for variable in tf.compat.v1.global_variables()
            if variable is not step and shapes.get(variable.op.name) == variable.shape.as_list()
        ]
        begun = {variable.op.name for variable in fitting}
        weights = [variable.op.name for variable in tf.compat.v1.trainable_variables()]
        tf.compat.v1.train.warm_start(self._path, fitting)
        logging.info(
            "begins with %d weights of %s; not found there, or not of the same shape: %s",
            len(fitting),
            self._path,
            ", ".join(name for name in weights if name not in begun) or "none",
        )
