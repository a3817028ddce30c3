"""Names and types of the columns that belong to a feature; imports no TensorFlow."""

from collections.abc import Iterable, Mapping

from trainer.settings.feature_base import BaseFeature, RawType
from trainer.settings.features import Datetime, Ignore, Numeric
from trainer.settings.words import WordsFeature

_SEPARATOR = "\x1f"
"""Stands between a column and what is made of it; no column's name holds it."""


def indicator_name(name: str) -> str:
    """Names the transformed feature that is 1 where a column's value is missing."""
    return f"{name}{_SEPARATOR}missing"


def part_name(name: str, part: str) -> str:
    """Names the transformed feature of one part of a date."""
    return f"{name}{_SEPARATOR}{part}"


def weight_name(name: str) -> str:
    """Names the transformed feature that holds the weights of a cell's words."""
    return f"{name}{_SEPARATOR}weight"


def output_names(features: Mapping[str, BaseFeature], others: Iterable[str]) -> dict[str, str]:
    """Names features that are made beside a column's own as Transform outputs them.

    The name is `<column>_<what it is>`, such as `age_missing`, with as many `_` after it as no
    column's name then has.

    Args:
        features: The features by column.
        others: Names of the label and the weight.

    Returns:
        Name by `indicator_name`, `part_name` or `weight_name`.
    """
    read = (name for name, feature in features.items() if not isinstance(feature, Ignore))
    taken = {*others, *read}
    names: dict[str, str] = {}
    for column, feature in features.items():
        for made in _made_beside(column, feature):
            name = made.replace(_SEPARATOR, "_")
            while name in taken:
                name += "_"
            taken.add(name)
            names[made] = name
    return names


def _made_beside(name: str, feature: BaseFeature) -> list[str]:
    if isinstance(feature, Datetime):
        return [part_name(name, part) for part in feature.parts]
    if isinstance(feature, Numeric) and feature.missing_indicator:
        return [indicator_name(name)]
    return [weight_name(name)] if isinstance(feature, WordsFeature) and feature.has_weights else []


def raw_types(features: Mapping[str, BaseFeature]) -> dict[str, RawType]:
    """Lists the raw columns that the model reads with their types, in the features' order."""
    return {
        name: feature.raw_type for name, feature in features.items() if feature.raw_type is not None
    }
