"""What is noted of a trial while it trains, and whether it goes on."""

import dataclasses
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from trainer.training.best_checkpoint import EvaluationListener, metric_value
from trainer.tuning.trials import State, Trial
from trainer.user_functions import one_line

_LONGEST_ERROR = 400


class StoppedEarlyError(Exception):
    """Ends the training of a trial that the median rule stops, at its checkpoint."""


class Progress(EvaluationListener):
    """Keeps what each evaluation says of a trial.

    Attributes:
        trial: How the trial stands.
    """

    def __init__(
        self, trial: Trial, write: Callable[[Trial], None], is_bad: Callable[[Trial], bool]
    ) -> None:
        """Writes that the trial runs.

        Args:
            trial: The trial, as it stood when it was last written.
            write: Keeps how it stands.
            is_bad: Whether it should be stopped.
        """
        self.trial = trial
        self._write = write
        self._is_bad = is_bad
        self._start = time.monotonic() - trial.seconds
        self._change(trial)

    @property
    def step(self) -> int:
        """Step of the last evaluation with a finite objective; 0 before the first."""
        return self.trial.evaluations[-1][0] if self.trial.evaluations else 0

    def evaluated(self, checkpoint_path: str, metrics: Mapping[str, Any], *, is_last: bool) -> None:
        """Keeps an evaluation.

        Args:
            checkpoint_path: What was evaluated.
            metrics: The objective, `loss` and `global_step`.
            is_last: Whether the training is at its end, so that nothing is won by stopping it.

        Raises:
            StoppedEarlyError: If the trial is bad.
            UnknownMetricError: If the model has no such objective.
        """
        value = metric_value(metrics, self.trial.objective, "tuner.objective")
        if math.isfinite(value):
            self._change(self.trial.evaluated(int(metrics["global_step"]), value))
            if not is_last and self._is_bad(self.trial):
                raise StoppedEarlyError

    def ended(self, state: State, error: Exception | None = None) -> None:
        """Keeps how the trial ended; one without an evaluation to judge it by has failed."""
        cause = one_line(error)[:_LONGEST_ERROR] if error else None
        if cause is None and self.trial.score is None:
            state, cause = "failed", f"no evaluation had a finite {self.trial.objective}"
        self._change(self.trial.ended(state, cause))

    def _change(self, trial: Trial) -> None:
        self.trial = dataclasses.replace(trial, seconds=time.monotonic() - self._start)
        self._write(self.trial)
