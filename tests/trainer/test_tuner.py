"""The Tuner's entry point: real trials on a small transformed dataset."""

import json
import os
import time
from pathlib import Path

import pytest

from tests.helpers.sweeps import (
    SPACE,
    SWEEP_WARNINGS,
    Trials,
    params,
    read_trials,
    results,
    search,
    tuner_args,
)
from tests.helpers.training_data import SETTINGS, scalars
from trainer.run import run_fn
from trainer.tuner import EstimatorTuner

pytestmark = SWEEP_WARNINGS


@pytest.fixture(scope="module")
def sweep_dir(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sweep")


@pytest.fixture(scope="module")
def sweep(data_dir: Path, sweep_dir: Path) -> EstimatorTuner:
    """A search that has ended."""
    return search(tuner_args(data_dir, sweep_dir, objective="accuracy", settings=SETTINGS))


@pytest.fixture(scope="module")
def trials(sweep: EstimatorTuner, sweep_dir: Path) -> Trials:
    return read_trials(sweep_dir / "tuner_results" / "7")


def test_tuner_fn_numbers_trials_in_order(trials: Trials, sweep_dir: Path) -> None:
    folder = sweep_dir / "tuner_results" / "7" / "trials"

    assert sorted(path.name for path in folder.iterdir()) == ["001", "002", "003", "004"]
    assert [trial["number"] for trial in trials] == [1, 2, 3, 4]
    assert [trial["state"] for trial in trials] == ["complete"] * 4
    times = [time for trial in trials for time in (trial["start_ms"], trial["end_ms"])]
    assert times == sorted(times)
    assert time.time() * 1000 - 600_000 < times[0]


def test_tuner_fn_chooses_from_space(trials: Trials) -> None:
    for chosen in params(trials):
        assert set(chosen) == set(SPACE)
        assert chosen["model.hidden_units"] in [[8], [4, 4]]
        assert 0.01 <= chosen["model.learning_rate"] <= 1
    assert len({str(chosen) for chosen in params(trials)}) == 4


def test_tuner_fn_score_is_best_evaluation(trials: Trials, sweep_dir: Path) -> None:
    for trial in trials:
        folder = sweep_dir / "tuner_results" / "7" / "trials" / f"{trial['number']:03d}"
        points = scalars(folder / "eval")["accuracy"]

        assert [step for step, _ in points] == [20, 40]
        best = max(value for _, value in points)
        assert (trial["objective"], trial["score"]) == ("accuracy", best)
        assert trial["step"] == next(step for step, value in points if value == best)


def test_tuner_fn_keeps_only_curves(trials: Trials, sweep_dir: Path) -> None:
    for number in range(1, len(trials) + 1):
        folder = sweep_dir / "tuner_results" / "7" / "trials" / f"{number:03d}"
        kinds = {path.name.partition(".tfevents")[0] for path in folder.rglob("*")}

        assert kinds == {"trial.json", "eval", "events.out"}
        steps = [step for step, _ in scalars(folder)["loss"]]
        assert steps[0] in (0, 1)
        assert steps[-1] >= 30


def test_tuner_fn_leaves_no_unfinished_dir(sweep: EstimatorTuner, sweep_dir: Path) -> None:
    assert os.listdir(sweep_dir / "tuner_results") == ["7"]


def test_tuner_fn_finds_best_trial(sweep: EstimatorTuner, trials: Trials) -> None:
    best = max(trials, key=lambda trial: float(trial["score"]))
    (found,) = sweep.get_best_hyperparameters()

    assert found.get("model.learning_rate") == best["params"]["model.learning_rate"]
    assert json.loads(found.get("model.hidden_units")) == best["params"]["model.hidden_units"]


@pytest.mark.parametrize("rank", [0, -1])
def test_run_fn_repeats_training_of_trial(
    data_dir: Path, tmp_path: Path, sweep: EstimatorTuner, sweep_dir: Path, rank: int
) -> None:
    trial = sweep.oracle.get_best_trials(4)[rank]
    trial_dir = sweep_dir / "tuner_results" / "7" / "trials" / f"{int(trial.trial_id) + 1:03d}"
    args = tuner_args(data_dir, tmp_path, settings=SETTINGS)
    args.transform_output = args.transform_graph_path
    args.serving_model_dir = str(tmp_path / "model" / "8")
    args.model_run_dir = str(tmp_path / "model_run" / "8")
    # TFX passes them on as JSON.
    args.hyperparameters = json.loads(json.dumps(trial.hyperparameters.get_config()))

    run_fn(args)

    for tag in ("loss", "accuracy"):
        expected = scalars(trial_dir / "eval")[tag]
        assert scalars(Path(args.model_run_dir, "eval"))[tag] == expected


def test_tuner_fn_searches_nested_settings(data_dir: Path, tmp_path: Path) -> None:
    train = {**SETTINGS["train"], "steps": 100, "early_stopping": {"min_change": 100.0}}
    space = {"train.early_stopping.evaluations": {"values": [1, 2]}}
    args = tuner_args(
        data_dir, tmp_path, method="grid", space=space, settings={**SETTINGS, "train": train}
    )

    search(args)

    # No evaluation improves by that much on the first one, at step 20.
    steps = [[step for step, _ in trial["evaluations"]] for trial in results(args)]
    assert steps == [[20, 40], [20, 40, 60]]
    assert [trial["state"] for trial in results(args)] == ["complete", "complete"]


def test_max_minutes_ends_sweep(data_dir: Path, tmp_path: Path) -> None:
    args = tuner_args(data_dir, tmp_path, max_trials=None, max_minutes=1e-6)

    search(args)

    (trial,) = results(args)
    assert trial["state"] == "complete"
    assert trial["seconds"] > 1e-6 * 60
