"""Makes the rules of the columns from `features`, label and weight: the one place that does."""

import math
from collections.abc import Mapping

from tabular.csv.column_rules import CellRule, ColumnRules, Label, Moment, Number, Words
from tabular.csv.types import ColumnType
from trainer.settings.feature_names import raw_types
from trainer.settings.features import (
    Boolean,
    Bucketized,
    Categorical,
    Datetime,
    Feature,
    Numeric,
)
from trainer.settings.train import TrainerSettings


def make_column_rules(settings: TrainerSettings, decimal: str) -> ColumnRules:
    """Makes the rules of the data that a model is trained on.

    Args:
        settings: The features, label, weight and task.
        decimal: Decimal point of numbers.
    """
    rules = make_feature_rules(settings.features, decimal)
    cells, types = dict(rules.cells), dict(rules.types)
    if settings.weight is not None:
        cells[settings.weight] = Number(decimal, name="weight", least=0)
        types[settings.weight] = ColumnType.FLOAT
    if settings.task == "regression":
        cells[settings.label] = Number(decimal, name="label")
        types[settings.label] = ColumnType.FLOAT
    else:
        cells[settings.label] = Label()
    return ColumnRules(cells, types, settings.label)


def make_feature_rules(features: Mapping[str, Feature], decimal: str) -> ColumnRules:
    """Makes the rules of the columns that a model reads, as they are in training and prediction.

    Args:
        features: Column to its feature; those that are `auto` have no rule yet.
        decimal: Decimal point of numbers.
    """
    cells = {
        name: rule
        for name, feature in features.items()
        if (rule := make_cell_rule(feature, decimal)) is not None
    }
    types = {
        name: ColumnType.FLOAT if raw_type == "float" else ColumnType.BYTES
        for name, raw_type in raw_types(features).items()
    }
    return ColumnRules(cells, types)


def make_cell_rule(feature: Feature, decimal: str) -> CellRule | None:
    """Makes the rule of a feature's cells; None if any cell fits."""
    if isinstance(feature, Numeric):
        is_clipped = feature.clip is not None and feature.clip[0] >= 0
        least = 0 if feature.scale == "log1p" and not is_clipped else -math.inf
        return Number(decimal, least=least, may_be_missing=feature.fill != "error")
    if isinstance(feature, Bucketized):
        return Number(decimal, may_be_missing=True)
    if isinstance(feature, Categorical) and feature.ids == "identity":
        last = (feature.size or 1) - 1
        return Number(decimal, least=0, greatest=last, is_whole=True, may_be_missing=True)
    if isinstance(feature, Boolean):
        return Words((*feature.true_words, *feature.false_words))
    if isinstance(feature, Datetime):
        return Moment(feature.format)
    return None
