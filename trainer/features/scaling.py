"""Numbers, scaled by statistics of the train split; a gap is NaN until it is filled."""

from collections.abc import Mapping

import tensorflow as tf
import tensorflow_transform as tft

from trainer.settings.features import Numeric

_Spans = dict[str, tuple[tf.Tensor, tf.Tensor]]
"""By column: where its values begin, and how far they spread, both float64 scalars."""


def scale_numbers(columns: Mapping[str, tuple[tf.Tensor, Numeric]]) -> dict[str, tf.Tensor]:
    """Fills and scales columns.

    Args:
        columns: By name, float32 `[batch_size, 1]` as `clip_number` gives it, and what to do with
            it.

    Returns:
        float32 `[batch_size, 1]` by name, without gaps: `z_score` is (x - mean) / deviation,
        `min_max` is (x - min) / (max - min), both 0 where the train split's values are all alike;
        `log1p` is the z-score of log(1 + x), x below 0 taken for 0; `raw` is x.
    """
    values = {name: x for name, (x, _) in columns.items()}
    scales = {name: feature.scale for name, (_, feature) in columns.items()}
    moments = _moments(values)
    spans = {
        **moments,
        **_moments({name: _log1p(x) for name, x in values.items() if scales[name] == "log1p"}),
        **_ranges({name: x for name, x in values.items() if scales[name] == "min_max"}),
    }
    scaled = {}
    for name, (_, feature) in columns.items():
        fill = moments[name][0] if isinstance(feature.fill, str) else feature.fill
        x = tf.where(tf.math.is_nan(values[name]), tf.cast(fill, tf.float32), values[name])
        if feature.scale == "log1p":
            x = _log1p(x)
        if feature.scale != "raw":
            begin, spread = spans[name]
            x = tf.math.divide_no_nan(tf.cast(x, tf.float64) - begin, spread)
        scaled[name] = tf.cast(x, tf.float32)
    return scaled


def clip_number(x: tf.Tensor, feature: Numeric) -> tf.Tensor:
    """Moves what is beyond the bounds to them; what is still not finite becomes a gap, NaN."""
    if feature.clip is not None:
        least, greatest = feature.clip
        x = tf.where(x < least, least, tf.where(x > greatest, greatest, x))  # NaN stays NaN
    return tf.where(tf.math.is_finite(x), x, float("nan"))


def _log1p(x: tf.Tensor) -> tf.Tensor:
    return tf.math.log1p(tf.where(x < 0, 0.0, x))


def _moments(columns: Mapping[str, tf.Tensor]) -> _Spans:
    """Learns mean and standard deviation of each column, NaN left out; 0 where all is NaN.

    All columns are analyzed as one: for thirty, an analysis each takes three times as long.
    """
    if not columns:
        return {}
    # In float64, the sum of float32 values is exact, and so the deviation of equal values is 0.
    table = tf.cast(tf.concat(list(columns.values()), axis=1), tf.float64)
    mean = _as_vector(tft.mean(table, reduce_instance_dims=False))
    deviation = tf.sqrt(_as_vector(tft.var(table, reduce_instance_dims=False)))
    return {
        name: (_or_zero(mean[index]), _or_zero(deviation[index]))
        for index, name in enumerate(columns)
    }


def _as_vector(statistics: tf.Tensor) -> tf.Tensor:
    """Undoes that Transform gives a scalar in place of a vector of one."""
    return tf.reshape(statistics, [-1])


def _or_zero(x: tf.Tensor) -> tf.Tensor:
    return tf.where(tf.math.is_nan(x), tf.zeros_like(x), x)


def _ranges(columns: Mapping[str, tf.Tensor]) -> _Spans:
    """Learns minimum and range of each column, NaN left out; a range of 0 where all is NaN."""
    if not columns:
        return {}
    table = tf.cast(tf.concat(list(columns.values()), axis=1), tf.float64)
    is_nan = tf.math.is_nan(table)
    infinity = tf.constant(float("inf"), tf.float64)
    least = _as_vector(tft.min(tf.where(is_nan, infinity, table), reduce_instance_dims=False))
    greatest = _as_vector(tft.max(tf.where(is_nan, -infinity, table), reduce_instance_dims=False))
    spread = tf.maximum(greatest - least, 0)
    return {name: (least[index], spread[index]) for index, name in enumerate(columns)}
