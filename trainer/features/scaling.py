"""Fills and scales numbers by statistics of the train split; missing values arrive as NaN."""

from collections.abc import Mapping

import tensorflow as tf
import tensorflow_transform as tft

from trainer.settings.features import Numeric

_Scales = dict[str, tuple[tf.Tensor, tf.Tensor]]
"""Offset and divisor by column, float64 scalars: x is scaled to (x - offset) / divisor."""


def scale_numbers(columns: Mapping[str, tuple[tf.Tensor, Numeric]]) -> dict[str, tf.Tensor]:
    """Fills in missing values and scales columns.

    `z_score` is (x - mean) / deviation and `min_max` is (x - min) / (max - min), both 0 if all
    values of the train split are equal. `log1p` is the z-score of log(1 + max(x, 0)), `raw` is x.

    Args:
        columns: Column and its settings by name; a column is float32 `[batch_size, 1]`, as
            `clip_number` returns it.

    Returns:
        float32 `[batch_size, 1]` by name, without missing values.
    """
    values = {name: x for name, (x, _) in columns.items()}
    methods = {name: feature.scale for name, (_, feature) in columns.items()}
    moments = _moments(values)
    scales = {
        **moments,
        **_moments({name: _log1p(x) for name, x in values.items() if methods[name] == "log1p"}),
        **_ranges({name: x for name, x in values.items() if methods[name] == "min_max"}),
    }
    scaled = {}
    for name, (_, feature) in columns.items():
        fill = moments[name][0] if isinstance(feature.fill, str) else feature.fill
        x = tf.where(tf.math.is_nan(values[name]), tf.cast(fill, tf.float32), values[name])
        if feature.scale == "log1p":
            x = _log1p(x)
        if feature.scale != "raw":
            offset, divisor = scales[name]
            x = tf.math.divide_no_nan(tf.cast(x, tf.float64) - offset, divisor)
        scaled[name] = tf.cast(x, tf.float32)
    return scaled


def clip_number(x: tf.Tensor, feature: Numeric) -> tf.Tensor:
    """Moves values beyond the bounds to the bounds; other values that are not finite become NaN."""
    if feature.clip is not None:
        least, greatest = feature.clip
        x = tf.where(x < least, least, tf.where(x > greatest, greatest, x))  # NaN stays NaN
    return tf.where(tf.math.is_finite(x), x, float("nan"))


def _log1p(x: tf.Tensor) -> tf.Tensor:
    return tf.math.log1p(tf.where(x < 0, 0.0, x))


def _moments(columns: Mapping[str, tf.Tensor]) -> _Scales:
    """Analyzes mean and standard deviation of each column, without NaN; both 0 if all are NaN.

    All columns are analyzed as one tensor: thirty separate analyses take three times as long.
    """
    if not columns:
        return {}
    # In float64 the sum of float32 values is exact, so that equal values have a deviation of 0.
    table = tf.cast(tf.concat(list(columns.values()), axis=1), tf.float64)
    mean = _as_vector(tft.mean(table, reduce_instance_dims=False))
    deviation = tf.sqrt(_as_vector(tft.var(table, reduce_instance_dims=False)))
    return {
        name: (_or_zero(mean[index]), _or_zero(deviation[index]))
        for index, name in enumerate(columns)
    }


def _as_vector(statistics: tf.Tensor) -> tf.Tensor:
    """Gives statistics of a single column, which Transform makes a scalar, the shape `[1]`."""
    return tf.reshape(statistics, [-1])


def _or_zero(x: tf.Tensor) -> tf.Tensor:
    return tf.where(tf.math.is_nan(x), tf.zeros_like(x), x)


def _ranges(columns: Mapping[str, tf.Tensor]) -> _Scales:
    """Analyzes minimum and range of each column, without NaN; the range is 0 if all are NaN."""
    if not columns:
        return {}
    table = tf.cast(tf.concat(list(columns.values()), axis=1), tf.float64)
    is_nan = tf.math.is_nan(table)
    infinity = tf.constant(float("inf"), tf.float64)
    least = _as_vector(tft.min(tf.where(is_nan, infinity, table), reduce_instance_dims=False))
    greatest = _as_vector(tft.max(tf.where(is_nan, -infinity, table), reduce_instance_dims=False))
    spread = tf.maximum(greatest - least, 0)
    return {name: (least[index], spread[index]) for index, name in enumerate(columns)}
