"""Reads the trials of a sweep from the files that Tuner writes while it is running.

<folder>/trials/<number>/trial.json    the attributes of `Trial` without the metrics
<folder>/trials/<number>/              event files, as an Estimator writes them
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from tracking.projection.event_files import CurveReader, Metric, best_points, list_files
from tracking.projection.metric_direction import to_best
from trainer.settings.train import Best

TrialState = Literal["running", "complete", "stopped", "failed"]


@dataclass
class Trial:
    """A trial of a sweep.

    Attributes:
        number: Number of the trial, starting at 1.
        params: The settings that it tries, by dotted key.
        state: Whether it is running, or how it ended.
        start_ms: When it began, milliseconds since the epoch.
        end_ms: When it ended; None while it is running.
        objective: The metric that the sweep optimizes.
        objective_is: Whether low or high values of the objective are best.
        score: The best value of the objective; None if there is none yet.
        step: The step of the best value.
        error: If it failed, the cause in one line.
        metrics: Points of its curves that have not been read before.
    """

    number: int
    params: Mapping[str, Any]
    state: TrialState
    start_ms: int
    end_ms: int | None
    objective: str
    objective_is: Best
    score: float | None
    step: int | None
    error: str | None
    metrics: list[Metric] = field(default_factory=list)


_FIELDS = [field.name for field in fields(Trial) if field.name != "metrics"]


class TrialReader:
    """Reads the trials of one sweep, each change once."""

    def __init__(self) -> None:
        """Starts with nothing read."""
        self._curves: dict[int, CurveReader] = {}
        self._evaluated: dict[int, list[Metric]] = {}
        self._read: dict[int, str] = {}
        self._known: dict[int, Trial] = {}

    def read(self, folder: Path) -> Iterator[Trial]:
        """Reads what has changed since the last call.

        Args:
            folder: The folder of the sweep; it may have been moved since the last call.

        Yields:
            Trials that are new, have new points, or have ended.
        """
        for path in list_files(folder, "trials/*/trial.json"):
            try:
                text = path.read_text("utf-8")
            except FileNotFoundError:  # moved since it was listed
                return
            values = json.loads(text)
            values["objective_is"] = to_best(values["objective_is"])
            trial = Trial(**{name: values[name] for name in _FIELDS})
            curves = self._curves.setdefault(trial.number, CurveReader())
            trial.metrics = list(curves.read(path.parent))
            evaluated = self._evaluated.setdefault(trial.number, [])
            evaluated.extend(trial.metrics)
            if trial.metrics or text != self._read.get(trial.number):
                self._read[trial.number] = text
                self._known[trial.number] = trial
                if trial.end_ms is not None:
                    trial.metrics.extend(best_points(evaluated))
                yield trial

    def best(self) -> Trial | None:
        """Finds the complete trial with the best score among those read; None if there is none."""
        scored = [
            trial
            for trial in self._known.values()
            if trial.state == "complete" and trial.score is not None
        ]
        if not scored:
            return None
        sign = -1 if scored[0].objective_is == "min" else 1
        return max(scored, key=lambda trial: (sign * (trial.score or 0.0), -trial.number))
