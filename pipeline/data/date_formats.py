"""Recognizes the format of a date, among those that a `datetime` feature reads."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from trainer.settings.date_format import UNIX_FORMATS, compiled_pattern, has_code

_PADDED_DAYS = ("%d.%m.%y", "%d-%m-%y", "%m-%d-%y", "%Y%m%d", "%Y-%m", "%Y/%m", "%m/%Y")
"""Days that need all their leading zeros, as they look like other numbers else."""
_MONTHS_ONLY = ("%Y-%m", "%Y/%m", "%m/%Y", "%b %Y", "%b-%Y", "%Y-%b", "%b-%y")
_DAYS = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d"),
    *("%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y"),
    *("%m/%d/%y", "%d/%m/%y", "%d.%m.%y", "%d-%m-%y", "%m-%d-%y"),
    *("%d %b %Y", "%d-%b-%Y", "%d/%b/%Y", "%d. %b %Y", "%d %b, %Y", "%d%b%Y"),
    *("%d %b %y", "%d-%b-%y", "%d%b%y"),
    *("%b %d, %Y", "%b %d %Y", "%b-%d-%Y", "%Y-%b-%d", "%Y %b %d"),
    *("%a %b %d %H:%M:%S %Y", "%a %b %d %H:%M:%S %z %Y"),
    *_MONTHS_ONLY,
)
"""In order of preference where several fit."""
_WEEKDAYS = ("", "%a, ", "%a ")
_JOINS = (" ", "T", ", ", ":", " at ", "")
_TIMES = (
    *("%I:%M:%S %p", "%I:%M:%S%p", "%I:%M %p", "%I:%M%p", "%I %p", "%I%p", "%I:%M:%S.%f %p"),
    *("%I.%M.%S %p", "%I.%M.%S.%f %p", "%I.%M %p"),
    *("%H:%M:%S.%f", "%H:%M:%S,%f", "%H:%M:%S", "%H:%M", "%H.%M.%S", "%H.%M"),
)
_PACKED_TIMES = ("%H%M%S", "%H%M")
_ZONES = ("", " %z", "%z")
_ZONE_NAME = re.compile(r" (?!AM|PM|UTC|GMT)[A-Z]{2,5}| \([A-Za-z ]{2,40}\)")
"""The name of a time zone, which has to be the same in all dates as it is a part of the format."""
_PACKED_WIDTHS = {"%Y%m%d": 8, "%Y%m%d%H%M": 12, "%Y%m%d%H%M%S": 14}
_NUMBER = re.compile(r"[+-]?[0-9]*([.][0-9]*)?([eE][+-]?[0-9]+)?")
_COUNT = re.compile(r"[0-9]{9,19}([.][0-9]+)?")
_FIRST, _LAST = 631_152_000, 4_102_444_800
"""Seconds from 1970 to 1990 and to 2100, between which large numbers are taken for dates."""
_TIME_NAME = re.compile(
    r"(.*[\W_])?(time|timestamp|ts|date|datetime|day|epoch|unix|created|updated|modified|at|ms|ns)"
    r"([\W_].*)?|.*(timestamp|datetime|epoch)|.*[a-z](Time|Date|At|Ts)",
    re.IGNORECASE,
)
_SAMPLE = 20
_NEARLY_ALL = 0.8
_ATTEMPTS = 5
"""Words of the sample of which one at least must be a date; most columns have none."""


def find_formats(words: Sequence[str], name: str) -> tuple[str, ...]:
    """Finds the formats that fit at least half of some words, the likeliest first.

    Args:
        words: Some cells of a column.
        name: Name of the column. Numbers are only taken for time since 1970 if it speaks of time.
    """
    sample = words[:: max(1, len(words) // _SAMPLE)]
    if not any(True for word in sample[:_ATTEMPTS] for _ in _formats_of(word, name)):
        return ()
    fits = Counter(found for word in sample for found in set(_formats_of(word, name)))
    if fits["iso"] == len(sample):  # others that fit too read the same
        return ("iso",)
    likely = [found for found, count in fits.items() if 2 * count >= len(sample)]
    return tuple(sorted(likely, key=_preference))


def mixed_formats(words: Sequence[str], name: str) -> tuple[str, ...]:
    """Finds the formats by which words are dates if they are written in several ways.

    Args:
        words: Some cells of a column.
        name: Name of the column.

    Returns:
        The formats of nearly all of the words, of which each fits some; none if the words are not
        dates.
    """
    sample = words[:: max(1, len(words) // _SAMPLE)]
    fits = {word: set(_formats_of(word, name)) for word in sample}
    found: list[str] = []
    while left := [formats for formats in fits.values() if formats and not formats & {*found}]:
        commonest = Counter(date_format for formats in left for date_format in formats)
        found.append(min(commonest, key=lambda each: (-commonest[each], _preference(each))))
    are_dates = sum(map(bool, fits.values())) >= _NEARLY_ALL * len(fits)
    return tuple(found) if are_dates and len(found) > 1 else ()


def packed_width(date_format: str) -> int | None:
    """Gives the number of digits of a format of nothing else; None for other formats."""
    return _PACKED_WIDTHS.get(date_format)


def _formats_of(word: str, name: str) -> Iterator[str]:
    if not 6 <= len(word) <= 50 or sum(mark.isdigit() for mark in word) < 2:
        return
    if _NUMBER.fullmatch(word) and len(word) not in _PACKED_WIDTHS.values():
        if _COUNT.fullmatch(word) and _TIME_NAME.fullmatch(name):
            yield from _units_of(float(word))
        return
    if _fullmatch("iso", word):
        yield "iso"
    has_names = any(map(str.isalpha, word))
    for weekday in _WEEKDAYS if word[0].isalpha() else ("",):
        for day in _DAYS:
            if not has_names and ("%b" in day or "%a" in day):
                continue
            start = _match(weekday + day, word)
            if start and (day not in _PADDED_DAYS or _is_padded(day, start.group())):
                rest = word[start.end() :]
                found = _spell(weekday + day, start)
                yield from (found + time for time in _times_of(rest, day))


def _units_of(number: float) -> Iterator[str]:
    yield from (name for name, unit in UNIX_FORMATS.items() if _FIRST <= number / unit < _LAST)


def _times_of(rest: str, day: str) -> Iterator[str]:
    """Yields the formats of what follows a day."""
    if not rest:
        yield ""
    if not rest or day in _MONTHS_ONLY or has_code(day, "H"):
        return
    is_packed = day == "%Y%m%d"
    for join in _JOINS:
        if not rest.startswith(join) or (join == "" and not is_packed):
            continue
        for time in _PACKED_TIMES if is_packed and join in ("", "T") else _TIMES:
            found = _match(time, rest[len(join) :])
            if found is None or (is_packed and len(found.group()) != 2 * time.count("%")):
                continue
            left = rest[len(join) + found.end() :]
            yield from (join + time + zone for zone in _zones_of(left))


def _zones_of(left: str) -> Iterator[str]:
    """Yields the formats of what follows a time."""
    for zone in _ZONES:
        found = _match(zone, left)
        name = left[found.end() :] if found else ""
        if found and (not name or _ZONE_NAME.fullmatch(name)):
            yield zone + name


def _is_padded(day: str, text: str) -> bool:
    return len(text) == sum({"Y": 4}.get(code, 2) for code in re.findall("%(.)", day)) + len(
        re.sub("%.", "", day)
    )


def _spell(date_format: str, found: "re.Match[str]") -> str:
    """Gives a format with `%B` or `%A` where the text has whole words, as people expect."""
    name = found.groupdict().get("b")
    return date_format.replace("%b", "%B") if name and len(name.rstrip(".")) > 4 else date_format


def _preference(date_format: str) -> tuple[int, str]:
    """Orders formats: iso first, then by day."""
    day = date_format.replace("%B", "%b").removeprefix("%a, ").removeprefix("%a ")
    ranks = (rank for rank, known in enumerate(_DAYS) if day.startswith(known))
    return (-1 if date_format == "iso" else next(ranks, len(_DAYS))), date_format


def _match(date_format: str, text: str) -> "re.Match[str] | None":
    return compiled_pattern(date_format).match(text)


def _fullmatch(date_format: str, text: str) -> bool:
    return bool(compiled_pattern(date_format).fullmatch(text))
