"""Numbers as people write them become plain numbers."""

from dataclasses import asdict

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabular.csv.number_format import NumberFormat
from tabular.csv.plain_numbers import plain_columns, to_plain

DOLLARS = NumberFormat(prefix=("$",), thousands=",")
PERCENT = NumberFormat(suffix=("%",))
EUROS = NumberFormat(suffix=("€", "EUR"), thousands=".", decimal=",")
ACCOUNTING = NumberFormat(prefix=("$",), thousands=",", negative="brackets")
SWISS = NumberFormat(prefix=("CHF", ""), thousands="'")
FRENCH = NumberFormat(thousands=" ", decimal=",")


@pytest.mark.parametrize(
    ("number_format", "cell", "plain"),
    [
        (NumberFormat(), "-1.5e-3", "-1.5e-3"),
        (NumberFormat(), "+5", "5"),
        (NumberFormat(), "\u22125.25", "-5.25"),
        (NumberFormat(), "\u20135", "-5"),
        (NumberFormat(), " 5\u00a0", "5"),
        (NumberFormat(), ".5", ".5"),
        (DOLLARS, "$1,234.50", "1234.50"),
        (DOLLARS, "$ 1234.5", "1234.5"),
        (DOLLARS, "-$5", "-5"),
        (DOLLARS, "$-5", "-5"),
        (DOLLARS, "\u2212$5", "-5"),
        (DOLLARS, "$12,34,567", "1234567"),
        (PERCENT, "45%", "45"),
        (PERCENT, "-0.5 %", "-0.5"),
        (EUROS, "1.234.567,5 €", "1234567.5"),
        (EUROS, "12 EUR", "12"),
        (ACCOUNTING, "($1,200.00)", "-1200.00"),
        (ACCOUNTING, "$(5)", "-5"),
        (ACCOUNTING, "( $ 5 )", "-5"),
        (ACCOUNTING, "-$5", "-5"),
        (ACCOUNTING, "$5", "5"),
        (NumberFormat(suffix=("%",), negative="brackets"), "(5)%", "-5"),
        (NumberFormat(negative="trailing"), "5.5-", "-5.5"),
        (NumberFormat(negative="trailing"), "-5.5", "-5.5"),
        (SWISS, "CHF 1'234\u2019567.05", "1234567.05"),
        (SWISS, "5", "5"),
        (FRENCH, "1\u202f234\u00a0567,5", "1234567.5"),
        (NumberFormat(suffix=("/5",)), "4.1/5", "4.1"),
        (NumberFormat(suffix=("kg",)), "80kg", "80"),
        (NumberFormat(null_values=("T",)), "T", None),
        (NumberFormat(infinite="missing"), "inf", None),
        (NumberFormat(infinite="missing"), "-Infinity", None),
        (NumberFormat(infinite="missing"), "\u221e", None),
        (NumberFormat(infinite="missing"), "1e39", None),
        (NumberFormat(infinite="missing"), "-1e400", None),
        (NumberFormat(infinite="missing"), "3.4e38", "3.4e38"),
    ],
)
def test_to_plain_reads_numbers_of_the_format(
    number_format: NumberFormat, cell: str, plain: str | None
) -> None:
    column, misfits = to_plain(pa.array([None, cell, None], pa.string()), number_format)

    assert column.to_pylist() == [None, plain, None]
    assert not misfits.any()


@pytest.mark.parametrize(
    ("number_format", "cell"),
    [
        (NumberFormat(), "abc"),
        (NumberFormat(), "--5"),
        (NumberFormat(), "+-5"),
        (NumberFormat(), "(5)"),
        (NumberFormat(), "5-"),
        (NumberFormat(), "0x1F"),
        (NumberFormat(), "nan"),
        (NumberFormat(), "inf"),
        (NumberFormat(), "5\n"),
        (NumberFormat(), "1,234"),
        (NumberFormat(), "1 234"),
        (NumberFormat(), ""),
        (DOLLARS, "5"),
        (DOLLARS, "€5"),
        (DOLLARS, "$1,5"),
        (DOLLARS, "$1,2345"),
        (DOLLARS, "$,123"),
        (DOLLARS, "-$-5"),
        (PERCENT, "0.45"),
        (PERCENT, "45 %%"),
        (EUROS, "1,234.5 €"),
        (ACCOUNTING, "($5"),
        (ACCOUNTING, "$5)"),
        (ACCOUNTING, "(-$5)"),
        (ACCOUNTING, "($(5))"),
        (NumberFormat(negative="trailing"), "-5-"),
        (SWISS, "USD 5"),
        (NumberFormat(null_values=("T",)), "t"),
    ],
)
def test_to_plain_leaves_cells_of_another_format_and_marks_them(
    number_format: NumberFormat, cell: str
) -> None:
    column, misfits = to_plain(pa.array([cell, None]), number_format)

    assert column.to_pylist() == [cell, None]
    assert misfits.tolist() == [True, False]


@given(st.floats(-1e15, 1e15), st.sampled_from([DOLLARS, EUROS, ACCOUNTING, FRENCH, SWISS]))
def test_to_plain_reads_what_was_written(number: float, number_format: NumberFormat) -> None:
    digits = f"{abs(number):,.3f}".translate(
        {ord(","): number_format.thousands, ord("."): number_format.decimal}
    )
    marked = f"{next(iter(number_format.prefix), '')}{digits}{next(iter(number_format.suffix), '')}"
    is_negative = number < 0
    in_brackets = number_format.negative == "brackets" and is_negative
    cell = f"({marked})" if in_brackets else f"{'-' * is_negative}{marked}"

    column, misfits = to_plain(pa.array([cell]), number_format)

    assert not misfits.any()
    assert float(column[0].as_py()) == pytest.approx(number, abs=5.1e-4)


def test_to_plain_of_no_rows_is_empty() -> None:
    column, misfits = to_plain(pa.array([], pa.string()), DOLLARS)

    assert (column.to_pylist(), misfits.tolist()) == ([], [])


def test_to_plain_of_missing_values_only_finds_no_fault() -> None:
    column, misfits = to_plain(pa.array([None, None], pa.string()), DOLLARS)

    assert (column.to_pylist(), misfits.tolist()) == ([None, None], [False, False])


def test_plain_columns_leaves_columns_without_a_format_alone() -> None:
    batch = pa.RecordBatch.from_pydict({"a": ["$5"], "b": ["$6"]})

    plain, misfits = plain_columns(batch, {"b": DOLLARS, "absent": DOLLARS}, ".")

    assert plain.to_pydict() == {"a": ["$5"], "b": ["6"]}
    assert list(misfits) == ["b"]
    assert plain_columns(batch, {"absent": DOLLARS}, ".")[0] is batch


def test_plain_columns_writes_the_decimal_point_of_the_table() -> None:
    batch = pa.RecordBatch.from_pydict({"a": ["$1,234.5", "5.5"]})

    plain, misfits = plain_columns(batch, {"a": DOLLARS}, ",")

    assert plain.to_pydict() == {"a": ["1234,5", "5.5"]}
    np.testing.assert_array_equal(misfits["a"], [False, True])


def test_from_dict_reads_what_asdict_makes() -> None:
    described = {**asdict(SWISS), "prefix": list(SWISS.prefix)}  # as JSON has it

    assert NumberFormat.from_dict(described) == SWISS
