"""Makes the rules of the columns from features, label and weight; no other module does."""

import math
from collections.abc import Mapping
from dataclasses import replace

from pipeline.settings.config import Config
from tabular.csv.column_rules import (
    BooleanRule,
    CellRule,
    ColumnRules,
    DatetimeRule,
    LabelRule,
    NumberRule,
    TagsRule,
)
from tabular.csv.dates import DateReader
from tabular.csv.types import ColumnType
from trainer.settings.date_format import MONTHS, PIVOT, UNIX_FORMATS, date_example, date_pattern
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
from trainer.settings.words import Tags


def make_data_rules(config: Config) -> ColumnRules:
    """Makes the rules of the data of a configuration."""
    rules = make_column_rules(config.trainer_settings, config.data.csv.decimal)
    return replace(rules, skips_unlabeled=config.data.unlabeled == "skip")


def make_column_rules(settings: TrainerSettings, decimal: str) -> ColumnRules:
    """Makes the rules of the training data.

    Args:
        settings: Features, label, weight and task.
        decimal: Decimal point of numbers.
    """
    rules = make_feature_rules(settings.features, decimal)
    cells, types = dict(rules.cells), dict(rules.types)
    if settings.weight is not None:
        cells[settings.weight] = NumberRule(decimal, name="weight", least=0)
        types[settings.weight] = ColumnType.FLOAT
    if settings.task == "regression":
        cells[settings.label] = NumberRule(decimal, name="label")
        types[settings.label] = ColumnType.FLOAT
    else:
        cells[settings.label] = LabelRule()
    return ColumnRules(cells, types, settings.label)


def make_feature_rules(features: Mapping[str, Feature], decimal: str) -> ColumnRules:
    """Makes the rules of the columns that a model reads, for training and prediction alike.

    Args:
        features: Column to its feature; an `auto` feature has no rule.
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
    """Makes the rule of a feature's cells; None if it accepts any cell."""
    if isinstance(feature, Numeric):
        is_clipped = feature.clip is not None and feature.clip[0] >= 0
        least = 0 if feature.scale == "log1p" and not is_clipped else -math.inf
        return NumberRule(decimal, least=least, may_be_missing=feature.fill != "error")
    if isinstance(feature, Bucketized):
        return NumberRule(decimal, may_be_missing=True)
    if isinstance(feature, Categorical) and feature.ids == "identity":
        last = (feature.size or 1) - 1
        return NumberRule(decimal, least=0, greatest=last, is_whole=True, may_be_missing=True)
    if isinstance(feature, Boolean):
        return BooleanRule((*feature.true_words, *feature.false_words))
    if isinstance(feature, Datetime):
        return make_date_rule(feature.format)
    if isinstance(feature, Tags) and feature.weight_separator is not None:
        return TagsRule(feature.separator, feature.weight_separator)
    return None


def make_date_rule(date_format: str) -> DatetimeRule:
    """Makes the rule of dates in a format that `Datetime` allows."""
    units = UNIX_FORMATS.get(date_format, 0)
    reader = DateReader(date_pattern(date_format), MONTHS, units, PIVOT)
    return DatetimeRule(date_format, date_example(date_format), reader)
