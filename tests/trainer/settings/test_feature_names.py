"""Names of transformed features that are made beside those of columns."""

from typing import Any

import pytest

from trainer.settings.feature_names import indicator_name, part_name, weight_name
from trainer.settings.train import TrainerSettings

NUMBER = {"kind": "numeric", "fill": "mean", "missing_indicator": True}
DATE = {"kind": "datetime", "parts": ["month", "year"]}


def names_of(features: dict[str, Any], **settings: str) -> dict[str, str]:
    data = {"label": "y", **settings, "features": features}
    return TrainerSettings.model_validate(data).output_names


def test_output_names_follow_the_column() -> None:
    names = names_of({"x": NUMBER, "Any day": DATE, "s": {"kind": "text"}, "z": "numeric"})

    assert names == {
        indicator_name("x"): "x_missing",
        part_name("Any day", "month"): "Any day_month",
        part_name("Any day", "year"): "Any day_year",
        weight_name("s"): "s_weight",
    }


@pytest.mark.parametrize(
    "taken",
    [
        {"features": {"x": NUMBER, "x_missing": "numeric"}},
        {"features": {"x_missing": "boolean", "x": NUMBER}},
        {"features": {"x": NUMBER}, "label": "x_missing"},
        {"features": {"x": NUMBER}, "weight": "x_missing"},
    ],
)
def test_output_names_are_not_those_of_columns(taken: dict[str, Any]) -> None:
    assert names_of(**taken) == {indicator_name("x"): "x_missing_"}


def test_output_names_leave_ignored_columns_aside() -> None:
    assert names_of({"x": NUMBER, "x_missing": "ignore"}) == {indicator_name("x"): "x_missing"}


def test_output_names_differ() -> None:
    parts = {"kind": "datetime", "parts": ["day_of_year", "year"]}
    names = names_of({"d": parts, "d_day_of": parts, "d_year_": "numeric", "d_year": "numeric"})

    assert sorted(names.values()) == [
        "d_day_of_day_of_year",
        "d_day_of_year",
        "d_day_of_year_",
        "d_year__",
    ]
