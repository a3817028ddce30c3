"""Oracles of a sweep, with a function instead of trainings."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from trainer.settings.tuner import TunerSettings, decode
from trainer.tuning.oracles import make_oracle

pytestmark = [
    # KerasTuner uses deprecated names of threads.
    pytest.mark.filterwarnings("ignore:(currentThread|getName)\\(\\) is deprecated"),
    # scikit-learn, when it fits a Gaussian process to few points.
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]

MIXED = {
    "model.learning_rate": {"log_uniform": [0.001, 1]},
    "model.hidden_units": {"values": [[8], [4, 4]]},
    "train.batch_size": {"integers": [1, 3]},
}
FINITE = {
    "model.seed": {"integers": [1, 3]},
    "model.optimizer": {"values": ["adam", "sgd", "ftrl"]},
}


def loss_of(params: Mapping[str, Any]) -> float:
    return abs(params.get("model.learning_rate", 0) - 0.1) + params.get("model.seed", 0)


def choose(folder: Path, **settings: Any) -> list[dict[str, Any]]:
    """Returns the settings of all trials that an oracle chooses."""
    oracle = make_oracle(TunerSettings.model_validate(settings))
    oracle.verbose = 0
    oracle._set_project_dir(str(folder), "oracle")
    chosen = []
    while (trial := oracle.create_trial("tuner0")).status != "STOPPED":
        chosen.append(decode(trial.hyperparameters.values))
        oracle.update_trial(trial.trial_id, {"loss": loss_of(chosen[-1])})
        trial.status = "COMPLETED"
        oracle.end_trial(trial)
    return chosen


@pytest.mark.parametrize("method", ["random", "bayesian"])
def test_make_oracle_covers_space(tmp_path: Path, method: str) -> None:
    chosen = choose(tmp_path, method=method, space=MIXED, max_trials=12)

    assert len(chosen) == 12
    assert {str(params["model.hidden_units"]) for params in chosen} == {"[8]", "[4, 4]"}
    assert {params["train.batch_size"] for params in chosen} == {1, 2, 3}
    rates = [params["model.learning_rate"] for params in chosen]
    assert 0.001 <= min(rates) < 0.1 < max(rates) <= 1


def test_make_oracle_log_uniform(tmp_path: Path) -> None:
    space = {"model.learning_rate": {"log_uniform": [0.001, 1]}}

    rates = [p["model.learning_rate"] for p in choose(tmp_path, space=space, max_trials=60)]

    for low in (0.001, 0.01, 0.1):
        assert 10 <= sum(low <= rate < 10 * low for rate in rates) <= 30


def test_make_oracle_uniform(tmp_path: Path) -> None:
    space = {"model.learning_rate": {"uniform": [0.5, 1.5]}}

    rates = [p["model.learning_rate"] for p in choose(tmp_path, space=space, max_trials=60)]

    assert min(rates) >= 0.5
    assert max(rates) <= 1.5
    assert 20 <= sum(rate < 1 for rate in rates) <= 40


def test_make_oracle_grid_is_complete(tmp_path: Path) -> None:
    chosen = choose(tmp_path, method="grid", space=FINITE)

    points = [(params["model.seed"], params["model.optimizer"]) for params in chosen]
    assert sorted(points) == [(s, o) for s in (1, 2, 3) for o in ("adam", "ftrl", "sgd")]


def test_make_oracle_grid_respects_max_trials(tmp_path: Path) -> None:
    assert len(choose(tmp_path, method="grid", space=FINITE, max_trials=4)) == 4


@pytest.mark.parametrize("method", ["random", "bayesian"])
def test_make_oracle_has_no_duplicates(tmp_path: Path, method: str) -> None:
    chosen = choose(tmp_path, method=method, space=FINITE, max_trials=50)

    assert 7 <= len(chosen) <= 9
    assert len({str(params) for params in chosen}) == len(chosen)


@pytest.mark.parametrize("method", ["random", "bayesian"])
def test_make_oracle_depends_on_seed(tmp_path: Path, method: str) -> None:
    def chosen(folder: str, seed: int) -> list[dict[str, Any]]:
        space = {"model.learning_rate": {"log_uniform": [0.001, 1]}}
        return choose(tmp_path / folder, method=method, space=space, max_trials=5, seed=seed)

    assert chosen("a", 3) == chosen("b", 3)
    assert chosen("c", 4) != chosen("d", 3)


def test_make_oracle_bayesian_learns(tmp_path: Path) -> None:
    space = {"model.learning_rate": {"log_uniform": [0.0001, 10]}}
    chosen = choose(tmp_path, method="bayesian", space=space, max_trials=12)

    # The space has five orders of magnitude; 0.07 to 0.13 is a twentieth of it.
    assert min(loss_of(params) for params in chosen[3:]) < 0.03


@pytest.mark.parametrize(("best", "seed"), [("min", 1), ("max", 3)])
def test_make_oracle_uses_objective_is(tmp_path: Path, best: str, seed: int) -> None:
    space = {"model.seed": {"values": [1, 3]}}
    settings = {"method": "grid", "objective": "mine", "objective_is": best, "space": space}
    oracle = make_oracle(TunerSettings.model_validate(settings))
    oracle.verbose = 0
    oracle._set_project_dir(str(tmp_path), "oracle")
    while (trial := oracle.create_trial("tuner0")).status != "STOPPED":
        oracle.update_trial(trial.trial_id, {"mine": loss_of(decode(trial.hyperparameters.values))})
        trial.status = "COMPLETED"
        oracle.end_trial(trial)

    (trial,) = oracle.get_best_trials()

    assert decode(trial.hyperparameters.values) == {"model.seed": seed}
