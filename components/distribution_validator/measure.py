"""Distances between the columns of two sets of statistics."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

NO_COLUMN = "found no such column in that data"
EMPTY_THERE = "found only empty cells in that data"


@dataclass(frozen=True)
class Distance:
    """The distance between a column and the same column of other data.

    Attributes:
        measure: `l_infinity` for words, the largest difference between the shares of a word;
            `jensen_shannon` for numbers, the divergence to base 2; None if it cannot be measured.
        value: From 0 to 1; None if it cannot be measured.
        obstacle: Why it cannot be measured; None if it can.
    """

    measure: str | None
    value: float | None
    obstacle: str | None = None


def measure_distances(
    found: statistics_pb2.DatasetFeatureStatisticsList,
    baseline: statistics_pb2.DatasetFeatureStatisticsList,
) -> dict[str, Distance]:
    """Measures the distance of every column of the data. Missing values do not count.

    Args:
        found: Statistics of the data.
        baseline: Statistics of the data to compare with.

    Returns:
        The distance by column, or why it cannot be measured.
    """
    columns, others = _columns(found), _columns(baseline)
    distances = {
        name: Distance(None, None, obstacle)
        for name, column in columns.items()
        if (obstacle := _obstacle(column, others.get(name))) is not None
    }
    for name, column in columns.items():
        if name not in distances and column.HasField("num_stats"):
            value = _jensen_shannon(column.num_stats, others[name].num_stats)
            distances[name] = Distance("jensen_shannon", value)
    words = [name for name in columns if name not in distances]
    if words:
        schema = schema_pb2.Schema()
        for name in words:
            is_int = columns[name].type == statistics_pb2.FeatureNameStatistics.INT
            feature = schema.feature.add(
                name=name, type=schema_pb2.INT if is_int else schema_pb2.BYTES
            )
            # TFDV reports a distance only if there is a threshold.
            feature.drift_comparator.infinity_norm.threshold = 1
        anomalies = tfdv.validate_statistics(found, schema, previous_statistics=baseline)
        for info in anomalies.drift_skew_info:
            (measurement,) = info.drift_measurements
            distances[info.path.step[0]] = Distance("l_infinity", float(measurement.value))
    return {name: distances[name] for name in columns}


def _columns(
    statistics: statistics_pb2.DatasetFeatureStatisticsList,
) -> dict[str, statistics_pb2.FeatureNameStatistics]:
    return {feature.path.step[0]: feature for feature in statistics.datasets[0].features}


def _obstacle(
    column: statistics_pb2.FeatureNameStatistics, other: statistics_pb2.FeatureNameStatistics | None
) -> str | None:
    if other is None:
        return NO_COLUMN
    if _is_empty(other):
        return EMPTY_THERE
    if _is_empty(column):
        return "found only empty cells"
    if column.HasField("num_stats") != other.HasField("num_stats"):
        here, there = _kind(column), _kind(other)
        return f"found {here}, but {there} in that data"
    return None


def _is_empty(column: statistics_pb2.FeatureNameStatistics) -> bool:
    common = getattr(column, column.WhichOneof("stats")).common_stats
    return int(common.tot_num_values) == 0


def _kind(column: statistics_pb2.FeatureNameStatistics) -> str:
    return "numbers" if column.HasField("num_stats") else "words"


def _jensen_shannon(
    found: statistics_pb2.NumericStatistics, baseline: statistics_pb2.NumericStatistics
) -> float:
    """Computes the Jensen-Shannon divergence to base 2 over ranges between the deciles of both.

    JS(p, q) = (KL(p, m) + KL(q, m)) / 2 with m = (p + q) / 2; 0 if all numbers are the same. The
    outer ranges are open, so that a single outlier changes nothing. TFDV computes it over buckets
    of equal width: for two samples of one log-normal distribution (sigma 2), that gives 0.6.
    """
    both = [_quantiles(numbers) for numbers in (found, baseline)]
    deciles = [edges[:: max(len(edges) // 10, 1)][1:-1] for edges in both]
    bounds = np.unique(np.concatenate(deciles))
    p, q = (
        np.diff([0.0, *(_share_up_to(bound, edges) for bound in bounds[:-1]), 1.0])
        for edges in both
    )
    m = (p + q) / 2
    entropies = [np.sum(x[x > 0] * np.log2(x[x > 0] / m[x > 0])) for x in (p, q)]
    return float(np.clip(sum(entropies) / 2, 0, 1))


def _quantiles(numbers: statistics_pb2.NumericStatistics) -> "np.ndarray[Any, Any]":
    """Reads the bounds of the quantile histogram, `[n_buckets + 1]` in rising order."""
    (buckets,) = (
        histogram.buckets
        for histogram in numbers.histograms
        if histogram.type == statistics_pb2.Histogram.QUANTILES
    )
    edges = [buckets[0].low_value, *(bucket.high_value for bucket in buckets)]
    return np.nan_to_num(np.array(edges))


def _share_up_to(bound: float, edges: "np.ndarray[Any, Any]") -> float:
    """Computes the share of numbers up to a bound, taking them as uniform between two edges."""
    index = int(np.searchsorted(edges, bound, side="right"))
    if index in (0, len(edges)):
        return float(index > 0)
    low, high = float(edges[index - 1]), float(edges[index])
    return float((index - 1 + (bound - low) / (high - low)) / (len(edges) - 1))
