"""Whether a column is known to follow a rule, by its profile alone."""

from collections.abc import Iterable

import pyarrow as pa
import pytest

from pipeline.data.column_profile import ColumnProfile
from pipeline.data.column_rules import make_date_rule
from pipeline.data.table_profiler import profile_columns
from pipeline.data.value_counts import MAX_VALUES
from tabular.csv.column_rules import (
    BooleanRule,
    CellRule,
    LabelRule,
    NumberRule,
)

ANY_NUMBER = NumberRule(".", may_be_missing=True)
POSITIVE = NumberRule(".", least=0)
"""The rule of a feature with scale log1p."""
ID = NumberRule(".", least=0, greatest=10**9, is_whole=True)
ISO = make_date_rule("iso")


def profile_of(cells: Iterable[str | None]) -> ColumnProfile:
    column = pa.array(list(cells), pa.string())
    return profile_columns([pa.RecordBatch.from_arrays([column], ["x"])])["x"]


FEW = ["1", "2.5", "3"]
MANY = [f"{number}.5" for number in range(MAX_VALUES + 1)]
DAYS = [
    f"{year}-{month:02d}-{day:02d}"
    for year in range(1980, 2020)
    for month in range(1, 13)
    for day in range(1, 29)
]


@pytest.mark.parametrize(
    ("cells", "rule", "fits"),
    [
        (FEW, POSITIVE, True),
        ([*FEW, "-1"], POSITIVE, False),
        ([*FEW, "-1"], ANY_NUMBER, True),
        ([*FEW, "inf"], ANY_NUMBER, False),
        ([*FEW, "nan"], ANY_NUMBER, False),
        ([*FEW, "1e39"], ANY_NUMBER, False),
        ([*FEW, None], ANY_NUMBER, True),
        ([*FEW, None], POSITIVE, False),
        ([*FEW, "x"], ANY_NUMBER, False),
        (["1", "2"], ID, True),
        (FEW, ID, False),
        (["2024-02-29"], ISO, True),
        (["2024-02-28", "2023-02-29"], ISO, False),
        (["yes", "NO", None], BooleanRule(("yes", "no")), True),
        (["yes", "perhaps"], BooleanRule(("yes", "no")), False),
        (["a", None], LabelRule(), False),
        ([None, None], ANY_NUMBER, True),
        ([], POSITIVE, True),
    ],
)
def test_few_values_are_checked_themselves(
    cells: list[str | None], rule: CellRule, fits: bool
) -> None:
    profile = profile_of(cells)

    assert profile.values is not None
    assert profile.surely_fits(rule) == fits


@pytest.mark.parametrize(
    ("more", "rule", "fits"),
    [
        ([], ANY_NUMBER, True),
        ([], POSITIVE, True),
        ([], NumberRule(".", greatest=MAX_VALUES), False),
        ([], ID, False),  # not known, since numbers are not kept
        (["-0.5"], POSITIVE, False),
        (["-0.5"], ANY_NUMBER, True),
        (["inf"], ANY_NUMBER, False),
        (["nan"], ANY_NUMBER, False),
        (["1e39"], ANY_NUMBER, False),
        (["-3.4028236e38"], ANY_NUMBER, False),
        (["3.4028234e38"], ANY_NUMBER, True),
        ([None], ANY_NUMBER, True),
        ([None], POSITIVE, False),
        (["x"], ANY_NUMBER, False),
        ([], BooleanRule(("0.5",)), False),
        ([], LabelRule(), False),
    ],
)
def test_many_numbers_fit_by_their_range(
    more: list[str | None], rule: CellRule, fits: bool
) -> None:
    profile = profile_of([*MANY, *more])

    assert profile.values is None
    assert profile.surely_fits(rule) == fits


@pytest.mark.parametrize(
    ("more", "rule", "fits"),
    [
        ([], ISO, True),
        ([None], ISO, True),
        (["2024-02-29"], ISO, True),
        (["2023-02-29"], ISO, False),
        (["2023-04-31"], ISO, False),
        (["NA"], ISO, False),
        (["soon"], ISO, False),
        ([], make_date_rule("%Y/%m/%d"), False),
        ([], ANY_NUMBER, False),
    ],
)
def test_many_dates_fit_if_in_the_calendar(
    more: list[str | None], rule: CellRule, fits: bool
) -> None:
    profile = profile_of([*DAYS, *more])

    assert profile.values is None
    assert profile.surely_fits(rule) == fits


def test_format_that_narrows_is_known_to_fit() -> None:
    # The first batch fits %m/%d/%Y too.
    many = [f"{day % 12 + 1:02d}/{day % 7 + 1:02d}/{1600 + day // 20}" for day in range(12_000)]
    column = pa.array(many, pa.string())
    later = pa.array([f"{day:02d}/06/2024" for day in range(13, 31)], pa.string())

    batches = [pa.RecordBatch.from_arrays([cells], ["x"]) for cells in (column, later)]
    profile = profile_columns(batches)["x"]

    assert profile.date_formats[0] == "%d/%m/%Y"
    assert profile.values is None
    assert profile.surely_fits(make_date_rule("%d/%m/%Y"))
    assert not profile.surely_fits(make_date_rule("%m/%d/%Y"))
