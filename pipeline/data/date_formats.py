"""Recognizes the format of dates, among those that a `datetime` feature reads."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

_CODES = {
    "%Y": "(1[5-9]|2[0-9])[0-9]{2}",
    "%m": "(0[1-9]|1[0-2])",
    "%d": "(0[1-9]|[12][0-9]|3[01])",
    "%H": "(0[0-9]|1[0-9]|2[0-3])",
    "%M": "[0-5][0-9]",
    "%S": "[0-5][0-9]",
}
_ISO_REGEX = "%Y-%m-%d([T ]%H:%M(:%S([.][0-9]+)?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?"
_DAYS = (
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y%m%d",
)
_TIMES = ("", " %H:%M", " %H:%M:%S")


def _regex(pattern: str, *, is_padded: bool) -> str:
    """Converts a format to a regular expression.

    Args:
        pattern: The format, with codes such as `%d`.
        is_padded: Whether days, months and hours below 10 need a leading 0.
    """
    for code, digits in _CODES.items():
        pattern = pattern.replace(code, digits if is_padded else digits.replace("(0[", "(0?["))
    return f"^{pattern}$"


_REGEXES = {
    "iso": _regex(_ISO_REGEX, is_padded=True),
    **{
        day + time: _regex((day + time).replace(".", "[.]"), is_padded=day == "%Y%m%d")
        for day in _DAYS
        for time in _TIMES
    },
}
FORMATS = tuple(_REGEXES)
"""All formats; of several that fit, the first is chosen."""


def fitting_formats(words: pa.Array, formats: Sequence[str]) -> tuple[str, ...]:
    """Selects the formats that fit every word.

    Args:
        words: Strings without null.
        formats: The formats of `FORMATS` to try.

    Returns:
        The formats that fit, in the same order.
    """
    # Most columns have no dates, and most formats do not fit even the first word.
    likely = [name for name in formats if _fit(words[:1], name)]
    return tuple(name for name in likely if _fit(words, name))


def has_time(date_format: str, longest: int) -> bool:
    """Whether dates have an hour.

    Args:
        date_format: Their format.
        longest: Number of characters of the longest; decides for `iso`, where the hour is optional.
    """
    return longest > len("2024-05-01") if date_format == "iso" else "%H" in date_format


def _fit(words: pa.Array, name: str) -> bool:
    fits: bool = pc.all(pc.match_substring_regex(words, _REGEXES[name])).as_py()
    return fits
