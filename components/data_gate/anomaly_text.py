"""Describes anomalies: what the schema expects, what was found, and in how many examples."""

from collections.abc import Sequence

from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

_Info = anomalies_pb2.AnomalyInfo
_Statistics = statistics_pb2.FeatureNameStatistics
_WORDS_SHOWN = 5
_CHARS_SHOWN = 40
_UNEXPECTED_WORDS = {
    _Info.BOOL_TYPE_UNEXPECTED_STRING,
    _Info.DOMAIN_INVALID_FOR_TYPE,
    _Info.ENUM_TYPE_UNEXPECTED_STRING_VALUES,
}
_MISSING_VALUES = {
    _Info.FEATURE_TYPE_LOW_FRACTION_PRESENT,
    _Info.FEATURE_TYPE_LOW_NUMBER_PRESENT,
    _Info.FEATURE_TYPE_NOT_PRESENT,
    _Info.INVALID_FEATURE_SHAPE,
    _Info.SCHEMA_MISSING_COLUMN,
}
_TOO_GREAT = {_Info.BOOL_TYPE_BIG_INT, _Info.FLOAT_TYPE_BIG_FLOAT, _Info.INT_TYPE_BIG_INT}
_TOO_SMALL = {_Info.BOOL_TYPE_SMALL_INT, _Info.FLOAT_TYPE_SMALL_FLOAT, _Info.INT_TYPE_SMALL_INT}


def explain(
    reason: anomalies_pb2.AnomalyInfo.Reason,
    expected: schema_pb2.Feature | None,
    schema: schema_pb2.Schema,
    found: statistics_pb2.FeatureNameStatistics | None,
    examples: int,
) -> str | None:
    """Describes one anomaly.

    Args:
        reason: The anomaly as TFDV reports it.
        expected: The column in the schema, None if the schema does not have it.
        schema: The schema, which may hold lists of words that several columns share.
        found: The statistics of the column, None if there are none.
        examples: Number of examples in the split.

    Returns:
        One line; None if there is no anomaly. From a label of whole numbers, TFDV infers a schema
        that lists them as words, and then reports that schema as invalid.
    """
    if found is None or expected is None:
        return _without_counterpart(expected, found, examples)
    if reason.type in _UNEXPECTED_WORDS and found.HasField("string_stats"):
        return _words(domain_words(expected, schema), found.string_stats, examples)
    if reason.type in _MISSING_VALUES:
        if reason.type == _Info.INVALID_FEATURE_SHAPE:  # a shape requires a value everywhere
            expected = schema_pb2.Feature(presence=schema_pb2.FeaturePresence(min_fraction=1))
        return _missing_values(expected.presence, found, examples)
    if reason.type in _TOO_GREAT | _TOO_SMALL and found.HasField("num_stats"):
        return _range(expected, found.num_stats, reason.type in _TOO_GREAT, examples)
    if _type_of(found) != expected.type:
        return (
            f"expected {schema_pb2.FeatureType.Name(expected.type)}; found"
            f" {schema_pb2.FeatureType.Name(_type_of(found))} in"
            f" {_of(_present(found), examples)}"
        )
    words = " ".join(reason.description.split()).rstrip(".")
    return f"{words}; {_of(_present(found), examples)} have a value"


def domain_words(feature: schema_pb2.Feature, schema: schema_pb2.Schema) -> Sequence[str]:
    """Lists the words that a column may hold; empty if it may hold any."""
    if feature.HasField("bool_domain"):
        return [
            word
            for word in (feature.bool_domain.true_value, feature.bool_domain.false_value)
            if word
        ]
    if feature.HasField("string_domain"):
        return list(feature.string_domain.value)
    return [
        word
        for domain in schema.string_domain
        if feature.domain and feature.domain == domain.name
        for word in domain.value
    ]


def _without_counterpart(
    expected: schema_pb2.Feature | None,
    found: statistics_pb2.FeatureNameStatistics | None,
    examples: int,
) -> str:
    if expected is None:
        count = 0 if found is None else _present(found)
        return f"expected no column of this name; found values in {_of(count, examples)}"
    return f"expected a column of this name; found it in none of {examples:,} examples"


def _words(
    allowed: Sequence[str], found: statistics_pb2.StringStatistics, examples: int
) -> str | None:
    counts = {
        bucket.label: int(bucket.sample_count)
        for bucket in found.rank_histogram.buckets
        if bucket.label not in allowed
    }
    if not counts:
        return None
    known = ", ".join(map(_quote, allowed))
    rule = known if len(allowed) <= _WORDS_SHOWN else f"the schema's {len(allowed)} words"
    shown = ", ".join(
        f"{_quote(word)} ({count:,})" for word, count in [*counts.items()][:_WORDS_SHOWN]
    )
    more = f" and {len(counts) - _WORDS_SHOWN:,} more" * (len(counts) > _WORDS_SHOWN)
    at_least = "at least " * (found.unique > len(found.rank_histogram.buckets))
    count = _of(sum(counts.values()), examples)
    return f"expected one of {rule}; found {shown}{more}, in {at_least}{count}"


def _missing_values(
    presence: schema_pb2.FeaturePresence,
    found: statistics_pb2.FeatureNameStatistics,
    examples: int,
) -> str:
    if presence.min_fraction >= 1:
        rule = "every example"
    elif presence.min_fraction > 0:
        rule = f"at least {presence.min_fraction:.4g} of the examples"
    else:
        rule = f"at least {presence.min_count:,} examples"
    empty = _of(examples - _present(found), examples)
    return f"expected a value in {rule}; found an empty cell in {empty}"


def _range(
    expected: schema_pb2.Feature,
    found: statistics_pb2.NumericStatistics,
    is_too_great: bool,
    examples: int,
) -> str:
    low, high = _bounds(expected)
    bound, extreme = (high, found.max) if is_too_great else (low, found.min)
    count = 0.0
    for bucket in _histogram(found):
        width = bucket.high_value - bucket.low_value
        beyond = (
            bucket.high_value - max(bucket.low_value, bound)
            if is_too_great
            else min(bucket.high_value, bound) - bucket.low_value
        )
        share = min(max(beyond / width, 0.0), 1.0) if width > 0 else float(beyond >= 0)
        count += share * bucket.sample_count
    side, end = ("most", "up to") if is_too_great else ("least", "down to")
    number = _of(max(round(count), 1), examples)
    return f"expected at {side} {bound:g}; found {end} {extreme:g}, in about {number}"


def _bounds(expected: schema_pb2.Feature) -> tuple[float, float]:
    if expected.HasField("bool_domain"):
        return 0, 1
    domain = expected.int_domain if expected.HasField("int_domain") else expected.float_domain
    return domain.min, domain.max


def _histogram(
    found: statistics_pb2.NumericStatistics,
) -> Sequence[statistics_pb2.Histogram.Bucket]:
    return next(
        (
            histogram.buckets
            for histogram in found.histograms
            if histogram.type == statistics_pb2.Histogram.STANDARD
        ),
        [],
    )


def _type_of(found: statistics_pb2.FeatureNameStatistics) -> int:
    types = {_Statistics.INT: schema_pb2.INT, _Statistics.FLOAT: schema_pb2.FLOAT}
    return int(types.get(found.type, schema_pb2.BYTES))


def _present(found: statistics_pb2.FeatureNameStatistics) -> int:
    common = getattr(found, found.WhichOneof("stats")).common_stats
    return min(int(common.num_non_missing), int(common.tot_num_values))


def _of(count: int, examples: int) -> str:
    return f"{count:,} of {examples:,} examples"


def _quote(word: str) -> str:
    return repr(word if len(word) <= _CHARS_SHOWN else f"{word[:_CHARS_SHOWN]}...")
