"""Records a trial while it trains, and decides whether to stop it."""

import dataclasses
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from trainer.training.evaluation_listener import EvaluationListener, metric_value
from trainer.tuning.trials import State, Trial
from trainer.user_functions import one_line

_MAX_ERROR_LENGTH = 400


class StoppedEarlyError(Exception):
    """Ends the training of a trial that the median rule stops."""


class TrialProgress(EvaluationListener):
    """Records the evaluations of a trial.

    Attributes:
        trial: The trial in its current state.
    """

    def __init__(
        self,
        trial: Trial,
        write: Callable[[Trial], None],
        should_stop: Callable[[Trial], bool],
    ) -> None:
        """Writes the trial, which now runs.

        Args:
            trial: The trial as it was last written.
            write: Writes the trial to its file.
            should_stop: Whether a trial should be stopped, given its evaluations.
        """
        self.trial = trial
        self._write = write
        self._should_stop = should_stop
        self._start = time.monotonic() - trial.seconds
        self._change(trial)

    @property
    def step(self) -> int:
        """Step of the last evaluation with a finite objective; 0 before the first."""
        return self.trial.evaluations[-1][0] if self.trial.evaluations else 0

    def evaluated(self, checkpoint_path: str, metrics: Mapping[str, Any], *, is_last: bool) -> None:
        """Records an evaluation.

        Args:
            checkpoint_path: The evaluated checkpoint.
            metrics: The objective, `loss` and `global_step`.
            is_last: Whether training has reached its last step and need not be stopped.

        Raises:
            StoppedEarlyError: If the trial should be stopped.
            UnknownMetricError: If the model does not have the objective.
        """
        value = metric_value(metrics, self.trial.objective, "tuner.objective")
        if math.isfinite(value):
            self._change(self.trial.evaluated(int(metrics["global_step"]), value))
            if not is_last and self._should_stop(self.trial):
                raise StoppedEarlyError

    def ended(self, state: State, error: Exception | None = None) -> None:
        """Records the end of the trial; without a finite evaluation it counts as failed."""
        cause = one_line(error)[:_MAX_ERROR_LENGTH] if error else None
        if cause is None and self.trial.score is None:
            state, cause = "failed", f"no evaluation had a finite {self.trial.objective}"
        self._change(self.trial.ended(state, cause))

    def _change(self, trial: Trial) -> None:
        self.trial = dataclasses.replace(trial, seconds=time.monotonic() - self._start)
        self._write(self.trial)
