"""Hooks of training, in a real training."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tracking.projection.event_files import CurveReader
from trainer.training.hooks import FlushSummaries, NanLossDuringTrainingError, StopAtNan


def model_fn(features: Any, labels: Any, mode: str) -> tf.estimator.EstimatorSpec:
    """Counts steps."""
    step = tf.compat.v1.train.get_global_step()
    loss = tf.reduce_mean(tf.cast(features, tf.float32))
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=tf.compat.v1.assign_add(step, 1))


class Look(tf.estimator.SessionRunHook):
    """Slows steps down, and records which steps are in the event file.

    Attributes:
        steps: The last step in the event file, after each training step.
    """

    def __init__(self, folder: Path) -> None:
        self.steps: list[int] = []
        self._folder = folder
        self._reader = CurveReader()

    def after_run(self, run_context: Any, run_values: Any) -> None:
        time.sleep(0.1)
        points = self._reader.read(self._folder)
        self.steps.append(max([*self.steps[-1:], *(point.step for point in points)], default=0))


def train(folder: Path, *hooks: tf.estimator.SessionRunHook) -> list[int]:
    look = Look(folder)
    config = tf.estimator.RunConfig(str(folder), save_summary_steps=1)
    estimator = tf.estimator.Estimator(model_fn, config=config)
    estimator.train(
        lambda: tf.data.Dataset.from_tensors([1.0]).repeat(), [*hooks, look], max_steps=30
    )
    return look.steps


def test_flush_summaries_within_a_second(tmp_path: Path) -> None:
    steps = train(tmp_path, FlushSummaries(str(tmp_path)))

    # A second is ten steps of a tenth of a second, and some more if reading is slow.
    lags = [step - seen for step, seen in enumerate(steps, start=1)]
    assert max(lags) <= 15
    assert len(set(steps)) <= 6  # it does not write at every step


@pytest.mark.parametrize("bad_step", [1, 3])
def test_stop_at_nan_names_step(tmp_path: Path, bad_step: int) -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> tf.estimator.EstimatorSpec:
        step = tf.compat.v1.train.get_global_step()
        weight = tf.compat.v1.get_variable("weight", initializer=1.0)
        train_op = tf.compat.v1.assign_add(step, 1)
        with tf.control_dependencies([train_op]):
            loss = tf.where(step.read_value() >= bad_step, np.nan, weight)
        return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)

    estimator = tf.estimator.Estimator(model_fn, str(tmp_path))

    with pytest.raises(NanLossDuringTrainingError) as caught:
        estimator.train(
            lambda: tf.data.Dataset.from_tensors(({"x": [1.0]}, [1])).repeat(5),
            hooks=[StopAtNan()],
        )

    assert caught.value.step == bad_step
    assert f"NaN loss at step {bad_step}:" in str(caught.value)
