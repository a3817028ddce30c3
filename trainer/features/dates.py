"""Parses dates and times in the TensorFlow graph, so that serving needs no Python for it."""

import re
from collections.abc import Sequence

import tensorflow as tf

from trainer.features.columns import PART_SIZES
from trainer.settings.feature_names import part_name
from trainer.settings.features import Datetime

_SECONDS = r"[+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?"
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799
"""First and last second of the years 1 to 9999, counted from 1970."""
_HOUR, _SIXTIETH = "([01][0-9]|2[0-3])", "([0-5][0-9])"
_ISO = (
    r"([0-9]{4})-(0[1-9]|1[0-2])-([0-2][0-9]|3[01])"
    rf"(?:[T ]{_HOUR}:{_SIXTIETH}(?::[0-5][0-9](?:[.,][0-9]+)?)?"
    rf"(?: ?(?:Z|UTC|(?:\+|(-)){_HOUR}(?::?{_SIXTIETH})?))?)?"
)
_ISO_FIELDS = (r"\1", r"\2", r"\3", r"0\4", r"0\5", r"\60\7", r"\60\8")
_CODES = {
    "Y": "([0-9]{4})",
    "m": "(1[0-2]|0?[1-9])",
    "d": "(3[01]|[12][0-9]|0?[1-9])",
    "H": "(2[0-3]|[01]?[0-9])",
    "M": "([0-5]?[0-9])",
    "S": "([0-5]?[0-9])",
}
_Parts = dict[str, tf.Tensor]


def date_parts(name: str, text: tf.Tensor, feature: Datetime) -> tuple[_Parts, _Parts]:
    """Splits dates into the configured parts, in UTC.

    Args:
        name: Name of the column.
        text: Dates, string `[batch_size, 1]`.
        feature: Format and parts.

    Returns:
        Two dicts by `part_name`, with values `[batch_size, 1]`. The first holds the year, if
        configured: float32, NaN if the text is not a date in the format. The second holds the other
        parts: int64 ids from 0, for `weekday` from Monday; the last id, `PART_SIZES[part]`, means
        that the text is not a date in the format.
    """
    minutes, is_date = parse_minutes(text, feature.format)
    days, minute_of_day = minutes // 1440, minutes % 1440
    year, month, day = _civil(days)
    ids = {
        "month": month - 1,
        "day": day - 1,
        "weekday": (days + 3) % 7,  # the first day of 1970 was a Thursday
        "hour": minute_of_day // 60,
        "minute": minute_of_day % 60,
    }
    years = {"year": tf.where(is_date, tf.cast(year, tf.float32), float("nan"))}
    return (
        {part_name(name, part): years[part] for part in feature.parts if part in years},
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
        date_format: `iso`, `unix`, or a pattern.

    Returns:
        Whole minutes since 1970 in UTC, int64, and whether the text is a date in that format from
        the years 1 to 9999, bool; both `[batch_size, 1]`.
    """
    if date_format == "unix":
        return _parse_unix(text)
    if date_format == "iso":
        return _parse_fields(text, _ISO, _ISO_FIELDS)
    codes = re.findall("%(.)", date_format)
    literals = [re.escape(literal) for literal in re.split("%.", date_format)]
    pattern = literals[0] + "".join(
        _CODES[code] + literal for code, literal in zip(codes, literals[1:], strict=True)
    )
    fields = [rf"\{codes.index(code) + 1}" if code in codes else "0" for code in "YmdHM"]
    return _parse_fields(text, pattern, [*fields, "0", "0"])


def _parse_unix(text: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    is_number = tf.strings.regex_full_match(text, _SECONDS)
    seconds = tf.strings.to_number(tf.where(is_number, text, "0"), tf.float64)
    is_date = is_number & (seconds >= _FIRST_SECOND) & (seconds < _LAST_SECOND + 1)
    minutes = tf.math.floor(tf.where(is_date, seconds, 0) / 60)
    return tf.cast(minutes, tf.int64), is_date


def _parse_fields(
    text: tf.Tensor, pattern: str, fields: Sequence[str]
) -> tuple[tf.Tensor, tf.Tensor]:
    r"""Parses dates with a regular expression.

    Args:
        text: Dates, string `[batch_size, 1]`.
        pattern: Regular expression in RE2's syntax that matches the whole text.
        fields: Templates of year, month, day, hour, minute, offset's hours and offset's minutes, in
            which `\1` stands for the pattern's first group.
    """
    text = tf.reshape(text, [-1])
    fits = tf.strings.regex_full_match(text, pattern)
    numbers = tf.strings.regex_replace(text, rf"\A{pattern}\z", ",".join(fields))
    numbers = tf.where(fits, numbers, "1970,1,1,0,0,0,0")
    table = tf.strings.to_number(
        tf.strings.split(numbers, ",").to_tensor(shape=[None, len(fields)]), tf.int64
    )
    year, month, day, hour, minute, offset_hour, offset_minute = tf.split(table, len(fields), 1)
    days = _days(year, month, day)
    is_date = fits[:, tf.newaxis] & (year >= 1) & tf.equal(_civil(days)[2], day)  # no February 30
    return days * 1440 + (hour - offset_hour) * 60 + minute - offset_minute, is_date


def _days(year: tf.Tensor, month: tf.Tensor, day: tf.Tensor) -> tf.Tensor:
    """Computes the days since 1970 of a date in the Gregorian calendar, int64.

    Internally a year begins in March, so that a leap day is the last day of its year.

    Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
    """
    year -= tf.cast(month <= 2, tf.int64)
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
