"""Dates parsed in the TensorFlow graph, compared with Python's datetime."""

import math
from datetime import datetime, timedelta, timezone
from typing import Any, get_args

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.features.dates import date_parts, parse_minutes
from trainer.settings.feature_names import part_name
from trainer.settings.features import DatePart, Datetime

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
SINCE = datetime.fromisoformat("2000-01-01")
# Not the first and last year, where an offset may exceed the range of datetime.
INSTANTS = st.datetimes(datetime.fromisoformat("0002-01-01"), datetime.fromisoformat("9998-12-31"))
OFFSETS = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda n: timezone(timedelta(minutes=n)))


def parse(texts: list[str], date_format: str) -> list[int | None]:
    """Returns the minutes since 1970 of each text; None if it is not a date."""
    minutes, is_date = parse_minutes(tf.constant(texts)[:, tf.newaxis], date_format)
    assert (minutes.shape, is_date.shape) == ((len(texts), 1), (len(texts), 1))
    pairs = zip(minutes.numpy().ravel().tolist(), is_date.numpy().ravel(), strict=True)
    return [minute if is_a_date else None for minute, is_a_date in pairs]


def minutes_of(instant: datetime) -> int:
    return (instant - EPOCH) // MINUTE


@settings(deadline=None)  # the first graph takes longer
@given(st.lists(st.tuples(INSTANTS, OFFSETS), min_size=1, max_size=50), st.sampled_from("T "))
def test_parse_minutes_iso_matches_datetime(
    instants: list[tuple[datetime, timezone]], separator: str
) -> None:
    zoned = [instant.replace(tzinfo=zone) for instant, zone in instants]

    assert parse([each.isoformat(separator) for each in zoned], "iso") == [
        minutes_of(each) for each in zoned
    ]


@settings(deadline=None)  # the first graph takes longer
@given(st.lists(INSTANTS, min_size=1, max_size=50))
@pytest.mark.parametrize(
    "pattern",
    ["%d.%m.%Y %H:%M:%S", "%m/%d/%Y", "%Y%m%d%H%M", "a.b(%Y)[%m]%d", "%S|%M|%H, %Y-%m-%d"],
)
def test_parse_minutes_pattern_matches_strptime(pattern: str, instants: list[datetime]) -> None:
    # strftime does not pad a year below 1000 with zeros, as strptime requires.
    texts = [f"{instant:{pattern.replace('%Y', f'{instant.year:04d}')}}" for instant in instants]

    assert parse(texts, pattern) == [
        minutes_of(datetime.strptime(text, pattern).replace(tzinfo=timezone.utc)) for text in texts
    ]


@settings(deadline=None)  # the first graph takes longer
@given(st.lists(st.integers(-62_135_596_799, 253_402_300_799), min_size=1, max_size=50))
@pytest.mark.parametrize("form", ["{}", "{}.0", "{}e0", "{}.999"])
def test_parse_minutes_reads_unix_seconds(form: str, seconds: list[int]) -> None:
    texts = [form.format(each) for each in seconds]

    assert parse(texts, "unix") == [math.floor(float(text) / 60) for text in texts]


@pytest.mark.parametrize(
    ("date_format", "texts"),
    [
        (
            "iso",
            [
                *("", "2024", "2024-5-01", "2024-13-01", "2024-00-10", "2024-04-31", "2023-02-29"),
                *("1900-02-29", "0000-01-01", "2024-05-00", "2024-05-01T", "2024-05-01T24:00"),
                *("2024-05-01T10", "2024-05-01T10:60", "2024-05-01T10:00:60", " 2024-05-01"),
                *("2024-05-01Z", "2024-05-01T10:00+24:00", "2024-05-01\n", "12024-05-01", "\xff"),
            ],
        ),
        ("unix", ["", "-", "1,5", "0x10", "nan", "inf", "1e20", "-62135596801", "253402300800"]),
        ("%d.%m.%Y", ["", "31.04.2024", "1.5.24", "1.13.2024", "01-05-2024", "01x05x2024"]),
    ],
)
def test_parse_minutes_rejects_other_text(date_format: str, texts: list[str]) -> None:
    assert parse(texts, date_format) == [None] * len(texts)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-02-29", "2024-02-29T00:00"),
        ("2000-02-29 23:59:59,999", "2000-02-29T23:59"),
        ("2024-05-01T00:30:00Z", "2024-05-01T00:30"),
        ("2024-05-01 00:30 UTC", "2024-05-01T00:30"),
        ("2024-01-01T00:30+01:00", "2023-12-31T23:30"),
        ("2024-05-01 12:00:00.5-0230", "2024-05-01T14:30"),
        ("2024-05-01 12:00:00+02", "2024-05-01T10:00"),
    ],
)
def test_parse_minutes_reads_iso_variants(text: str, expected: str) -> None:
    instant = datetime.fromisoformat(expected).replace(tzinfo=timezone.utc)

    assert parse([text], "iso") == [minutes_of(instant)]


def test_parse_minutes_reads_unpadded_numbers() -> None:
    assert parse(["1/5/2024 3:04"], "%d/%m/%Y %H:%M") == parse(["2024-05-01 03:04"], "iso")


@settings(deadline=None)  # the first graph takes longer
@given(st.lists(INSTANTS, min_size=1, max_size=50))
def test_date_parts_match_datetime(instants: list[datetime]) -> None:
    feature = Datetime(parts=get_args(DatePart), since="2000-01-01")
    texts = tf.constant([[instant.isoformat()] for instant in instants])

    numbers, ids = date_parts("d", texts, feature)

    def column(values: list[Any]) -> list[Any]:
        return [[value] for value in values]

    days = [(each.replace(second=0, microsecond=0) - SINCE) / DAY for each in instants]
    assert {name: tensor.numpy().tolist() for name, tensor in numbers.items()} == {
        part_name("d", "year"): column([each.year for each in instants]),
        part_name("d", "day_of_year"): column([each.timetuple().tm_yday for each in instants]),
        part_name("d", "days"): column(np.float32(days).tolist()),
    }
    assert {name: tensor.numpy().tolist() for name, tensor in ids.items()} == {
        part_name("d", "minute"): column([each.minute for each in instants]),
        part_name("d", "hour"): column([each.hour for each in instants]),
        part_name("d", "weekday"): column([each.weekday() for each in instants]),
        part_name("d", "week"): column([each.isocalendar().week - 1 for each in instants]),
        part_name("d", "quarter"): column([(each.month - 1) // 3 for each in instants]),
        part_name("d", "day"): column([each.day - 1 for each in instants]),
        part_name("d", "month"): column([each.month - 1 for each in instants]),
    }


def test_date_parts_only_configured_parts() -> None:
    years, ids = date_parts("d", tf.constant([["x"]]), Datetime(parts=("hour",)))

    assert years == {}
    assert {name: tensor.numpy().tolist() for name, tensor in ids.items()} == {
        part_name("d", "hour"): [[24]]
    }


def test_date_parts_year_of_other_text_is_nan() -> None:
    years, _ = date_parts("d", tf.constant([["x"]]), Datetime(parts=("year",)))

    assert np.isnan(years[part_name("d", "year")].numpy()).all()
