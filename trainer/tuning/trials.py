"""Trials of a sweep and their files: settings, evaluations and outcome."""

import dataclasses
import json
import os
import statistics
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import tensorflow as tf

from trainer.settings.train import Best, is_better

TRIAL_FILE = "trial.json"
_CURVES = "events.out.tfevents."
_EVAL_DIR = "eval"  # where Estimator writes the curves of its evaluations

State = Literal["running", "complete", "stopped", "failed"]


@dataclass(frozen=True)
class Trial:
    """A training with settings that the search chose.

    Attributes:
        number: Position in the order in which trials began, from 1.
        params: Chosen values by dotted setting.
        objective: Name of the metric that decides which trial is best.
        objective_is: Whether the lowest or the highest value is best.
        start_ms: Time of the first start, milliseconds since 1970.
        end_ms: Time of the end; None while the trial runs.
        state: `stopped` means stopped early by the median rule.
        score: Best value of the objective; None before the first evaluation.
        step: Step of the evaluation with the best value.
        error: Error of a failed trial.
        evaluations: Step and objective of every evaluation with a finite objective.
        seconds: Time spent on the trial, before a kill included, up to the last evaluation or the
            end.
    """

    number: int
    params: Mapping[str, Any]
    objective: str
    objective_is: Best
    start_ms: int
    end_ms: int | None = None
    state: State = "running"
    score: float | None = None
    step: int | None = None
    error: str | None = None
    evaluations: tuple[tuple[int, float], ...] = ()
    seconds: float = 0.0

    def evaluated(self, step: int, value: float) -> "Trial":
        """Returns the trial with one more evaluation."""
        trial = dataclasses.replace(self, evaluations=(*self.evaluations, (step, value)))
        if self.score is not None and not is_better(self.objective_is, value, self.score):
            return trial
        return dataclasses.replace(trial, score=value, step=step)

    def ended(self, state: State, error: str | None = None) -> "Trial":
        """Returns the trial with its end."""
        return dataclasses.replace(self, state=state, error=error, end_ms=now_ms())


def now_ms() -> int:
    """Returns the current time in milliseconds since 1970."""
    return int(time.time() * 1000)


def is_worse_than_median(trial: Trial, others: Iterable[Trial], min_others: int) -> bool:
    """Whether the median rule stops a trial.

    It stops a trial whose best evaluation so far is worse than the median of the complete trials'
    evaluations at the trial's last step. The score of a stopped trial is never the best of the
    sweep, since another trial had a better value at that step.

    Source: Optuna's MedianPruner, after the median stopping rule in Golovin et al., "Google Vizier:
    A Service for Black-Box Optimization" (2017), section 3.2.2, which uses running averages.

    Args:
        trial: The trial.
        others: The other trials; only complete ones are compared.
        min_others: The rule needs at least this many complete trials with an evaluation at the
            step.
    """
    if trial.score is None:
        return False
    last_step, _ = trial.evaluations[-1]
    values = [
        value
        for other in others
        if other.state == "complete"
        for step, value in other.evaluations
        if step == last_step
    ]
    return len(values) >= min_others and is_better(
        trial.objective_is, statistics.median(values), trial.score
    )


def trial_dir(trials_dir: str, number: int) -> str:
    """Returns the path of a trial's folder."""
    return os.path.join(trials_dir, f"{number:03d}")


def write_trial(trials_dir: str, trial: Trial) -> None:
    """Writes the trial's file, by renaming, so that no reader sees it half-written."""
    path = os.path.join(trial_dir(trials_dir, trial.number), TRIAL_FILE)
    tf.io.gfile.makedirs(os.path.dirname(path))
    with tf.io.gfile.GFile(f"{path}.new", "w") as file:
        file.write(json.dumps(dataclasses.asdict(trial), indent=2))
    tf.io.gfile.rename(f"{path}.new", path, overwrite=True)


def read_trials(trials_dir: str) -> dict[int, Trial]:
    """Reads all trials that have begun, by number."""
    trials = {}
    for path in sorted(tf.io.gfile.glob(os.path.join(trials_dir, "*", TRIAL_FILE))):
        with tf.io.gfile.GFile(path) as file:
            values = json.loads(file.read())
        values["evaluations"] = tuple((step, value) for step, value in values["evaluations"])
        trials[values["number"]] = Trial(**values)
    return trials


def remove_checkpoints(trials_dir: str, number: int) -> None:
    """Removes everything from a trial's folder except its file and the event files."""
    folder = trial_dir(trials_dir, number)
    for name in tf.io.gfile.listdir(folder):
        name = name.rstrip("/")
        if name not in (TRIAL_FILE, _EVAL_DIR) and not name.startswith(_CURVES):
            path = os.path.join(folder, name)
            (tf.io.gfile.rmtree if tf.io.gfile.isdir(path) else tf.io.gfile.remove)(path)
