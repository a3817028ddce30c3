"""Sweeps on the small transformed dataset, as TFX runs them, and the trials that they leave."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tfx.components.trainer.fn_args_utils import FnArgs

from tests.helpers.model_graphs import WARNINGS
from tests.helpers.training_data import SETTINGS
from trainer import tuner as tuner_module
from trainer.training.estimator import make_estimator
from trainer.tuner import EstimatorTuner, tuner_fn

SWEEP_WARNINGS = [
    *WARNINGS,
    # KerasTuner uses deprecated names of threads.
    pytest.mark.filterwarnings("ignore:(currentThread|getName)\\(\\) is deprecated"),
]

RATES = {"model.learning_rate": {"log_uniform": [0.01, 1.0]}}
SPACE = {**RATES, "model.hidden_units": {"values": [[8], [4, 4]]}}
SHORT = {**SETTINGS, "train": {**SETTINGS["train"], "steps": 20}}
Trials = list[dict[str, Any]]


def tuner_args(
    data_dir: Path,
    folder: Path,
    execution: int = 7,
    settings: Mapping[str, Any] = SHORT,
    **tuner: Any,
) -> FnArgs:
    """Makes TFX's arguments of an execution, whose trials go to `tuner_results`."""
    return FnArgs(
        working_dir=str(folder / "temp" / str(execution)),
        train_files=[str(data_dir / "examples" / "Split-train" / "*")],
        eval_files=[str(data_dir / "examples" / "Split-eval" / "*")],
        transform_graph_path=str(data_dir / "graph"),
        custom_config={
            "settings": dict(settings),
            "tuner": {"max_trials": 4, "space": SPACE, **tuner},
            "results_dir": str(folder / "tuner_results" / str(execution)),
        },
    )


def search(args: FnArgs) -> EstimatorTuner:
    """Runs the search as TFX does."""
    tuner: EstimatorTuner
    tuner, fit_kwargs = tuner_fn(args)
    tuner.search(**fit_kwargs)
    return tuner


def search_part(data_dir: Path, folder: Path, **tuner: Any) -> None:
    """Runs a search that is interrupted when its second trial begins."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tuner_module, "make_estimator", InterruptedMaker(at_trial=2))
        with pytest.raises(KeyboardInterrupt):
            search(tuner_args(data_dir, folder, **tuner))


def read_trials(folder: Path) -> Trials:
    """Reads the files of the trials, in the order of their folders."""
    return [json.loads(path.read_text()) for path in sorted(folder.glob("trials/*/trial.json"))]


def results(args: FnArgs) -> Trials:
    """Reads the trials of a search that has ended."""
    return read_trials(Path(args.custom_config["results_dir"]))


def unfinished(folder: Path) -> Trials:
    """Reads the trials of searches that have not ended."""
    return [
        trial
        for state_dir in (folder / "tuner_results" / "unfinished").glob("*")
        for trial in read_trials(state_dir)
    ]


def params(trials: Trials) -> list[dict[str, Any]]:
    return [trial["params"] for trial in trials]


class InterruptedMaker:
    """Takes the place of `make_estimator`; counts calls, and raises KeyboardInterrupt in one.

    Attributes:
        count: Number of calls.
    """

    def __init__(self, at_trial: int | None = None) -> None:
        self.count = 0
        self._at_trial = at_trial

    def __call__(self, *args: Any) -> Any:
        self.count += 1
        if self.count == self._at_trial:
            raise KeyboardInterrupt
        return make_estimator(*args)
