"""What fits a column: a number is what Arrow takes for one."""

import math
import re
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tabular.csv.column_rules import (
    NUMBER,
    Moment,
    Number,
    cell_rules,
    select_settings,
)
from tabular.csv.types import can_cast
from trainer.settings.train import TrainerSettings


@settings(deadline=None)
@given(st.one_of(st.text("0123456789.eE+-xn_ ", max_size=8), st.floats().map(str)))
@example("nan")
@example("1e999")
@example("1\n")
@example("1" * 400)
def test_number_is_what_arrow_casts_to_finite_or_too_large(text: str) -> None:
    column = pa.array([text])
    is_number = can_cast(column, pa.float32()) and "n" not in text.lower()

    assert bool(re.fullmatch(NUMBER, text)) == is_number
    assert pc.match_substring_regex(column, f"^({NUMBER})$")[0].as_py() == is_number


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_number_is_infinite_in_float32_where_arrow_says_so(value: float) -> None:
    cast = pc.cast(pa.array([repr(value)]), pa.float32())[0].as_py()

    # Values from halfway between the largest float32 and the next step on are rounded to infinity.
    assert math.isinf(cast) == (abs(value) >= 2**128 - 2**103)


CELLS: list[tuple[Any, list[str | None], list[str | None]]] = [
    # feature, cells that fit, cells that do not
    ("numeric", ["1", "-.5", "3.4e38"], [None, "x", "nan", "inf", "3.5e38", "1,5", "+1"]),
    ({"kind": "numeric", "fill": "mean"}, ["1", None], ["x", "nan"]),
    ({"kind": "numeric", "fill": 0.0}, ["1", None], ["x"]),
    ({"kind": "numeric", "scale": "log1p"}, ["0", "7"], ["-0.1", None]),
    ({"kind": "numeric", "scale": "log1p", "clip": [0.0, 9.0]}, ["-3", "99"], [None, "x"]),
    ({"kind": "numeric", "scale": "log1p", "clip": [-1.0, 9.0]}, ["0"], ["-3"]),
    ("bucketized", ["1", None], ["x", "inf"]),
    ("categorical", ["any word", "1", None], []),
    ({"kind": "categorical", "ids": "hash", "size": 9}, ["any word", None], []),
    (
        {"kind": "categorical", "ids": "identity", "size": 3},
        ["0", "2", "1.0", None],
        ["3", "-1", "1.5", "x", "nan"],
    ),
    ("boolean", ["true", "NO", "1", "0.0", None], ["yep", "2", " 1", "true\n"]),
    (
        {"kind": "boolean", "true_words": ["JÄ"], "false_words": ["a.b"]},
        ["jä", "A.B"],
        ["axb", "yes"],
    ),
    (
        "datetime",
        ["2024-02-29", "2024-05-01T13:45:00Z", "2024-05-01 13:45+02:00", None],
        ["2023-02-29", "2024-13-01", "01.05.2024", "2024-05-01T24:00", "x", "0000-01-01"],
    ),
    (
        {"kind": "datetime", "format": "unix"},
        ["0", "-1.5", "1.7e9", None],
        ["x", "1e18", "nan", "2024-05-01"],
    ),
    (
        {"kind": "datetime", "format": "%d.%m.%Y %H"},
        ["31.12.1999 23", "1.2.2000 0", None],
        ["31.11.1999 0", "1.1.2000", "1.1.2000 24", "1.1.99 0"],
    ),
]


@pytest.mark.parametrize(("feature", "good", "bad"), CELLS)
def test_cell_rules_find_what_does_not_fit_the_feature(
    feature: Any, good: list[str | None], bad: list[str | None]
) -> None:
    settings = TrainerSettings.model_validate({"label": "y", "features": {"x": feature}})
    rule = cell_rules(settings, ".").get("x")
    same = cell_rules(select_settings(settings), ".").get("x")

    if rule is None:
        assert not bad
        return
    column = pa.array([*good, *bad, *good], pa.string())
    expected = [False] * len(good) + [True] * len(bad) + [False] * len(good)
    assert rule.find_wrong(column).tolist() == expected
    assert rule.find_wrong(column.slice(len(good))).tolist() == expected[len(good) :]
    assert rule == same
    for text in bad:
        assert re.search("expected|: correct", rule.say(text))


@pytest.mark.parametrize(
    ("decimal", "good", "bad"), [(".", "1.5", "1,5"), (",", "1,5", "1.5")], ids=["point", "comma"]
)
def test_number_has_the_decimal_point_of_the_dialect(decimal: str, good: str, bad: str) -> None:
    rule = Number(decimal)

    assert rule.find_wrong(pa.array([good, bad, "1e3"])).tolist() == [False, True, False]
    assert f"5{decimal}1" in rule.say(bad)


@settings(deadline=None)
@given(st.dates(min_value=date(1000, 1, 1)), st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%Y%m%d"]))
def test_moment_takes_every_date(day: date, pattern: str) -> None:
    text = day.strftime(pattern)

    assert Moment(pattern).find_wrong(pa.array([text])).tolist() == [False]


@pytest.mark.parametrize(
    ("feature", "same", "is_same"),
    [
        ("numeric", {"kind": "numeric", "scale": "min_max", "missing_indicator": True}, True),
        ("numeric", {"kind": "numeric", "fill": 0.0}, False),
        ("numeric", {"kind": "numeric", "scale": "log1p"}, False),
        ("bucketized", {"kind": "bucketized", "buckets": 3}, True),
        ("categorical", {"kind": "categorical", "encode": "embedding"}, True),
        ("categorical", "bucketized", False),
        ("datetime", {"kind": "datetime", "parts": ["year"]}, True),
        ("datetime", {"kind": "datetime", "format": "unix"}, False),
    ],
)
def test_select_settings_changes_only_with_the_rows_that_fit_and_their_types(
    feature: Any, same: Any, is_same: bool
) -> None:
    # Else CsvExampleGen and all after it would run again, their output being the same.
    first, second = (
        select_settings(TrainerSettings.model_validate({"label": "y", "features": {"x": kind}}))
        for kind in (feature, same)
    )

    assert (first == second) == is_same
