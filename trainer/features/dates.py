"""Parses dates and times in the TensorFlow graph, so that serving needs no Python for it."""

import re
from datetime import date

import tensorflow as tf

from trainer.features.columns import PART_SIZES
from trainer.settings.date_format import MONTHS, PIVOT, UNIX_FORMATS, date_pattern
from trainer.settings.feature_names import part_name
from trainer.settings.features import Datetime

_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799
"""First and last second of the years 1 to 9999, counted from 1970."""
_FIELDS = ("Y", "y", "m", "b", "d", "H", "I", "p", "M", "zs", "zh", "zm")
_DEFAULTS = {"Y": "1970", "y": "70", "m": "1", "b": "jan", "d": "1"}
_Parts = dict[str, tf.Tensor]


def date_parts(name: str, text: tf.Tensor, feature: Datetime) -> tuple[_Parts, _Parts]:
    """Splits dates into the configured parts, in UTC.

    Args:
        name: Name of the column.
        text: Dates, string `[batch_size, 1]`.
        feature: Format and parts.

    Returns:
        Two dicts by `part_name`, with values `[batch_size, 1]`. The first holds the parts that are
        numbers: float32, NaN if the text is not a date in the format; `days` has a fraction if the
        text has a time. The second holds the other parts: int64 ids from 0, for `weekday` from
        Monday; the last id, `PART_SIZES[part]`, means that the text is not a date in the format.
    """
    minutes, is_date = parse_minutes(text, feature.format)
    days, minute_of_day = minutes // 1440, minutes % 1440
    year, month, day = _civil(days)
    epoch = date.fromisoformat(feature.since).toordinal() - date(1970, 1, 1).toordinal()
    numbers = {
        "year": year,
        "day_of_year": days - _days(year, 1, 1) + 1,
        "days": tf.cast(minutes - epoch * 1440, tf.float64) / 1440,
    }
    weekday = (days + 3) % 7  # the first day of 1970 was a Thursday
    thursday = days - weekday + 3
    ids = {
        "quarter": (month - 1) // 3,
        "month": month - 1,
        "week": (thursday - _days(_civil(thursday)[0], 1, 1)) // 7,  # ISO 8601's weeks
        "day": day - 1,
        "weekday": weekday,
        "hour": minute_of_day // 60,
        "minute": minute_of_day % 60,
    }
    return (
        {
            part_name(name, part): tf.where(
                is_date, tf.cast(numbers[part], tf.float32), float("nan")
            )
            for part in feature.parts
            if part in numbers
        },
        {
            part_name(name, part): tf.where(is_date, ids[part], PART_SIZES[part])
            for part in feature.parts
            if part in ids
        },
    )


def parse_minutes(text: tf.Tensor, date_format: str) -> tuple[tf.Tensor, tf.Tensor]:
    """Parses dates of a format that `Datetime` allows.

    Args:
        text: Dates, string `[batch_size, 1]`.
        date_format: `iso`, a format that counts time since 1970, or a pattern.

    Returns:
        Whole minutes since 1970 in UTC, int64, and whether the text is a date in that format from
        the years 1 to 9999, bool; both `[batch_size, 1]`.
    """
    pattern = date_pattern(date_format)
    if date_format in UNIX_FORMATS:
        return _parse_count(text, pattern, UNIX_FORMATS[date_format])
    return _parse_fields(text, pattern)


def _parse_count(text: tf.Tensor, pattern: str, units: int) -> tuple[tf.Tensor, tf.Tensor]:
    is_number = tf.strings.regex_full_match(text, pattern)
    number = tf.strings.to_number(tf.where(is_number, text, "0"), tf.float64)
    seconds = number / units
    is_date = is_number & (seconds >= _FIRST_SECOND) & (seconds < _LAST_SECOND + 1)
    minutes = tf.math.floor(tf.where(is_date, seconds, 0) / 60)
    return tf.cast(minutes, tf.int64), is_date


def _parse_fields(text: tf.Tensor, pattern: str) -> tuple[tf.Tensor, tf.Tensor]:
    """Parses dates with the regular expression of a format."""
    fits = tf.strings.regex_full_match(text, pattern)
    fields = _split_fields(tf.reshape(text, [-1]), tf.reshape(fits, [-1]), pattern)
    year = _number(fields["Y"])
    if "(?P<y>" in pattern:
        short = _number(fields["y"])
        year = short + tf.where(short < PIVOT, tf.constant(2000, tf.int64), 1900)
    month = _number(fields["m"])
    if "(?P<b>" in pattern:
        begin = tf.strings.substr(tf.strings.lower(fields["b"]), 0, 3)
        month = tf.argmax(tf.equal(begin, tf.constant(MONTHS)), axis=1)[:, tf.newaxis] + 1
    day = _number(fields["d"])
    days = _days(year, month, day)
    is_date = fits & (year >= 1) & tf.equal(_civil(days)[2], day)  # no February 30
    is_afternoon = tf.equal(tf.strings.lower(fields["p"]), "p")
    hour = _number(fields["H"]) + _number(fields["I"]) % 12
    hour += tf.where(is_afternoon, tf.constant(12, tf.int64), 0)
    offset = _number(fields["zh"]) * 60 + _number(fields["zm"])
    offset = tf.where(tf.equal(fields["zs"], "-"), -offset, offset)
    return days * 1440 + hour * 60 + _number(fields["M"]) - offset, is_date


def _split_fields(text: tf.Tensor, fits: tf.Tensor, pattern: str) -> _Parts:
    """Splits dates into the texts of their fields.

    Args:
        text: Dates, string `[batch_size]`.
        fits: Whether they match the pattern, bool `[batch_size]`.
        pattern: The regular expression, of at most nine groups, as a replacement has no more.

    Returns:
        Each of `_FIELDS`, string `[batch_size, 1]`: empty if the text lacks it, its default if the
        pattern does, or if the text does not match.
    """
    groups = re.compile(pattern).groupindex
    template = ",".join(
        rf"\{groups[field]}" if field in groups else _DEFAULTS.get(field, "") for field in _FIELDS
    )
    default = ",".join(_DEFAULTS.get(field, "") for field in _FIELDS)
    rows = tf.where(fits, tf.strings.regex_replace(text, rf"\A(?:{pattern})\z", template), default)
    table = tf.strings.split(rows, ",").to_tensor(shape=[None, len(_FIELDS)])
    return dict(zip(_FIELDS, tf.split(table, len(_FIELDS), axis=1), strict=True))


def _number(digits: tf.Tensor) -> tf.Tensor:
    """Converts digits to int64, no digits to 0."""
    return tf.strings.to_number(tf.strings.join(["0", digits]), tf.int64)


def _days(year: tf.Tensor, month: tf.Tensor, day: tf.Tensor) -> tf.Tensor:
    """Computes the days since 1970 of a date in the Gregorian calendar, int64.

    Internally a year begins in March, so that a leap day is the last day of its year.

    Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
    """
    year -= tf.cast(tf.less_equal(month, 2), tf.int64)
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return 365 * year + year // 4 - year // 100 + year // 400 + day_of_year - 719_468


def _civil(days: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Computes year, month and day from days since 1970; the inverse of `_days`.

    Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
    """
    days += 719_468
    era, day = days // 146_097, days % 146_097  # 400 years have 146,097 days
    year = (day - day // 1460 + day // 36_524 - day // 146_096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5 - 1
    month = (month + 2) % 12 + 1
    return era * 400 + year + tf.cast(month <= 2, tf.int64), month, day
