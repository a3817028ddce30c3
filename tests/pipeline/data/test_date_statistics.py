"""The format of all dates of a column, and the parts that vary."""

import pyarrow as pa
import pytest

from pipeline.data.date_statistics import DateStatistics


def statistics_of(*batches: list[str], name: str = "x") -> DateStatistics:
    statistics = DateStatistics(name)
    for words in batches:
        statistics.add(pa.array(words))
    return statistics


def test_formats_are_those_that_fit_every_batch() -> None:
    assert statistics_of(["01/02/2024"]).formats == ("%m/%d/%Y", "%d/%m/%Y")
    assert statistics_of(["01/02/2024"], ["13/02/2024"]).formats == ("%d/%m/%Y",)
    assert statistics_of(["01/02/2024"], ["02/30/2024"]).formats == ("%m/%d/%Y", "%d/%m/%Y")


def test_formats_that_read_the_same_are_one() -> None:
    assert statistics_of(["2024-05-01", "2024-05-02"]).formats == ("iso",)
    assert statistics_of(["05/05/2024", "07/07/2024"]).formats == ("%m/%d/%Y",)


@pytest.mark.parametrize("other", ["x", "2024-02-30", "01.05.2024", "0900-05-01"])
def test_other_words_are_counted(other: str) -> None:
    statistics = statistics_of(["2024-05-01"], ["2024-05-02", other, other])

    assert statistics.formats == ("iso",)
    assert statistics.misfits == {other: 2}


def test_the_format_that_fits_most_words_is_chosen() -> None:
    statistics = statistics_of(["01/02/2024", "13/02/2024", "14/02/2024", "02/15/2024"])

    assert statistics.formats == ("%d/%m/%Y",)
    assert statistics.misfits == {"02/15/2024": 1}


def test_many_other_words_leave_no_format() -> None:
    assert not statistics_of(["2024-05-01"], [f"w{row}" for row in range(11)]).are_possible


def test_packed_dates_have_all_their_digits() -> None:
    assert statistics_of(["20240501", "20241231"]).formats == ("%Y%m%d",)
    assert statistics_of(["20240501", "2024501"]).misfits == {"2024501": 1}


@pytest.mark.parametrize(
    ("words", "varying"),
    [
        (["2024-05-01T00:00:00Z", "2024-06-01T00:00:00Z"], {"month", "weekday"}),
        (["2024-05-01", "2025-05-08"], {"year", "day", "weekday"}),
        (["2024-05-01T10:00+02:00", "2024-05-01T10:30"], {"hour", "minute"}),
        (["2024-05-01", "2024-05-01"], set()),
    ],
)
def test_varying_parts(words: list[str], varying: set[str]) -> None:
    assert statistics_of(words).varying_parts == varying
    assert statistics_of(*([word] for word in words)).varying_parts == varying
