"""Settings of the model and its training."""

import copy
from typing import Any

import pytest
from pydantic import ValidationError

from trainer.settings.train import (
    ModelSettings,
    TrainerSettings,
    TrainSettings,
    apply_overrides,
)


@pytest.mark.parametrize(
    ("section", "values"),
    [
        (ModelSettings, {"hidden_unit": [10]}),
        (ModelSettings, {"hidden_units": []}),
        (ModelSettings, {"hidden_units": [0]}),
        (ModelSettings, {"hidden_units": ["10"]}),
        (ModelSettings, {"hidden_units": 10}),
        (ModelSettings, {"optimizer": "Adagrad"}),
        (ModelSettings, {"learning_rate": 0}),
        (ModelSettings, {"learning_rate": float("inf")}),
        (ModelSettings, {"learning_rate": float("nan")}),
        (ModelSettings, {"learning_rate": "0.1"}),
        (ModelSettings, {"seed": -1}),
        (ModelSettings, {"seed": 2**31}),
        (ModelSettings, {"seed": True}),
        (TrainSettings, {"steps": 0}),
        (TrainSettings, {"steps": 1.0}),
        (TrainSettings, {"steps": "200"}),
        (TrainSettings, {"batch_size": 0}),
        (TrainSettings, {"eval_every_steps": 0}),
        (TrainSettings, {"summary_every_steps": 0}),
        (TrainerSettings, {"label": "y", "features": {"x": "words"}}),
        (TrainerSettings, {"label": "y"}),
    ],
    ids=str,
)
def test_settings_refuse_invalid_values(section: type, values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        section(**values)


@pytest.mark.parametrize(
    ("section", "values"),
    [
        (ModelSettings, {"hidden_units": [1, 100_000]}),
        (ModelSettings, {"learning_rate": 1}),
        (ModelSettings, {"seed": 2**31 - 1}),
        (TrainSettings, {"steps": 1, "batch_size": 1}),
    ],
    ids=str,
)
def test_settings_accept_bounds(section: type, values: dict[str, Any]) -> None:
    section(**values)


def test_settings_are_frozen() -> None:
    settings = TrainerSettings(label="y", features={"x": "numeric"})

    with pytest.raises(ValidationError, match="frozen"):
        settings.label = "z"
    with pytest.raises(ValidationError, match="frozen"):
        settings.model.seed = 2


def test_settings_hidden_units_are_a_tuple() -> None:
    assert ModelSettings(hidden_units=[3, 4]).hidden_units == (3, 4)


def test_trainer_settings_json_round_trip() -> None:
    settings = TrainerSettings(
        label="y",
        features={"b": "numeric", "a": "numeric"},
        model=ModelSettings(hidden_units=[3, 4], optimizer="adam", learning_rate=0.5, seed=7),
        train=TrainSettings(steps=9, batch_size=2, eval_every_steps=3, summary_every_steps=4),
    )

    assert TrainerSettings.model_validate(settings.model_dump(mode="json")) == settings


def test_raw_types_keep_order() -> None:
    settings = TrainerSettings(
        label="y", features={"b": "numeric", "i": "ignore", "a": {"kind": "categorical"}}
    )

    assert list(settings.raw_types.items()) == [("b", "float"), ("a", "bytes")]


SETTINGS: dict[str, Any] = {
    "label": "y",
    "features": {"x": "numeric"},
    "model": {"seed": 7, "schedule": {"kind": "exponential", "steps": 3}},
    "train": {"early_stopping": None},
}


@pytest.mark.parametrize(
    ("overrides", "model", "train"),
    [
        (
            {"model.hidden_units": [3], "train.steps": 9},
            {**SETTINGS["model"], "hidden_units": [3]},
            {"steps": 9},
        ),
        (
            {"model.schedule.rate": 0.5},
            {"seed": 7, "schedule": {"kind": "exponential", "steps": 3, "rate": 0.5}},
            {},
        ),
        (
            {"train.early_stopping.evaluations": 2},
            SETTINGS["model"],
            {"early_stopping": {"evaluations": 2}},
        ),
        (
            {"model.model_fn": "my.model_fn", "model.params.tower.depth": 3},
            {**SETTINGS["model"], "model_fn": "my.model_fn", "params": {"tower": {"depth": 3}}},
            {},
        ),
    ],
    ids=lambda value: ", ".join(value),
)
def test_apply_overrides_replaces_only_named(
    overrides: dict[str, Any], model: dict[str, Any], train: dict[str, Any]
) -> None:
    before = copy.deepcopy(SETTINGS)

    changed = apply_overrides(SETTINGS, overrides)

    assert changed.model == ModelSettings.model_validate(model)
    assert changed.train == TrainSettings.model_validate(train)
    assert before == SETTINGS


def test_apply_overrides_adds_required_settings() -> None:
    lacking = {**SETTINGS, "model": {"schedule": {"steps": 3}}}

    changed = apply_overrides(lacking, {"model.schedule.kind": "cosine"})

    assert changed.model == ModelSettings(schedule={"kind": "cosine", "steps": 3})


@pytest.mark.parametrize(
    "overrides", [{"model.depth": 1}, {"depth": 1}, {"deep.er": 1}, {"train.steps": 0}], ids=str
)
def test_apply_overrides_refuses_unknown_keys(overrides: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        apply_overrides(SETTINGS, overrides)
