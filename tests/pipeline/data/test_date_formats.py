"""Formats of dates that are recognized, and texts that are not taken for dates."""

import pytest

from pipeline.data.date_formats import find_formats, mixed_formats


@pytest.mark.parametrize(
    ("word", "formats"),
    [
        ("2024-05-01", ["iso"]),
        ("2024-5-1", ["%Y-%m-%d"]),
        ("2023-05-01 00:03:00 UTC", ["iso"]),
        ("5/13/2023 1:03:00 PM", ["%m/%d/%Y %I:%M:%S %p"]),
        ("5/1/2023 1pm", ["%m/%d/%Y %I%p", "%d/%m/%Y %I%p"]),
        ("31/12/2024, 23:59", ["%d/%m/%Y, %H:%M"]),
        ("1/2/24", ["%m/%d/%y", "%d/%m/%y"]),
        ("1 May 2023", ["%d %b %Y"]),
        ("12/31/2024 1:45 PM", ["%m/%d/%Y %I:%M %p"]),
        ("12/31/2024 13:45 UTC", ["%m/%d/%Y %H:%M %z"]),
        ("05-JAN-24", ["%d-%b-%y"]),
        ("January 5, 2024", ["%B %d, %Y"]),
        ("Jan. 5th, 2024", ["%b %d, %Y"]),
        ("05JAN2024:10:00:00", ["%d%b%Y:%H:%M:%S"]),
        ("10/Oct/2000:13:55:36 -0700", ["%d/%b/%Y:%H:%M:%S %z"]),
        ("Mon, 05 Jan 2024 10:00:00 GMT", ["%a, %d %b %Y %H:%M:%S %z"]),
        ("Mon Jan  5 10:00:00 2024", ["%a %b %d %H:%M:%S %Y"]),
        ("01-Jan-21 12.00.00.000000 AM", ["%d-%b-%y %I.%M.%S.%f %p"]),
        ("31.12.2024 13.45", ["%d.%m.%Y %H.%M"]),
        ("12/31/2024 13:45 EST", ["%m/%d/%Y %H:%M EST"]),
        ("Fri Jan 01 2021 00:00:00 GMT+0100 (CET)", ["%a %b %d %Y %H:%M:%S %z (CET)"]),
        ("20240501", ["%Y%m%d"]),
        ("20240501134500", ["%Y%m%d%H%M%S"]),
        ("2024-05", ["%Y-%m"]),
        ("Jan-24", ["%b-%y"]),
    ],
)
def test_find_formats(word: str, formats: list[str]) -> None:
    assert list(find_formats([word], "x")) == formats


@pytest.mark.parametrize(
    "word",
    [
        *("3.14159", "1714567890", "2020-2021", "10.12.2020.1", "1.2.10", "2010-1212", "12345678"),
        *("01/02/2024 EST", "some 12 words", "May", "2024", "24:00", "1/2", "-1-2-2024"),
    ],
)
def test_find_formats_takes_other_texts_for_no_date(word: str) -> None:
    assert find_formats([word], "x") == ()


@pytest.mark.parametrize(
    ("word", "date_format"),
    [
        ("1714567890", "unix"),
        ("1714567890.25", "unix"),
        ("1714567890123", "unix_ms"),
        ("1714567890123456", "unix_us"),
        ("1714567890123456789", "unix_ns"),
    ],
)
@pytest.mark.parametrize(
    "name", ["timestamp", "event_time", "createdAt", "created_at", "ts", "Date"]
)
def test_large_numbers_are_dates_if_the_name_says_so(
    word: str, date_format: str, name: str
) -> None:
    assert find_formats([word], name) == (date_format,)
    assert find_formats([word], "serial") == ()


def test_iso_is_one_of_several_where_some_words_differ() -> None:
    assert find_formats(["2024-05-01", "2024-5-2", "2024-5-3"], "x") == ("%Y-%m-%d",)
    assert find_formats(["2024-05-01", "2024-5-2"], "x") == ("iso", "%Y-%m-%d")


def test_formats_fit_half_of_the_words() -> None:
    assert find_formats(["n. a.", "31/12/2024", "01/02/2024"], "x") == ("%d/%m/%Y",)
    assert find_formats(["red"] * 6 + ["31/12/2024"], "x") == ()


def test_mixed_formats() -> None:
    assert mixed_formats(["2024-05-01", "31.12.2024"] * 5, "x") == ("iso", "%d.%m.%Y")
    assert mixed_formats(["2024-05-01", "2024-05-02"], "x") == ()
    assert mixed_formats(["2024-05-01", "31.12.2024", "red", "blue"], "x") == ()
