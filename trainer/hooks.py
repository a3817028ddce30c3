"""Hooks of the training loop."""

import time
from typing import Any

import tensorflow as tf


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
