"""The graph, the checks and Python's datetime read the same dates, and refuse the same texts."""

from datetime import datetime, timedelta, timezone

import pyarrow as pa
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.data.column_rules import make_date_rule
from trainer.features.dates import parse_minutes
from trainer.settings.date_format import is_date as is_date_by_itself

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
PATTERNS = [
    "%Y-%m-%d",
    "%d.%m.%Y %H:%M:%S",
    "%m/%d/%y %I:%M %p",
    "%d-%b-%Y",
    "%B %d, %Y",
    "%d%b%Y:%H:%M:%S",
    "%a, %d %b %Y %H:%M:%S %z",
    "%A %Y/%m/%d",
    "%Y%m%dT%H%M%S.%f",
    "%Y-%m-%d %H:%M:%S.%f%z",
    "%b %Y",
    "%m/%Y",
]
NUMBERS_ONLY = ["%Y-%m-%d", "%d.%m.%y", "%m/%d/%Y", "%m/%Y"]
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda n: timezone(timedelta(minutes=n)))
_DAY = datetime.fromisoformat
INSTANTS = st.datetimes(_DAY("1000-01-02"), _DAY("9998-12-31"), timezones=ZONES)
RECENT = st.datetimes(_DAY("1969-01-02"), _DAY("2068-12-30"), timezones=ZONES)
MARKS = st.sampled_from("0123456789 :/-.,+TZapmM\n\u017f")  # the last is an s in lower case
Minutes = list[int | None]


@st.composite
def broken(draw: st.DrawFn, text: str) -> str:
    """Draws a text in which a character is replaced, left out or added."""
    place = draw(st.integers(0, len(text)))
    return text[:place] + draw(st.just("") | MARKS) + text[place + draw(st.integers(0, 1)) :]


def by_graph(texts: list[str], date_format: str) -> Minutes:
    minutes, is_date = parse_minutes(tf.constant(texts)[:, tf.newaxis], date_format)
    pairs = zip(minutes.numpy().ravel().tolist(), is_date.numpy().ravel(), strict=True)
    return [minute if is_a_date else None for minute, is_a_date in pairs]


def by_check(texts: list[str], date_format: str) -> Minutes:
    rule = make_date_rule(date_format)
    column = pa.array(texts, pa.string())
    minutes, is_date = rule.reader.read(column)
    assert rule.reader.find_dates(column).tolist() == is_date.tolist()
    assert (~rule.find_wrong(column)).tolist() == is_date.tolist()
    assert [is_date_by_itself(text, date_format) for text in texts] == is_date.tolist()
    pairs = zip(minutes.tolist(), is_date.tolist(), strict=True)
    return [minute if is_a_date else None for minute, is_a_date in pairs]


def by_python(texts: list[str], pattern: str) -> Minutes:
    found: Minutes = []
    for text in texts:
        try:
            instant = datetime.strptime(text, pattern)  # noqa: DTZ007
        except ValueError:
            found.append(None)
            continue
        zoned = instant if instant.tzinfo else instant.replace(tzinfo=timezone.utc)
        found.append((zoned - EPOCH) // timedelta(minutes=1))
    return found


@settings(deadline=None, max_examples=20)  # the first graph takes longer
@pytest.mark.parametrize("pattern", PATTERNS)
@given(data=st.data())
def test_dates_are_read_as_by_python(pattern: str, data: st.DataObject) -> None:
    instants = data.draw(st.lists(RECENT if "%y" in pattern else INSTANTS, min_size=1))
    texts = [instant.strftime(pattern) for instant in instants]
    expected = by_python(texts, pattern)

    assert by_graph(texts, pattern) == expected
    assert by_check(texts, pattern) == expected
    assert by_check([text.upper() for text in texts], pattern) == expected


@settings(deadline=None, max_examples=20)  # the first graph takes longer
@pytest.mark.parametrize("date_format", [*PATTERNS, "iso", "unix", "unix_ms"])
@given(data=st.data())
def test_graph_and_check_refuse_the_same(date_format: str, data: st.DataObject) -> None:
    instants = data.draw(st.lists(INSTANTS, min_size=1))
    if date_format == "iso":
        texts = [instant.isoformat() for instant in instants]
    elif date_format.startswith("unix"):
        texts = [str(instant.timestamp()) for instant in instants]
    else:
        texts = [instant.strftime(date_format) for instant in instants]
    texts = [data.draw(broken(text)) for text in texts]

    assert by_graph(texts, date_format) == by_check(texts, date_format)


@settings(deadline=None, max_examples=50)  # the first graph takes longer
@pytest.mark.parametrize("pattern", NUMBERS_ONLY)
@given(
    st.lists(
        st.builds(
            "{:{wide}}{}{:{wide}}{}{:{wide}}".format,
            *(st.integers(0, 32), st.sampled_from("-./"), st.integers(0, 32)),
            *(st.sampled_from("-./"), st.integers(0, 9999)),
            wide=st.sampled_from(["", "02"]),
        ),
        min_size=1,
    )
)
def test_numbers_are_dates_where_they_are_for_python(pattern: str, texts: list[str]) -> None:
    assert by_check(texts, pattern) == by_python(texts, pattern)


@pytest.mark.parametrize("name", ["May", "may", "MAY", "SEPT", "Sept.", "september", "Jan."])
def test_months_are_named_in_any_case(name: str) -> None:
    texts = [f"5 {name} 2024", f"5th  {name} 2024"]
    short = name[:3].title()

    assert by_graph(texts, "%d %b %Y") == by_python([f"5 {short} 2024"] * 2, "%d %b %Y")
    assert by_graph(texts, "%d %B %Y") == by_check(texts, "%d %B %Y") == by_check(texts, "%d %b %Y")


@pytest.mark.parametrize(
    ("zone", "hours"),
    [("Z", 0), ("UTC", 0), ("gmt", 0), ("+02:00", -2), ("-0530", 5.5), ("GMT+01", -1)],
)
def test_zones_are_offsets_from_utc(zone: str, hours: float) -> None:
    texts = [f"01 May 2024 12:00 {zone}"]
    expected = by_python(["01 May 2024 12:00"], "%d %b %Y %H:%M")

    assert by_graph(texts, "%d %b %Y %H:%M %z") == [(expected[0] or 0) + hours * 60]
    assert by_check(texts, "%d %b %Y %H:%M %z") == [(expected[0] or 0) + hours * 60]


@pytest.mark.parametrize("zone", ["EST", "CET", "+24:00", "02:00", ""])
def test_other_zones_are_refused(zone: str) -> None:
    texts = [f"01 May 2024 12:00 {zone}"]

    assert by_graph(texts, "%d %b %Y %H:%M %z") == [None]
    assert by_check(texts, "%d %b %Y %H:%M %z") == [None]


@pytest.mark.parametrize(
    ("date_format", "units"),
    [("unix", 1), ("unix_ms", 10**3), ("unix_us", 10**6), ("unix_ns", 10**9)],
)
def test_time_since_1970_is_counted_in_units(date_format: str, units: int) -> None:
    texts = [str(seconds * units) for seconds in (0, -60, 1_714_571_100, 10**12)]

    assert by_graph(texts, date_format) == [0, -1, 28_576_185, None]
    assert by_check(texts, date_format) == [0, -1, 28_576_185, None]
