"""Session hooks of training."""

import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging


class NanLossDuringTrainingError(tf.estimator.NanLossDuringTrainingError):
    """The loss has become NaN.

    Attributes:
        step: The training step after which it was NaN.
    """

    def __init__(self, step: int) -> None:
        """Stores the step."""
        super().__init__(step)
        self.step = step

    def __str__(self) -> str:
        """Returns the message, with the step and what to do."""
        return f"NaN loss at step {self.step}: lower model.learning_rate, or check the data"


class StopAtNan(tf.estimator.SessionRunHook):
    """Ends a training whose loss is NaN; Estimator's hook for that does not tell the step."""

    def begin(self) -> None:
        """Finds the loss, the last one that Estimator added to the graph, and the global step."""
        self._loss = tf.compat.v1.get_collection(tf.compat.v1.GraphKeys.LOSSES)[-1]
        self._step = tf.compat.v1.train.get_global_step()

    def before_run(self, run_context: Any) -> tf.estimator.SessionRunArgs:
        """Requests the loss."""
        return tf.estimator.SessionRunArgs(self._loss)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Checks the loss.

        Raises:
            NanLossDuringTrainingError: If the loss is NaN.
        """
        if np.isnan(run_values.results):
            raise NanLossDuringTrainingError(int(run_context.session.run(self._step)))


class FlushSummaries(tf.estimator.SessionRunHook):
    """Flushes the training curves to their file every second; by default it takes two minutes."""

    _PERIOD_SECONDS = 1.0

    def __init__(self, model_dir: str) -> None:
        """Stores the folder of the event file.

        Args:
            model_dir: The Estimator's `model_dir`.
        """
        self._model_dir = model_dir
        self._flushed_at = 0.0

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Flushes if a second has passed since the last time."""
        now = time.monotonic()
        if now - self._flushed_at >= self._PERIOD_SECONDS:
            self._flushed_at = now
            tf.compat.v1.summary.FileWriterCache.get(self._model_dir).flush()


class StopEarly(tf.estimator.SessionRunHook):
    """Ends a training once a condition is true."""

    def __init__(self, should_stop: Callable[[], bool]) -> None:
        """Stores the condition, which is evaluated after each step."""
        self._should_stop = should_stop

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Requests the end of the session if the condition is true."""
        if self._should_stop():
            run_context.request_stop()


class WarmStart(tf.estimator.SessionRunHook):
    """Starts a training from the weights of an exported model.

    Weights that the exported model does not have, or has with another shape, keep their usual
    initial values; so do the optimizer's variables, which are never exported. A training that
    continues from its own checkpoint takes all values from the checkpoint.
    """

    def __init__(self, saved_model_dir: str) -> None:
        """Stores the path of the model's variables.

        Args:
            saved_model_dir: Folder of the SavedModel.
        """
        self._path = os.path.join(
            saved_model_dir,
            tf.saved_model.VARIABLES_DIRECTORY,
            tf.saved_model.VARIABLES_FILENAME,
        )

    def begin(self) -> None:
        """Replaces the initial values of the weights in the graph."""
        shapes = tf.train.load_checkpoint(self._path).get_variable_to_shape_map()
        step = tf.compat.v1.train.get_global_step()
        fitting = [
            variable
            for variable in tf.compat.v1.global_variables()
            if variable is not step and shapes.get(variable.op.name) == variable.shape.as_list()
        ]
        found = {variable.op.name for variable in fitting}
        weights = [variable.op.name for variable in tf.compat.v1.trainable_variables()]
        tf.compat.v1.train.warm_start(self._path, fitting)
        logging.info(
            "warm start with %d weights of %s; missing there or of another shape: %s",
            len(fitting),
            self._path,
            ", ".join(name for name in weights if name not in found) or "none",
        )
