"""What a pushed model's raw columns held: as the schema has it, else as the train split does."""

import math
from collections.abc import Iterable, Mapping

import numpy as np
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from components.data_gate.words import domain_words
from serving.models.columns import Column
from trainer.settings.features import Boolean, Categorical, Feature, Numeric

_MAX_WORDS = 1000
"""Seen words beyond which a column is not held to them: TFDV keeps no more of a column."""
_NO_WORDS = frozenset({"__BYTES_VALUE__", "__LARGE_BYTES__"})
"""What TFDV puts in place of bytes that are no text, and of long ones."""
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
        statistics: Of the train split; numbers are those of float32.

    Returns:
        Column by name, in the order of the features. It is required if the schema allows no gap
        and the feature's `gap` takes nothing in its place. Each bound of a number is the schema's,
        or else that of the train split. Words are those of the schema, or else all of the train
        split where the statistics know them, at most 1000; of a boolean, those that it knows, in
        small and capital letters; of a date, any. The example is the median or the most frequent
        word; of a column without a value 0 or an empty word.
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
            columns[name] = Column(next(likely, ""), is_required, words=words)
    return columns


def _is_required(feature: Feature, domain: schema_pb2.Feature) -> bool:
    if isinstance(feature, Numeric) and feature.fill != "error":
        return False
    # A shape leaves no room for gaps either.
    return bool(domain.presence.min_fraction >= 1 or domain.HasField("shape"))


def _bound(
    side: str, domain: schema_pb2.Feature, found: statistics_pb2.NumericStatistics
) -> float | None:
    """Gives `min` or `max` of a column, None for any number."""
    limits = domain.int_domain if domain.HasField("int_domain") else domain.float_domain
    if limits.HasField(side):
        bound = getattr(limits, side)
    elif found.common_stats.num_non_missing:
        bound = getattr(found, side)
    else:
        return None
    return _shorten(bound) if math.isfinite(bound) else None


def _shorten(number: float) -> float:
    """Gives the shortest number that is the same float32, without a point if it is whole."""
    short = float(str(np.float32(number)))
    return int(short) if short.is_integer() and abs(short) < _EXACT_FLOAT else short


def _allowed_words(
    feature: Feature,
    listed: Iterable[str],
    seen: list[str],
    found: statistics_pb2.StringStatistics,
) -> tuple[str, ...] | None:
    """Gives the words of a column, None for any."""
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
