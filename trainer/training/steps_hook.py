"""Runs the steps between two logged ones without Estimator's per-step hooks."""

import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from trainer.settings.train import TrainSettings
from trainer.training.hooks import NanLossDuringTrainingError


class UnloggedSteps(tf.estimator.SessionRunHook):
    """Runs all steps up to the one before the next logged step, without calling other hooks.

    The first step, the last one, and those of summaries and checkpoints are logged: Estimator runs
    them and calls all hooks. For the steps between, this hook runs the same ops directly, since the
    work of Estimator and its hooks takes longer than a step of a small network. It must be the last
    hook, so that all others have handled the logged step before.
    """

    def __init__(self, train: TrainSettings) -> None:
        """Stores the settings that determine the logged steps.

        Args:
            train: `steps`, `summary_every_steps` and `eval_every_steps` are used.
        """
        self._train = train

    def after_create_session(self, session: tf.compat.v1.Session, coord: Any) -> None:
        """Starts counting at the current step, as Estimator's hooks do."""
        self._read_step = session.make_callable(tf.compat.v1.train.get_global_step())
        self._first_step = int(self._read_step())
        self._run_step: Callable[[], tuple[None, float]] | None = None

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Runs the steps up to the next logged one.

        Raises:
            NanLossDuringTrainingError: If the loss becomes NaN.
        """
        if run_context.stop_requested:
            return
        if self._run_step is None:  # Estimator's fetches: the op of a step, and the loss
            fetches = run_context.original_args.fetches
            self._run_step = run_context.session.make_callable(fetches)
        step = int(self._read_step())
        for number in range(step + 1, self._next_logged(step)):
            _, loss = self._run_step()
            if math.isnan(loss):
                raise NanLossDuringTrainingError(number)

    def _next_logged(self, step: int) -> int:
        """Returns the next step that is logged."""
        n_done = step - self._first_step
        periods = (self._train.summary_every_steps, self._train.eval_every_steps)
        return min(self._train.steps, *(step - n_done % period + period for period in periods))
