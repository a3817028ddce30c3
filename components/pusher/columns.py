"""Describes the raw columns of a pushed model by the schema and the train split."""

import math
from collections.abc import Iterable, Mapping

import numpy as np
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from components.data_gate.anomaly_text import domain_words
from serving.models.columns import Column
from trainer.settings.features import Boolean, Categorical, Datetime, Feature, Numeric
from trainer.settings.words import WordsFeature

_MAX_WORDS = 1000
"""Columns with more words may hold any word: TFDV keeps 1000 words of a column."""
_NO_WORDS = frozenset({"__BYTES_VALUE__", "__LARGE_BYTES__"})
"""Placeholders of TFDV for bytes that are not text, and for very long ones."""
_EXACT_FLOAT = 2**53


def describe_columns(
    features: Mapping[str, Feature],
    schema: schema_pb2.Schema,
    statistics: statistics_pb2.DatasetFeatureStatistics,
) -> dict[str, Column]:
    """Describes the raw columns that a model reads.

    Args:
        features: The features; those without a raw column are left out.
        schema: The schema of the raw columns, inferred or reviewed.
        statistics: Statistics of the train split; numbers are those of float32.

    Returns:
        Column by name, in the order of the features. A column is required if the schema allows no
        missing value, the feature's `fill` puts nothing in its place, and it is not tags or text,
        of which an empty cell has none. Each bound of a number is
        that of the schema, or else that of the train split. Words are those of the schema, or else
        all words of the train split, if there are at most 1000. A boolean takes the words it is
        configured with, also in lower case, upper case and title case, and those of the train
        split; a date takes what its format reads. The example value is the median or the most
        frequent word; 0 or an empty word if the column has no values.
    """
    expected = {feature.name: feature for feature in schema.feature}
    measured = {feature.path.step[0]: feature for feature in statistics.features}
    columns = {}
    for name, feature in features.items():
        domain = expected.get(name, schema_pb2.Feature())
        found = measured.get(name, statistics_pb2.FeatureNameStatistics())
        is_required = _is_required(feature, domain)
        if feature.raw_type == "float":
            low, high = (_bound(side, domain, found.num_stats) for side in ("min", "max"))
            columns[name] = Column(_shorten(found.num_stats.median), is_required, low, high)
        elif feature.raw_type == "bytes":
            listed = domain_words(domain, schema)
            seen = [bucket.label for bucket in found.string_stats.rank_histogram.buckets]
            words = _allowed_words(feature, listed, seen, found.string_stats)
            likely = (word for word in seen if word not in _NO_WORDS)
            date_format = feature.format if isinstance(feature, Datetime) else None
            columns[name] = Column(
                next(likely, ""), is_required, words=words, date_format=date_format
            )
    return columns


def _is_required(feature: Feature, domain: schema_pb2.Feature) -> bool:
    if isinstance(feature, WordsFeature) or (
        isinstance(feature, Numeric) and feature.fill != "error"
    ):
        return False
    # A shape requires a value in every example, too.
    return bool(domain.presence.min_fraction >= 1 or domain.HasField("shape"))


def _bound(
    side: str, domain: schema_pb2.Feature, found: statistics_pb2.NumericStatistics
) -> float | None:
    """Finds `min` or `max` of a column, None if there is no bound."""
    limits = domain.int_domain if domain.HasField("int_domain") else domain.float_domain
    if limits.HasField(side):
        bound = getattr(limits, side)
    elif found.common_stats.num_non_missing:
        bound = getattr(found, side)
    else:
        return None
    return _shorten(bound) if math.isfinite(bound) else None


def _shorten(number: float) -> float:
    """Finds the shortest number with the same float32, as int if it is whole."""
    short = float(str(np.float32(number)))
    return int(short) if short.is_integer() and abs(short) < _EXACT_FLOAT else short


def _allowed_words(
    feature: Feature,
    listed: Iterable[str],
    seen: list[str],
    found: statistics_pb2.StringStatistics,
) -> tuple[str, ...] | None:
    """Lists the words that a column may hold, None if it may hold any."""
    if isinstance(feature, Boolean):
        known = [*feature.true_words, *feature.false_words]
        variants = {fold(word) for word in known for fold in (str.lower, str.upper, str.title)}
        return tuple(sorted(variants.union(known, seen) - _NO_WORDS))
    if not isinstance(feature, Categorical):
        return None
    if not listed and len(seen) == found.unique <= _MAX_WORDS:
        listed = seen
    if not listed or not _NO_WORDS.isdisjoint(listed):
        return None
    return tuple(sorted(set(listed)))
