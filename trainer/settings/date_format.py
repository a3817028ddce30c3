"""Formats of dates as regular expressions, from which graph and checks are made; no TensorFlow.

The graph reads dates, and the checks of CSV files accept them, by the same expression, in the
syntax that RE2 and Python's `re` share. Its named groups are the fields of a date:

    Y, y          year of four digits; of two: 69 to 99 are 1969 to 1999, 00 to 68 are 2000 to 2068
    m, b          month as a number; as an English word
    d             day of the month
    H, I, p       hour; hour from 1 to 12, with the A or P of AM or PM
    M             minute
    zs, zh, zm    offset from UTC: `-` if before it, hours, minutes

Seconds and their fractions have no group, as parts of dates are whole minutes.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime, timezone
from functools import cache

UNIX_FORMATS: Mapping[str, int] = {
    "unix": 1,
    "unix_ms": 1_000,
    "unix_us": 1_000_000,
    "unix_ns": 1_000_000_000,
}
"""Formats that count time since 1970, to the number of their units in a second."""

PIVOT = 69
"""The first of the two-digit years that are in the 20th century."""

NAMED_FORMATS = ("iso", *UNIX_FORMATS)
"""Formats that are not patterns of codes."""
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799  # of the years 1 to 9999
_NUMBER = r"[+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?"
_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august"),
    *("september", "october", "november", "december"),
)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = tuple(month[:3] for month in _MONTHS)
"""The first letters of the months, in lower case, by which a group `b` is read."""


def _in_any_case(text: str) -> str:
    return "".join(
        f"[{mark.upper()}{mark}]" if mark.isalpha() else re.escape(mark) for mark in text
    )


def _any_of(names: tuple[str, ...], *more: str) -> str:
    """Matches names, their first three letters, perhaps with a point, and further spellings."""
    spellings = [*names, *more, *(f"{name[:3]}." for name in names), *(n[:3] for n in names)]
    return "|".join(map(_in_any_case, spellings))


_SIXTIETH = "[0-5][0-9]"
_ZONE = (
    f"(?:{_in_any_case('utc')}|{_in_any_case('gmt')})?"
    rf"(?:\+|(?P<zs>-))(?P<zh>[01][0-9]|2[0-3])(?::?(?P<zm>{_SIXTIETH}))?"
    f"|{_in_any_case('utc')}|{_in_any_case('gmt')}|[Zz]"
)
_CODES: Mapping[str, str] = {
    "Y": "(?P<Y>[0-9]{4})",
    "y": "(?P<y>[0-9]{2})",
    "m": "(?P<m>1[0-2]|0?[1-9])",
    "b": f"(?P<b>{_any_of(_MONTHS, 'sept.', 'sept')})",
    "B": f"(?P<b>{_any_of(_MONTHS, 'sept.', 'sept')})",
    "d": "(?P<d>3[01]|[12][0-9]|0?[1-9])",
    "H": "(?P<H>2[0-3]|[01]?[0-9])",
    "I": "(?P<I>1[0-2]|0?[1-9])",
    "p": r"(?P<p>[AaPp])\.?[Mm]\.?",
    "M": "(?P<M>[0-5]?[0-9])",
    "S": "[0-5]?[0-9]",
    "f": "[0-9]{1,9}",
    "z": f"(?:{_ZONE})",
    "a": f"(?:{_any_of(_DAYS)})",
    "A": f"(?:{_any_of(_DAYS)})",
}
CODES = " ".join(f"%{code}" for code in _CODES)
"""The codes of patterns, for descriptions and messages."""
_ORDINAL = f"(?:{'|'.join(map(_in_any_case, ('st', 'nd', 'rd', 'th')))})?"
_ISO = (
    "(?P<Y>[0-9]{4})-(?P<m>0[1-9]|1[0-2])-(?P<d>[0-2][0-9]|3[01])"
    rf"(?:[Tt ](?P<H>[01][0-9]|2[0-3]):(?P<M>{_SIXTIETH})(?::{_SIXTIETH}(?:[.,][0-9]+)?)?"
    f"(?: ?(?:{_ZONE}))?)?"
)
_EXCLUSIVE = ("Yy", "mbB", "HI", "aA")
_NEEDS = {"I": "p", "p": "I", "M": "HI", "S": "M", "f": "S", "z": "HI"}


def check_date_format(text: str) -> str:
    """Returns a format if it can be read.

    Raises:
        ValueError: If it is not the name of a format, and not a pattern of known codes that fit
            together.
    """
    if text in NAMED_FORMATS:
        return text
    codes = [text[index + 1 : index + 2] for index, mark in enumerate(text) if mark == "%"]
    unknown = [f"%{code}" for code in codes if code not in _CODES]
    if not codes or unknown:
        found = repr(unknown[0]) if unknown else "no code"
        raise ValueError(
            f"'{text}' has {found}; expected iso, unix, unix_ms, unix_us, unix_ns, or a pattern of"
            f" {CODES}"
        )
    for code in codes:
        alike = next((group for group in _EXCLUSIVE if code in group), code)
        if sum(codes.count(each) for each in alike) > 1:
            raise ValueError(f"'{text}' has {' or '.join(f'%{each}' for each in alike)} twice")
        needed = _NEEDS.get(code, code)
        if not set(needed) & set(codes):
            raise ValueError(f"'{text}' has %{code}, which needs %{' or %'.join(needed)}")
    for needed in ("Yy", "mbB"):
        if not set(needed) & set(codes):
            raise ValueError(f"'{text}' must contain %{' or %'.join(needed)}")
    return text


def date_pattern(date_format: str) -> str:
    """Makes the regular expression of a format, which has to match a whole text.

    Blanks in the format match one blank or more.

    Args:
        date_format: A format that `check_date_format` accepts.

    Returns:
        The expression, with the named groups of the module's docstring; none for a count of time.
    """
    if date_format in UNIX_FORMATS:
        return _NUMBER
    if date_format == "iso":
        return _ISO
    parts = re.split("%(.)", date_format)
    has_month_name = bool({"b", "B"} & set(parts[1::2]))
    literals = [re.escape(part).replace(r"\ ", " +") for part in parts[::2]]
    codes = [_CODES[code] + _ORDINAL * (code == "d" and has_month_name) for code in parts[1::2]]
    return "".join(literal + code for literal, code in zip(literals, [*codes, ""], strict=True))


def is_date(text: str, date_format: str) -> bool:
    """Whether a text is a date of the years 1 to 9999 in a format, as graph and checks see it."""
    found = compiled_pattern(date_format).fullmatch(text)
    if found is None:
        return False
    if date_format in UNIX_FORMATS:
        return _FIRST_SECOND <= float(text) / UNIX_FORMATS[date_format] < _LAST_SECOND + 1
    fields = found.groupdict()
    year = int(fields.get("Y") or fields["y"])
    if "y" in fields:
        year += 1900 if year >= PIVOT else 2000
    name = fields.get("b")
    month = MONTHS.index(name[:3].lower()) + 1 if name else int(fields["m"])
    try:
        date(year, month, int(fields.get("d") or 1))
    except ValueError:
        return False
    return True


@cache
def compiled_pattern(date_format: str) -> "re.Pattern[str]":
    """Compiles `date_pattern` once."""
    return re.compile(date_pattern(date_format))


def date_example(date_format: str) -> str:
    """Gives a date in a format: 1 May 2024, 13:45 in UTC."""
    example = datetime(2024, 5, 1, 13, 45, tzinfo=timezone.utc)
    if date_format in UNIX_FORMATS:
        return str(int(example.timestamp()) * UNIX_FORMATS[date_format])
    if date_format == "iso":
        return "2024-05-01 or 2024-05-01T13:45:00+02:00"
    return example.strftime(date_format)


def has_code(date_format: str, codes: str) -> bool:
    """Whether a pattern has one of some codes: `has_code("%H:%M", "HI")`."""
    return any(f"%{code}" in date_format for code in codes)
