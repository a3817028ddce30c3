"""Makes the feature columns over the transformed features."""

import hashlib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft
from tensorflow.python.feature_column import feature_column_v2

from trainer.settings.column_names import scope_name
from trainer.settings.feature_base import IdFeature
from trainer.settings.feature_names import indicator_name, part_name, weight_name
from trainer.settings.features import (
    Boolean,
    Bucketized,
    Categorical,
    Crossed,
    Datetime,
    Feature,
    Numeric,
)
from trainer.settings.train import TrainerSettings
from trainer.settings.words import Tags, Text, WordsFeature
from trainer.user_functions import UserFunctionError

PART_SIZES: Mapping[str, int] = {
    "quarter": 4,
    "month": 12,
    "week": 53,
    "day": 31,
    "weekday": 7,
    "hour": 24,
    "minute": 60,
}
"""Number of values of each part of a date that is encoded as ids; other parts are numbers."""


@dataclass(frozen=True)
class FeatureColumns:
    """The feature columns over the transformed features, in the configuration's order.

    Attributes:
        numeric: Numeric columns.
        categorical: Categorical columns over ids, crossed ones included.
        encoded: The columns of `categorical` made dense, as one-hot vectors or embeddings.
    """

    numeric: tuple[Any, ...]
    categorical: tuple[Any, ...]
    encoded: tuple[Any, ...]

    @property
    def deep(self) -> list[Any]:
        """Dense columns of all features, the input of a network."""
        return [*self.numeric, *self.encoded]

    @property
    def linear(self) -> list[Any]:
        """Columns of all features for a linear model, which has one weight per id."""
        return [*self.numeric, *self.categorical]


class _NumericColumn(feature_column_v2.NumericColumn):
    @property
    def name(self) -> str:
        """Names the variables; TensorFlow takes fewer characters there than as a key."""
        return scope_name(self.key)


class _IdentityColumn(feature_column_v2.IdentityCategoricalColumn):
    @property
    def name(self) -> str:
        """Names the variables, here and in columns made of this one."""
        return scope_name(self.key)


class _WeightedColumn(feature_column_v2.WeightedCategoricalColumn):
    @property
    def name(self) -> str:
        """Names the variables, in the form of TensorFlow's own columns."""
        return f"{self.categorical_column.name}_weighted_by_{scope_name(self.weight_feature_key)}"


def numeric_column(key: str, shape: Sequence[int] = (1,)) -> feature_column_v2.NumericColumn:
    """Makes a numeric column of a feature of any name."""
    return _NumericColumn(*tf.feature_column.numeric_column(key, shape))


def id_column(key: str, n_ids: int) -> feature_column_v2.IdentityCategoricalColumn:
    """Makes a column of ids, 0 to `n_ids` - 1, of a feature of any name."""
    return _IdentityColumn(*tf.feature_column.categorical_column_with_identity(key, n_ids))


def vocabulary_name(name: str) -> str:
    """Names the vocabulary of a column, an asset of the transform graph; unique to the column."""
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"words_of_{re.sub('[^A-Za-z0-9]', '_', name)[:100]}_{digest}"


def make_feature_columns(
    settings: TrainerSettings, transform_output: tft.TFTransformOutput
) -> FeatureColumns:
    """Makes the feature columns over the transformed features.

    Args:
        settings: The features and their encodings.
        transform_output: Transform's output, which knows the sizes of vocabularies.

    Returns:
        The feature columns. With the user's `preprocessing_fn`, they are a numeric column for each
        of its dense float32 outputs.

    Raises:
        UserFunctionError: If the user's `preprocessing_fn` has other outputs, and there is no
            user's `model_fn` to read them.
    """
    if settings.model.preprocessing_fn is not None:
        return FeatureColumns(tuple(_user_columns(settings, transform_output)), (), ())
    names = settings.output_names
    numeric: list[Any] = []
    with_ids: dict[str, tuple[Any, Any]] = {}
    for name, feature in settings.features.items():
        numeric += [numeric_column(names.get(k, k)) for k in _numeric_names(name, feature)]
        for key, n_ids in _id_features(name, feature, transform_output):
            column = id_column(names.get(key, key), n_ids)
            with_ids[key] = (column, _encode(column, n_ids, feature))
        if isinstance(feature, WordsFeature):
            weight = names.get(weight_name(name))
            with_ids[name] = _words_columns(name, weight, feature, transform_output)
    for name, feature in settings.features.items():
        if isinstance(feature, Crossed):
            columns = [with_ids[key][0] for key in feature.columns]
            column = tf.feature_column.crossed_column(columns, feature.size)
            with_ids[name] = (column, _encode(column, feature.size, feature))
    return FeatureColumns(
        numeric=tuple(numeric),
        categorical=tuple(column for column, _ in with_ids.values()),
        encoded=tuple(column for _, column in with_ids.values()),
    )


def _user_columns(
    settings: TrainerSettings, transform_output: tft.TFTransformOutput
) -> Iterator[Any]:
    """Makes numeric columns over the outputs of the user's `preprocessing_fn`."""
    for name, spec in transform_output.transformed_feature_spec().items():
        if name in (settings.label, settings.weight):
            continue
        if isinstance(spec, tf.io.FixedLenFeature) and spec.dtype == tf.float32:
            yield numeric_column(name, spec.shape or (1,))
        elif settings.model.model_fn is None:
            found = (
                f"{'' if isinstance(spec, tf.io.FixedLenFeature) else 'sparse '}{spec.dtype.name}"
            )
            raise UserFunctionError(
                f"{settings.model.preprocessing_fn}: returns '{name}' as {found}, but model.type"
                " reads dense float32 only: return that, or set model.model_fn to a function that"
                f" reads {found}"
            )


def _words_columns(
    name: str, weight: str | None, feature: WordsFeature, transform_output: tft.TFTransformOutput
) -> tuple[Any, Any]:
    """Makes the categorical and the dense column of a feature whose cells hold several words."""
    n_ids = feature.size
    if feature.ids == "vocabulary":
        n_words = transform_output.vocabulary_size_by_name(vocabulary_name(name))
        n_ids = max(n_words + feature.oov_buckets, 1)
    column = id_column(name, n_ids)
    if weight is not None:
        column = _WeightedColumn(column, weight, tf.float32)
    if isinstance(feature, Tags) and feature.encode == "one_hot":
        return column, tf.feature_column.indicator_column(column)
    dimension = feature.dimension or math.ceil(n_ids**0.25)
    combiner = "sum" if isinstance(feature, Text) and feature.has_weights else "mean"
    return column, tf.feature_column.embedding_column(column, dimension, combiner)


def _numeric_names(name: str, feature: Feature) -> list[str]:
    """Lists the transformed features of a column that are numbers."""
    if isinstance(feature, Numeric):
        return [name, indicator_name(name)] if feature.missing_indicator else [name]
    if isinstance(feature, Datetime):
        return [part_name(name, part) for part in feature.parts if part not in PART_SIZES]
    return []


def _id_features(
    name: str, feature: Feature, transform_output: tft.TFTransformOutput
) -> Iterator[tuple[str, int]]:
    """Yields the transformed features that are ids, each with its number of ids.

    The number includes the last id, which stands for a missing value.
    """
    if isinstance(feature, Bucketized):
        boundaries = feature.boundaries or range(feature.buckets - 1)
        yield name, len(boundaries) + 2
    elif isinstance(feature, Categorical):
        size = feature.size or 0
        if feature.ids == "vocabulary":
            vocabulary_size = transform_output.vocabulary_size_by_name(vocabulary_name(name))
            size = vocabulary_size + feature.oov_buckets
        yield name, size + 1
    elif isinstance(feature, Boolean):
        yield name, 3
    elif isinstance(feature, Datetime):
        yield from (
            (part_name(name, part), PART_SIZES[part] + 1)
            for part in feature.parts
            if part in PART_SIZES
        )


def _encode(column: Any, n_ids: int, feature: Feature) -> Any:
    """Makes the dense column over a categorical one."""
    if not isinstance(feature, IdFeature) or feature.encode == "one_hot":
        return tf.feature_column.indicator_column(column)
    dimension = feature.dimension or math.ceil(n_ids**0.25)
    return tf.feature_column.embedding_column(column, dimension)
