"""Sweeps that were interrupted or killed, and the next execution that continues them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from tests.helpers.sweeps import (
    RATES,
    SPACE,
    SWEEP_WARNINGS,
    InterruptedMaker,
    params,
    results,
    search,
    search_part,
    tuner_args,
    unfinished,
)
from tests.helpers.training_data import SETTINGS
from trainer import tuner as tuner_module
from trainer.tuning.progress import TrialProgress

pytestmark = SWEEP_WARNINGS

GRID = {"model.hidden_units": {"values": [[8], [4, 4]]}, "train.batch_size": {"integers": [15, 16]}}
METHODS = [
    {"method": "random", "space": SPACE, "max_trials": 3},
    {"method": "grid", "space": GRID, "max_trials": None},
    # Three random trials, then the Gaussian process.
    {"method": "bayesian", "space": RATES, "max_trials": 4},
]


@pytest.mark.slow
@pytest.mark.parametrize("sweep", METHODS, ids=lambda sweep: sweep["method"])
def test_interrupted_sweep_continues(
    data_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sweep: dict[str, Any],
) -> None:
    whole = tuner_args(data_dir, tmp_path / "whole", **sweep)
    search(whole)
    monkeypatch.setattr(tuner_module, "make_estimator", InterruptedMaker(at_trial=3))
    with pytest.raises(KeyboardInterrupt):
        search(tuner_args(data_dir, tmp_path / "parts", **sweep))
    before = unfinished(tmp_path / "parts")
    monkeypatch.undo()
    counter = InterruptedMaker()
    monkeypatch.setattr(tuner_module, "make_estimator", counter)

    args = tuner_args(data_dir, tmp_path / "parts", execution=8, **sweep)
    search(args)

    assert [trial["state"] for trial in before] == ["complete", "complete", "running"]
    assert counter.count == len(results(whole)) - 2
    assert results(args)[:2] == before[:2]
    assert [trial["start_ms"] for trial in results(args)[:3]] == [t["start_ms"] for t in before]
    for key in ("params", "score", "evaluations", "state"):
        assert [t[key] for t in results(args)] == [t[key] for t in results(whole)]
    assert len({str(chosen) for chosen in params(results(whole))}) == (sweep["max_trials"] or 4)
    assert os.listdir(tmp_path / "parts" / "tuner_results") == ["8"]


_SEARCH = """
import json, sys
from tfx.components.trainer.fn_args_utils import FnArgs
from trainer.tuner import tuner_fn
tuner_fn(FnArgs(**json.loads(sys.argv[1]))).tuner.search()
"""


def wait_for(condition: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    while not condition():
        if process.poll() is not None:
            pytest.fail(process.communicate()[1])
        time.sleep(0.01)


@pytest.mark.slow
def test_killed_sweep_continues_from_checkpoint(data_dir: Path, tmp_path: Path) -> None:
    # The second trial is long enough to be killed in training.
    sweep = {
        "method": "grid",
        "space": {"train.steps": {"values": [20, 200]}, "model.seed": {"values": [1]}},
        "max_trials": None,
    }
    args = tuner_args(data_dir, tmp_path, **sweep)
    values = {key: value for key, value in vars(args).items() if value is not None}
    process = subprocess.Popen(
        [sys.executable, "-c", _SEARCH, json.dumps(values)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )

    def is_midway() -> bool:
        trials = unfinished(tmp_path)
        return len(trials) == 2 and len(trials[1]["evaluations"]) >= 2

    wait_for(is_midway, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    before = unfinished(tmp_path)
    assert [trial["state"] for trial in before] == ["complete", "running"]
    again = tuner_args(data_dir, tmp_path, execution=8, **sweep)

    search(again)

    first, second = results(again)
    assert first == before[0]
    assert [step for step, _ in second["evaluations"]] == [*range(20, 201, 20)]
    known = before[1]["evaluations"]
    assert second["evaluations"][: len(known)] == known
    assert second["seconds"] > before[1]["seconds"]
    trial_dir = Path(again.custom_config["results_dir"], "trials", "002")
    *_, last_events = sorted(trial_dir.glob("events.out.tfevents.*"))
    events = tf.compat.v1.train.summary_iterator(str(last_events))
    assert min(event.step for event in events if event.step) >= known[-1][0]


def test_interrupted_evaluation_is_repeated(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(TrialProgress, "evaluated", interrupt)
    with pytest.raises(KeyboardInterrupt):
        search(tuner_args(data_dir, tmp_path, max_trials=1, settings=SETTINGS))
    monkeypatch.undo()
    args = tuner_args(data_dir, tmp_path, execution=8, max_trials=1, settings=SETTINGS)

    search(args)

    (trial,) = results(args)
    assert [step for step, _ in trial["evaluations"]] == [20, 40]


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [{"seed": 2}, {"objective": "accuracy"}],
    ids=lambda change: next(iter(change)),
)
def test_other_sweep_does_not_continue(
    data_dir: Path, tmp_path: Path, change: dict[str, Any]
) -> None:
    search_part(data_dir, tmp_path)

    args = tuner_args(data_dir, tmp_path, execution=8, **{"max_trials": 1, **change})
    search(args)

    (trial,) = results(args)
    assert trial["start_ms"] > unfinished(tmp_path)[1]["start_ms"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("budget", "n_trials"),
    [({"max_trials": 1}, 2), ({"max_trials": 3}, 3), ({"max_minutes": 1e-6}, 2)],
    ids=str,
)
def test_interrupted_sweep_continues_with_other_budget(
    data_dir: Path, tmp_path: Path, budget: dict[str, Any], n_trials: int
) -> None:
    search_part(data_dir, tmp_path)
    first, _ = unfinished(tmp_path)

    args = tuner_args(data_dir, tmp_path, execution=8, **budget)
    search(args)

    # A trial that has begun is completed whatever the budget.
    assert results(args)[0] == first
    assert [trial["state"] for trial in results(args)] == ["complete"] * n_trials
