"""Settings of a sweep; their errors are tested with the configuration that holds them."""

import json
from typing import Any

import pytest

from trainer.settings.tuner import TunerSettings, decode


@pytest.mark.parametrize(
    ("settings", "limit"),
    [
        ({"max_trials": 5, "space": {"a": {"uniform": [0, 1]}}}, 5),
        ({"max_minutes": 5, "space": {"a": {"uniform": [0, 1]}}}, 10**6),
        ({"max_trials": 50, "space": {"a": {"values": [1, 2]}, "b": {"integers": [3, 5]}}}, 6),
        ({"method": "grid", "space": {"a": {"values": [1, 2]}, "b": {"integers": [3, 5]}}}, 6),
        ({"method": "grid", "max_trials": 4, "space": {"b": {"integers": [1, 9]}}}, 4),
    ],
    ids=str,
)
def test_trial_limit_is_budget_or_all(settings: dict[str, Any], limit: int) -> None:
    assert TunerSettings.model_validate(settings).trial_limit == limit


@pytest.mark.parametrize(
    "values", [[1, 2], [0.1, 1], ["adam", "sgd"], [[1], [2, 3]], [True, None], [[[1.5]], "[1]"]]
)
def test_decode_reverses_encode(values: list[Any]) -> None:
    settings = TunerSettings.model_validate(
        {
            "max_trials": 1,
            "space": {"a": {"values": values}, "b": {"integers": [1, 2]}, "c": {"uniform": [0, 1]}},
        }
    )
    params = {"a": values[-1], "b": 2, "c": 0.1}

    encoded = settings.encode(params)

    assert isinstance(encoded["a"], str)
    assert decode(json.loads(json.dumps(encoded))) == params


def test_tuner_settings_json_round_trip() -> None:
    settings = TunerSettings.model_validate(
        {
            "max_minutes": 1,
            "space": {
                "a": {"values": [[1], [2]]},
                "b": {"integers": [1, 2]},
                "c": {"uniform": [0, 1]},
                "d": {"log_uniform": [1, 10]},
            },
        }
    )

    assert TunerSettings.model_validate(json.loads(settings.model_dump_json())) == settings


@pytest.mark.parametrize(
    ("objective", "objective_is", "best"),
    [
        *[(name, None, "min") for name in ("loss", "average_loss", "rmse", "mae")],
        *[(name, None, "max") for name in ("accuracy", "auc", "precision", "recall", "r2")],
        ("f1", "max", "max"),
        ("hinge", "min", "min"),
        ("loss", "min", "min"),
    ],
)
def test_best_is_looked_up_or_set(objective: str, objective_is: str | None, best: str) -> None:
    settings = TunerSettings.model_validate(
        {
            "max_trials": 1,
            "space": {"a": {"values": [1]}},
            "objective": objective,
            "objective_is": objective_is,
        }
    )

    assert settings.best == best
