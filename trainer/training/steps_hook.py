"""Training steps that nobody looks at, without what Estimator does around each step."""

import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from trainer.settings.train import TrainSettings
from trainer.training.hooks import NanLossDuringTrainingError


class StepsBetween(tf.estimator.SessionRunHook):
    """Trains on from a step that hooks have seen up to the one before the next that they are to.

    Hooks are to see the first step, those of the curves' points and of the checkpoints, and the
    last one. The steps between are the same ones, but what Estimator and the hooks do around each
    is left out, which takes longer than the step of a small network. This hook has to be the last
    one, so that all others have seen the first of these steps.
    """

    def __init__(self, train: TrainSettings) -> None:
        """Keeps which steps are to be seen.

        Args:
            train: Of the settings, `steps`, `summary_every_steps` and `eval_every_steps`.
        """
        self._train = train

    def after_create_session(self, session: tf.compat.v1.Session, coord: Any) -> None:
        """Begins to count, as Estimator's own hooks do, at the step where the training stands."""
        self._read_step = session.make_callable(tf.compat.v1.train.get_global_step())
        self._begin = int(self._read_step())
        self._run_step: Callable[[], tuple[None, float]] | None = None

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Trains.

        Raises:
            NanLossDuringTrainingError: If the loss becomes NaN.
        """
        if run_context.stop_requested:
            return
        if self._run_step is None:  # what Estimator has run: the op of a step, and the loss
            fetches = run_context.original_args.fetches
            self._run_step = run_context.session.make_callable(fetches)
        step = int(self._read_step())
        for number in range(step + 1, self._next_seen(step)):
            _, loss = self._run_step()
            if math.isnan(loss):
                raise NanLossDuringTrainingError(number)

    def _next_seen(self, step: int) -> int:
        """Gives the first step after this one that hooks are to see."""
        n_done = step - self._begin
        periods = (self._train.summary_every_steps, self._train.eval_every_steps)
        return min(self._train.steps, *(step - n_done % period + period for period in periods))
