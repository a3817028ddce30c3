"""The features chosen for columns."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest

from pipeline.data.feature_choice import Choice, choose
from pipeline.data.table_profiler import profile_columns
from trainer.settings.features import Categorical, Datetime

Cells = Sequence[str | None]


def choice_of(cells: Cells, name: str = "x") -> Choice:
    batch = pa.RecordBatch.from_arrays([pa.array(cells, pa.string())], [name])
    return choose(profile_columns([batch])[name])


@pytest.mark.parametrize(
    ("cells", "feature", "found"),
    [
        (["1.5", "2.5"], "numeric", "numbers, 1.5 to 2.5"),
        (
            ["1.5", "2.5", None],
            {"kind": "numeric", "fill": "mean", "missing_indicator": True},
            "numbers, 1.5 to 2.5, 33 % missing",
        ),
        (
            ["0.5"] * 200 + ["1.5"] * 10 + ["900.0"],
            {"kind": "numeric", "scale": "log1p"},
            "numbers, 0.5 to 900",
        ),
        (["-0.5"] * 200 + ["1.5"] * 10 + ["900.0"], "numeric", "numbers, -0.5 to 900"),
        (["1", "2", "3"], "numeric", "whole numbers, 1 to 3"),
        (["1", "2", "3"] * 10, "categorical", "3 whole numbers, 1 to 3"),
        ([str(n) for n in range(21)] * 20, "numeric", "whole numbers, 0 to 20"),
        (["red", "blue"] * 3, "categorical", "2 words"),
        (["red", None], "categorical", "1 word, 50 % missing"),
        (["red", None] + ["red"] * 998, "categorical", "1 word, 1 missing"),
        (
            [f"w{n}" for n in range(101)] * 3,
            {"kind": "categorical", "encode": "embedding"},
            "101 words",
        ),
        (["yes", "no"], "boolean", "'no' or 'yes'"),
        (["0", "1"] * 50, "boolean", "'0' or '1'"),
        (
            ["2024-05-01", "2024-05-02"],
            {"kind": "datetime", "parts": ["day", "weekday"]},
            "dates",
        ),
        (
            ["01/02/2024 10:30", "02/03/2024 11:30"],
            {
                "kind": "datetime",
                "format": "%m/%d/%Y %H:%M",
                "parts": ["month", "day", "day_of_year", "weekday", "hour"],
            },
            "dates",
        ),
    ],
)
def test_choose_takes_the_kind_of_the_profile(cells: Cells, feature: Any, found: str) -> None:
    choice = choice_of(cells)
    assert (choice.feature.model_dump(), choice.found, choice.reason) == (feature, found, "")


@pytest.mark.parametrize(
    ("name", "cells", "reason"),
    [
        ("x", [None, None], "every cell is empty"),
        ("x", ["1", "2", *[None] * 2999], "nearly every cell is empty (2 of 3,001 are filled)"),
        ("x", ["a", "a"], "every cell is 'a'"),
        ("x", ["5", "5"], "every cell is '5'"),
        ("x", ["NA", "?"], "nothing but null values"),
        ("x", [f"a{n}" for n in range(20)], "ids: most cells are different"),
        ("x", [f"{n:x} {n * 99_991:x}" + 25 * "x" for n in range(20)], "free text: most cells"),
        ("customer_id", ["7", "3", "5"], "an id: all different"),
        ("PassengerId", ["7", "3", "5"], "an id: all different"),
        (
            "x",
            ["1.5", "2.5", "3.5", "NA"],
            "would be numbers, but for 'NA': see data.csv.null_values",
        ),
        ("Unnamed: 0", ["7", "3", "5"], "an id: all different"),
        ("a\tname", ["1", "2"], "its name holds a line end or another control character: rename"),
    ],
)
def test_choose_ignores_useless_columns(name: str, cells: Cells, reason: str) -> None:
    choice = choice_of(cells, name)
    assert choice.feature.kind == "ignore"
    assert reason in choice.reason


@pytest.mark.parametrize("name", ["paid", "width", "id_count", "grid"])
def test_choose_reads_repeated_numbers_of_any_name(name: str) -> None:
    assert choice_of(["7", "3", "7"], name).feature.kind == "numeric"


def test_choose_hashes_many_words() -> None:
    choice = choice_of([f"user{number}" for number in range(30_000)] * 2)
    # 30,000 words fit 2^15 ids; a hash has twice as many, rounded up to a power of 2.
    assert choice.feature.model_dump() == {
        "kind": "categorical",
        "ids": "hash",
        "size": 2**16,
        "encode": "embedding",
    }


BIG = 2**60


@pytest.mark.parametrize(
    "numbers",
    [
        range(30),
        range(50_000, 50_897, 3),
        range(30, 0, -1),
        range(BIG, BIG + 30),  # equal as doubles
        [*range(9), 100],
    ],
    ids=["index", "order number", "falling", "big", "with a gap"],
)
def test_choose_ignores_row_numbers_of_any_name(numbers: Sequence[int]) -> None:
    cells = [str(number) for number in numbers]

    choice = choice_of(cells, "x")

    assert choice.feature.kind == "ignore"
    assert choice.reason == "a row number: whole, never twice, and in the order of the rows"


@pytest.mark.parametrize(
    "cells",
    [
        [str(number) for number in range(9)],  # too few to tell
        [f"{number}.5" for number in range(30)],
        [str(number // 2) for number in range(60)],
        [str(number * 7 % 31) for number in range(31)],
    ],
    ids=["few", "fractions", "twice each", "in no order"],
)
def test_choose_reads_other_numbers(cells: Cells) -> None:
    assert choice_of(cells, "x").feature.kind in ("numeric", "categorical")


def test_row_numbers_are_recognized_over_batches() -> None:
    batches = [
        pa.RecordBatch.from_arrays([pa.array([str(n) for n in numbers])], ["x"])
        for numbers in (range(10), range(10, 20), range(15, 25))
    ]

    assert profile_columns(batches[:2])["x"].is_monotonic
    assert not profile_columns(batches)["x"].is_monotonic


@pytest.mark.parametrize(
    ("cells", "feature"),
    [
        (["2024-05", "2025-06"], {"format": "%Y-%m", "parts": ["year", "month"]}),
        (["2024-05-01T10:00", "2024-05-01T10:30"], {"parts": ["minute"]}),
        (
            ["2024-05-01T00:00Z", "2024-06-01T00:00Z"],
            {"parts": ["month", "day_of_year", "weekday"]},
        ),
    ],
)
def test_dates_have_the_parts_that_vary(cells: Cells, feature: dict[str, Any]) -> None:
    assert choice_of(cells).feature.model_dump() == {"kind": "datetime", **feature}


def test_parts_that_never_change_are_named() -> None:
    findings = choice_of(["2024-05-01T00:00Z", "2024-06-02T00:00Z"]).summary.findings

    assert [finding.text for finding in findings] == ["never changes, so left out: year, hour"]


@pytest.mark.parametrize("cells", [["01234", "12345"] * 20, ["10", "01"] * 20, ["1", "-007"] * 20])
def test_whole_numbers_with_zeros_before_them_stay_words(cells: Cells) -> None:
    choice = choice_of(cells)

    assert choice.feature == Categorical()
    assert "stay words" in choice.summary.findings[0].text


@pytest.mark.parametrize("cells", [["0.5", "1.5"] * 20, ["0", "10"] * 50])
def test_a_zero_alone_is_a_number(cells: Cells) -> None:
    assert not choice_of(cells).summary.findings


def test_dates_in_several_formats_are_said() -> None:
    days = [f"2024-05-{day:02d}" for day in range(1, 29)] + [f"{d}.05.2024" for d in range(1, 29)]
    findings = choice_of(days).summary.findings

    assert any("dates in several formats, 'iso' and '%d.%m.%Y'" in each.text for each in findings)


def test_names_of_time_zones_are_said() -> None:
    choice = choice_of(["05/01/2024 10:30 EST", "05/13/2024 11:30 EST"])

    assert choice.feature == Datetime(format="%m/%d/%Y %H:%M EST", parts=("day", "weekday", "hour"))
    assert "the clock of EST is taken as it is" in choice.summary.findings[-1].text
