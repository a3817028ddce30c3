"""Rules of cells: they accept the numbers that Arrow does, and survive JSON."""

import math
import re

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tabular.csv.column_rules import (
    NUMBER,
    BooleanRule,
    ColumnRules,
    DatetimeRule,
    LabelRule,
    NumberRule,
    TagsRule,
)
from tabular.csv.dates import DateReader
from tabular.csv.types import ColumnType, can_cast


@settings(deadline=None)
@given(st.one_of(st.text("0123456789.eE+-xn_ ", max_size=8), st.floats().map(str)))
@example("nan")
@example("1e999")
@example("1\n")
@example("1" * 400)
def test_number_is_what_arrow_casts(text: str) -> None:
    column = pa.array([text])
    is_number = can_cast(column, pa.float32()) and "n" not in text.lower()

    assert bool(re.fullmatch(NUMBER, text)) == is_number
    assert pc.match_substring_regex(column, f"^({NUMBER})$")[0].as_py() == is_number


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_number_is_too_large_where_arrow_says_so(value: float) -> None:
    cast = pc.cast(pa.array([repr(value)]), pa.float32())[0].as_py()

    # From half a step above the largest float32 on, numbers are rounded to infinity.
    assert math.isinf(cast) == (abs(value) >= 2**128 - 2**103)


@pytest.mark.parametrize(
    ("decimal", "good", "bad"), [(".", "1.5", "1,5"), (",", "1,5", "1.5")], ids=["point", "comma"]
)
def test_number_has_the_decimal_point(decimal: str, good: str, bad: str) -> None:
    rule = NumberRule(decimal)

    assert rule.find_wrong(pa.array([good, bad, "1e3"])).tolist() == [False, True, False]
    assert f"5{decimal}1" in rule.explain(bad)


@pytest.mark.parametrize("name", ["", "y"])
def test_column_rules_are_the_same_after_json(name: str) -> None:
    rules = ColumnRules(
        {
            "a": NumberRule(",", least=0, is_whole=True),
            "b": NumberRule("."),
            "c": BooleanRule(("yes", "no")),
            "d": DatetimeRule("%Y", "2024", DateReader("(?P<Y>[0-9]{4})", ("jan", "feb"))),
            "e": TagsRule("|", ":"),
            "y": LabelRule(),
        },
        {"a": ColumnType.FLOAT, "c": ColumnType.BYTES},
        name or None,
    )

    assert ColumnRules.from_json(rules.to_json()) == rules


def test_equal_column_rules_have_the_same_json() -> None:
    rules = {"a": NumberRule("."), "b": LabelRule()}
    backwards = dict(reversed(list(rules.items())))

    assert ColumnRules(rules, {}).to_json() == ColumnRules(backwards, {}).to_json()
