"""What the features are: raw columns in, feature columns of the model out."""

from collections.abc import Iterable, Mapping
from typing import Any

import tensorflow as tf

from trainer.config import TrainerSettings


def select_raw_spec(
    feature_spec: Mapping[str, tf.io.FixedLenFeature], names: Iterable[str]
) -> dict[str, tf.io.FixedLenFeature]:
    """Picks the named raw columns, each one value per example.

    Args:
        feature_spec: Raw feature spec of the schema, shapes `[1]` or `[]`.
        names: Columns to keep.

    Returns:
        The spec of those columns with shape `[]`, so that a batch has shape `[batch_size]`.
    """
    return {name: tf.io.FixedLenFeature([], feature_spec[name].dtype) for name in names}


def make_feature_columns(settings: TrainerSettings) -> list[Any]:
    """Makes the feature columns over the transformed features, float32 `[batch_size, 1]` each."""
    return [tf.feature_column.numeric_column(name) for name in settings.features]
