"""KerasTuner's oracles, which choose the settings of a sweep's trials."""

import sys
from typing import Any

import keras_tuner
from keras_tuner import oracles

from trainer.settings.tuner import TunerSettings


class _BayesianOracle(oracles.BayesianOptimizationOracle):
    """Chooses no settings twice: with the same seed, training would give the same result."""

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Chooses by the Gaussian process, or at random if its choice has been tried before."""
        choice: dict[str, Any] = super().populate_space(trial_id)
        if choice["values"] is not None and self._duplicate(choice["values"]):
            choice = self._random_populate_space()
        return choice


_ORACLES = {
    "random": oracles.RandomSearchOracle,
    "grid": oracles.GridSearchOracle,
    "bayesian": _BayesianOracle,
}


def make_oracle(settings: TunerSettings) -> keras_tuner.Oracle:
    """Makes the oracle of a sweep; with the same seed and results, it chooses the same settings."""
    direction = "min" if settings.best == "min" else "max"
    return _ORACLES[settings.method](
        objective=keras_tuner.Objective(settings.objective, direction),
        max_trials=settings.trial_limit,
        seed=settings.seed,
        hyperparameters=_make_space(settings),
        max_consecutive_failed_trials=sys.maxsize,
    )


def _make_space(settings: TunerSettings) -> keras_tuner.HyperParameters:
    space = keras_tuner.HyperParameters()
    for key, domain in settings.space.items():
        if domain.kind == "values":
            space.Choice(key, [settings.encode({key: value})[key] for value in domain.bounds])
        elif domain.kind == "integers":
            space.Int(key, *domain.bounds)
        else:
            sampling = "log" if domain.kind == "log_uniform" else "linear"
            space.Float(key, *domain.bounds, sampling=sampling)
    return space
