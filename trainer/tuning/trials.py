"""The trials of a sweep as files: what each was given, how it went, and how it ended."""

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
        number: Counted from 1, in the order in which the trials began.
        params: Dotted setting to value.
        objective: What the best trial is best in.
        objective_is: Which value of that is the best.
        start_ms: When it first began, milliseconds since 1970.
        end_ms: When it ended; None while it runs.
        state: `stopped` is what the median rule ended early.
        score: The objective at its best evaluation; None before the first.
        step: Training step of that evaluation.
        error: What a failed one failed of.
        evaluations: Step and objective of every evaluation whose objective is finite.
        seconds: Time spent on it, in all sessions, up to the last evaluation or the end.
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
        """Gives the trial with one more evaluation."""
        trial = dataclasses.replace(self, evaluations=(*self.evaluations, (step, value)))
        if self.score is not None and not is_better(self.objective_is, value, self.score):
            return trial
        return dataclasses.replace(trial, score=value, step=step)

    def ended(self, state: State, error: str | None = None) -> "Trial":
        """Gives the trial as it is once it has ended."""
        return dataclasses.replace(self, state=state, error=error, end_ms=now_ms())


def now_ms() -> int:
    """Gives the time, milliseconds since 1970."""
    return int(time.time() * 1000)


def is_bad(trial: Trial, others: Iterable[Trial], least_others: int) -> bool:
    """Whether a trial should be stopped, by the median rule.

    Its best evaluation so far is compared with the median of the complete trials' evaluations at
    its last step: it is bad if worse. A trial stopped so cannot be the best of a sweep, since some
    other was better already at that step.

    Source: Optuna's MedianPruner, after the median stopping rule in Golovin et al., "Google Vizier:
    A Service for Black-Box Optimization" (2017), section 3.2.2, which has running averages instead.

    Args:
        trial: The trial.
        others: The other trials.
        least_others: With fewer complete trials than these evaluated at that step, none is bad.
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
    return len(values) >= least_others and is_better(
        trial.objective_is, statistics.median(values), trial.score
    )


def trial_dir(trials_dir: str, number: int) -> str:
    """Names the folder of a trial."""
    return os.path.join(trials_dir, f"{number:03d}")


def write_trial(trials_dir: str, trial: Trial) -> None:
    """Writes `trial.json`, in one rename."""
    path = os.path.join(trial_dir(trials_dir, trial.number), TRIAL_FILE)
    tf.io.gfile.makedirs(os.path.dirname(path))
    with tf.io.gfile.GFile(f"{path}.new", "w") as file:
        file.write(json.dumps(dataclasses.asdict(trial), indent=2))
    tf.io.gfile.rename(f"{path}.new", path, overwrite=True)


def read_trials(trials_dir: str) -> dict[int, Trial]:
    """Reads the trials that have begun, by number."""
    trials = {}
    for path in sorted(tf.io.gfile.glob(os.path.join(trials_dir, "*", TRIAL_FILE))):
        with tf.io.gfile.GFile(path) as file:
            values = json.loads(file.read())
        values["evaluations"] = tuple((step, value) for step, value in values["evaluations"])
        trials[values["number"]] = Trial(**values)
    return trials


def keep_curves(trials_dir: str, number: int) -> None:
    """Removes from a trial's folder all but `trial.json` and the event files."""
    folder = trial_dir(trials_dir, number)
    for name in tf.io.gfile.listdir(folder):
        name = name.rstrip("/")
        if name not in (TRIAL_FILE, _EVAL_DIR) and not name.startswith(_CURVES):
            path = os.path.join(folder, name)
            (tf.io.gfile.rmtree if tf.io.gfile.isdir(path) else tf.io.gfile.remove)(path)
