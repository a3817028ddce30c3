"""Fills and scales numbers by statistics of the train split; missing values arrive as NaN.

All columns are one matrix, since each op of the graph costs time in every node that builds it.
"""

from collections.abc import Callable, Mapping, Sequence

import tensorflow as tf
import tensorflow_transform as tft

from trainer.features.raw_columns import split_columns
from trainer.settings.feature_names import indicator_name
from trainer.settings.features import Numeric

_Scale = tuple[tf.Tensor, tf.Tensor]
"""Offset and divisor, float64 `[n_columns]`: x is scaled to (x - offset) / divisor."""


def scale_numbers(columns: Mapping[str, tuple[tf.Tensor, Numeric]]) -> dict[str, tf.Tensor]:
    """Clips columns, fills in missing values, and scales.

    Values beyond the bounds move to the bounds; other values that are not finite count as missing.

    `z_score` is (x - mean) / deviation and `min_max` is (x - min) / (max - min), both 0 if all
    values of the train split are equal. `log1p` is the z-score of log(1 + max(x, 0)), `raw` is x.

    Args:
        columns: Column and its settings by name; a column is float32 `[batch_size, 1]`, NaN where
            missing.

    Returns:
        float32 `[batch_size, 1]` by name, without missing values; and for each column with a
        `missing_indicator`, 1 where its value is missing, else 0, by `indicator_name`.
    """
    if not columns:
        return {}
    # Columns of one method stand beside each other.
    names = sorted(columns, key=lambda name: columns[name][1].scale)
    features = [columns[name][1] for name in names]
    table = _clip(tf.concat([columns[name][0] for name in names], axis=1), features)
    is_missing = tf.math.is_nan(table)
    moments = _moments(table)
    filled = tf.where(is_missing, _fill_values(features, moments), table)
    methods = [feature.scale for feature in features]
    parts = []
    for method in sorted(set(methods)):
        begin = methods.index(method)
        place = slice(begin, begin + methods.count(method))
        scale = moments[0][place], moments[1][place]
        parts.append(_METHODS[method](filled[:, place], table[:, place], scale))
    scaled = dict(zip(names, split_columns(tf.concat(parts, axis=1), len(names)), strict=True))
    marks = split_columns(tf.cast(is_missing, tf.float32), len(names))
    indicators = {
        indicator_name(name): mark
        for name, feature, mark in zip(names, features, marks, strict=True)
        if feature.missing_indicator
    }
    return {**scaled, **indicators}


def _clip(table: tf.Tensor, features: Sequence[Numeric]) -> tf.Tensor:
    """Moves values beyond the bounds to the bounds; other values that are not finite become NaN."""
    bounds = [feature.clip or (-float("inf"), float("inf")) for feature in features]
    least = tf.constant([low for low, _ in bounds], tf.float32)
    greatest = tf.constant([high for _, high in bounds], tf.float32)
    # NaN stays NaN.
    table = tf.where(table < least, least, tf.where(table > greatest, greatest, table))
    return tf.where(tf.math.is_finite(table), table, float("nan"))


def _fill_values(features: Sequence[Numeric], moments: _Scale) -> tf.Tensor:
    """Makes the values that replace missing ones, float32 `[n_columns]`."""
    by_mean = [isinstance(feature.fill, str) for feature in features]
    given = [0.0 if isinstance(feature.fill, str) else feature.fill for feature in features]
    return tf.where(by_mean, tf.cast(moments[0], tf.float32), tf.constant(given, tf.float32))


def _z_score(filled: tf.Tensor, table: tf.Tensor, moments: _Scale) -> tf.Tensor:
    return _divide(filled, moments)


def _log_z_score(filled: tf.Tensor, table: tf.Tensor, moments: _Scale) -> tf.Tensor:
    return _divide(_log1p(filled), _moments(_log1p(table)))


def _min_max(filled: tf.Tensor, table: tf.Tensor, moments: _Scale) -> tf.Tensor:
    return _divide(filled, _ranges(table))


def _raw(filled: tf.Tensor, table: tf.Tensor, moments: _Scale) -> tf.Tensor:
    return filled


_METHODS: Mapping[str, Callable[[tf.Tensor, tf.Tensor, _Scale], tf.Tensor]] = {
    "z_score": _z_score,
    "log1p": _log_z_score,
    "min_max": _min_max,
    "raw": _raw,
}
"""Scale float32 `[batch_size, n]`: the filled values, by those before filling or their moments."""


def _divide(x: tf.Tensor, scale: _Scale) -> tf.Tensor:
    offset, divisor = scale
    x = tf.math.divide_no_nan(tf.cast(x, tf.float64) - offset, divisor)
    return tf.cast(x, tf.float32)


def _log1p(x: tf.Tensor) -> tf.Tensor:
    return tf.math.log1p(tf.where(x < 0, 0.0, x))


def _moments(table: tf.Tensor) -> _Scale:
    """Analyzes mean and standard deviation of each column, without NaN; both 0 if all are NaN."""
    # In float64 the sum of float32 values is exact, so that equal values have a deviation of 0.
    table = tf.cast(table, tf.float64)
    mean = _as_vector(tft.mean(table, reduce_instance_dims=False), table)
    deviation = tf.sqrt(_as_vector(tft.var(table, reduce_instance_dims=False), table))
    return _or_zero(mean), _or_zero(deviation)


def _as_vector(statistics: tf.Tensor, table: tf.Tensor) -> tf.Tensor:
    """Gives statistics the shape `[n_columns]`; of a single column, Transform makes a scalar."""
    return tf.reshape(statistics, [table.shape[1]])


def _or_zero(x: tf.Tensor) -> tf.Tensor:
    return tf.where(tf.math.is_nan(x), tf.zeros_like(x), x)


def _ranges(table: tf.Tensor) -> _Scale:
    """Analyzes minimum and range of each column, without NaN; the range is 0 if all are NaN."""
    table = tf.cast(table, tf.float64)
    is_nan = tf.math.is_nan(table)
    infinity = tf.constant(float("inf"), tf.float64)
    least = tft.min(tf.where(is_nan, infinity, table), reduce_instance_dims=False)
    greatest = tft.max(tf.where(is_nan, -infinity, table), reduce_instance_dims=False)
    least, greatest = _as_vector(least, table), _as_vector(greatest, table)
    return least, tf.maximum(greatest - least, 0)
