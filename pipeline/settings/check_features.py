"""Checks features for conflicts with each other and with label and weight."""

from collections.abc import Mapping

from pipeline.errors import did_you_mean
from trainer.settings.base import SettingError
from trainer.settings.column_names import ALL_OTHERS, fault_of_name
from trainer.settings.features import Crossed, Feature


def check_features(features: Mapping[str, Feature], label: str, weight: str | None) -> None:
    """Checks that each feature can be made.

    Args:
        features: The features by column.
        label: The column to predict.
        weight: The column of the examples' weights, None if there is none.

    Raises:
        SettingError: At the first mistake.
    """
    for name, feature in features.items():
        if feature.kind != "ignore":
            _check_name(name, feature, {label: "label", weight: "weight"})
        if isinstance(feature, Crossed):
            _check_crossed(name, feature, features)
    if all(feature.kind == "ignore" for feature in features.values()):
        raise SettingError(("features",), "has no column that the model reads")


def _check_name(name: str, feature: Feature, taken: Mapping[str | None, str]) -> None:
    if name in taken:
        raise SettingError(("features", name), f"the {taken[name]} cannot be a feature")
    if name == ALL_OTHERS:
        if feature.kind != "auto":
            raise SettingError(("features", name), "stands for many columns: must be auto")
    elif fault := fault_of_name(name):
        raise SettingError(("features", name), f"a column's name {fault}")


def _check_crossed(name: str, crossed: Crossed, features: Mapping[str, Feature]) -> None:
    with_ids = [
        key
        for key, feature in features.items()
        if feature.has_ids and not isinstance(feature, Crossed)
    ]
    for column in crossed.columns:
        if column not in with_ids:
            raise SettingError(
                ("features", name, "columns"),
                f"'{column}' is not a feature with ids (categorical, bucketized or boolean): add"
                f" it to the features{did_you_mean(column, with_ids)}",
            )
    if len(set(crossed.columns)) < len(crossed.columns):
        raise SettingError(("features", name, "columns"), "a column is listed twice")
    for key, other in features.items():
        if key == name:
            break
        if isinstance(other, Crossed) and set(other.columns) == set(crossed.columns):
            raise SettingError(("features", name, "columns"), f"are the same as those of '{key}'")
