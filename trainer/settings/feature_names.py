"""Names and types of the columns that belong to a feature; imports no TensorFlow."""

from collections.abc import Mapping

from trainer.settings.feature_base import BaseFeature, RawType
from trainer.settings.features import Datetime, Numeric
from trainer.settings.words import WordsFeature


def indicator_name(name: str) -> str:
    """Names the transformed feature that is 1 where a column's value is missing."""
    return f"{name}_missing"


def part_name(name: str, part: str) -> str:
    """Names the transformed feature of one part of a date."""
    return f"{name}_{part}"


def weight_name(name: str) -> str:
    """Names the transformed feature that holds the weights of a cell's words."""
    return f"{name}_weight"


def transformed_names(name: str, feature: BaseFeature) -> list[str]:
    """Lists the transformed features made from a raw column; empty if the feature reads none."""
    if isinstance(feature, Datetime):
        return [part_name(name, part) for part in feature.parts]
    if isinstance(feature, Numeric) and feature.missing_indicator:
        return [name, indicator_name(name)]
    if isinstance(feature, WordsFeature) and feature.has_weights:
        return [name, weight_name(name)]
    return [name] if feature.raw_type is not None else []


def raw_types(features: Mapping[str, BaseFeature]) -> dict[str, RawType]:
    """Lists the raw columns that the model reads with their types, in the features' order."""
    return {
        name: feature.raw_type for name, feature in features.items() if feature.raw_type is not None
    }
