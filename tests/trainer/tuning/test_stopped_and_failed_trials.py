"""Trials that the median rule stops, and trials that fail."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from keras_tuner.errors import FatalError

from tests.helpers.sweeps import (
    SWEEP_WARNINGS,
    InterruptedMaker,
    results,
    search,
    tuner_args,
    unfinished,
)
from tests.helpers.training_data import SETTINGS, scalars
from trainer import tuner as tuner_module
from trainer.tuning.progress import TrialProgress

pytestmark = SWEEP_WARNINGS


def test_trial_worse_than_median_is_stopped(data_dir: Path, tmp_path: Path) -> None:
    rates = [0.5, 0.6, 1e-6, 0.4]
    space = {"model.learning_rate": {"values": rates}}
    args = tuner_args(
        data_dir, tmp_path, method="grid", space=space, stop_bad_trials=2, settings=SETTINGS
    )

    tuner = search(args)

    trials = results(args)
    assert [trial["params"]["model.learning_rate"] for trial in trials] == rates
    assert [trial["state"] for trial in trials][:3] == ["complete", "complete", "stopped"]
    assert [step for step, _ in trials[2]["evaluations"]] == [20]
    assert (trials[2]["step"], trials[2]["error"]) == (20, None)
    folder = Path(args.custom_config["results_dir"], "trials", "003")
    assert [step for step, _ in scalars(folder / "eval")["loss"]] == [20]
    assert max(step for step, _ in scalars(folder)["loss"]) <= 20
    assert {path.name.partition(".tfevents")[0] for path in folder.iterdir()} == {
        "trial.json",
        "eval",
        "events.out",
    }
    assert tuner.get_best_hyperparameters()[0].get("model.learning_rate") != "1e-06"


@pytest.mark.slow
@pytest.mark.parametrize("stop_bad_trials", [3, None])
def test_no_trial_is_stopped_before_enough_complete(
    data_dir: Path, tmp_path: Path, stop_bad_trials: int | None
) -> None:
    space = {"model.learning_rate": {"values": [0.5, 0.6, 1e-6]}}
    args = tuner_args(
        data_dir,
        tmp_path,
        method="grid",
        space=space,
        stop_bad_trials=stop_bad_trials,
        settings=SETTINGS,
    )

    search(args)

    assert [trial["state"] for trial in results(args)] == ["complete"] * 3


DIVERGING = {"model.optimizer": {"values": ["sgd"]}}


def test_failed_trial_does_not_end_sweep(data_dir: Path, tmp_path: Path) -> None:
    space = {**DIVERGING, "model.learning_rate": {"values": [1e30, 0.1]}}
    args = tuner_args(data_dir, tmp_path, method="grid", space=space)

    tuner = search(args)

    failed, complete = results(args)
    assert failed["state"] == "failed"
    assert failed["error"].startswith("NanLossDuringTrainingError: NaN loss")
    assert failed["end_ms"] >= failed["start_ms"]
    assert complete["state"] == "complete"
    assert tuner.get_best_hyperparameters()[0].get("model.learning_rate") == "0.1"


@pytest.mark.slow
def test_sweep_of_failed_trials_fails_and_restarts(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = {**DIVERGING, "model.learning_rate": {"values": [1e30, 1e31]}}
    counter = InterruptedMaker()
    monkeypatch.setattr(tuner_module, "make_estimator", counter)

    for execution in (7, 8):
        with pytest.raises(RuntimeError, match=r"^every trial failed \(2\); the first: NanLoss"):
            search(tuner_args(data_dir, tmp_path, execution, method="grid", space=space))

    assert counter.count == 4


def test_trial_without_finite_evaluation_fails(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluated = TrialProgress.evaluated

    def without_value(
        self: TrialProgress, path: str, metrics: Mapping[str, Any], *, is_last: bool
    ) -> None:
        evaluated(self, path, {**metrics, "loss": float("nan")}, is_last=is_last)

    monkeypatch.setattr(TrialProgress, "evaluated", without_value)

    with pytest.raises(RuntimeError, match="the first: no evaluation had a finite loss"):
        search(tuner_args(data_dir, tmp_path, max_trials=1))


def test_cancelled_trial_is_not_failed(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cancel(*_: Any) -> None:
        raise tf.errors.CancelledError(None, None, "as TensorFlow does after an interrupt")

    monkeypatch.setattr(tuner_module, "make_estimator", cancel)

    with pytest.raises(FatalError, match="trial 1 was cancelled"):
        search(tuner_args(data_dir, tmp_path))

    assert [trial["state"] for trial in unfinished(tmp_path)] == ["running"]


def test_unknown_objective_ends_sweep(data_dir: Path, tmp_path: Path) -> None:
    args = tuner_args(data_dir, tmp_path, objective="auc")

    with pytest.raises(FatalError, match=r"tuner.objective: .* 'auc' \(it has: accuracy, loss\)"):
        search(args)

    assert len(unfinished(tmp_path)) == 1
