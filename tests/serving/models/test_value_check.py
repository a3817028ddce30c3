"""Checks of request values against the values that the training data allows."""

import math
import subprocess
import sys
from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serving.errors import Violation
from serving.models.columns import Column
from serving.models.value_check import ValueCheck

CITIES = ("Berlin", "Lima", "London", "Oslo", "Paris", "Rome")
GREATEST = float(np.finfo(np.float32).max)


def numbers(*values: float) -> npt.NDArray[np.float32]:
    return np.array(values, np.float32)


def words(*values: bytes) -> npt.NDArray[np.object_]:
    return np.array(values, object)


def check(column: Column, values: npt.NDArray[Any]) -> list[Violation]:
    return ValueCheck({"x": column}).find({"x": values})


def found(column: Column, values: npt.NDArray[Any]) -> list[tuple[int, str]]:
    return [(violation.row, violation.kind) for violation in check(column, values)]


# numbers


def test_numbers_out_of_range_violate() -> None:
    values = numbers(4.3, 4.2, 7.9, 8, -1e30, 5)

    assert found(Column(5.0, True, 4.3, 7.9), values) == [
        (1, "out_of_range"),
        (3, "out_of_range"),
        (4, "out_of_range"),
    ]


@pytest.mark.parametrize(
    ("is_required", "expected"), [(True, [(1, "missing"), (2, "missing")]), (False, [])]
)
def test_missing_numbers_violate_if_required(
    is_required: bool, expected: list[tuple[int, str]]
) -> None:
    values = numbers(5, math.nan, math.nan)

    assert found(Column(5.0, is_required, 4.3, 7.9), values) == expected


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(None, None, []), (None, 1, [3]), (-1, None, [2]), (-1, 1, [2, 3])],
)
def test_infinity_is_always_out_of_range(
    low: float | None, high: float | None, expected: list[int]
) -> None:
    values = numbers(math.inf, -math.inf, -GREATEST, GREATEST)

    rows = found(Column(0.0, True, low, high), values)

    assert rows == [(row, "out_of_range") for row in (0, 1, *expected)]


def test_bounds_are_compared_as_float32() -> None:
    least, greatest = numbers(0.1, 16777217.0).astype(float)
    column = Column(1.0, True, 0.1, 16777217)  # neither is a float32

    assert found(column, numbers(least, greatest)) == []
    assert found(column, numbers(0.09999999, 16777218)) == [
        (0, "out_of_range"),
        (1, "out_of_range"),
    ]


@pytest.mark.parametrize("row", [0, 63, 64, 199])
@pytest.mark.parametrize("value", [9.0, math.nan, math.inf])
def test_one_violation_among_many_is_found(row: int, value: float) -> None:
    values = np.full(200, 5, np.float32)
    values[row] = value

    assert [each.row for each in check(Column(5.0, True, 4.3, 7.9), values)] == [row]


# strings


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (Column("a", True, words=("a", "ä")), [(2, "unseen"), (3, "missing"), (4, "unseen")]),
        (Column("a", False, words=("a", "ä")), [(2, "unseen"), (4, "unseen")]),
        (Column("a", True), [(3, "missing")]),
        (Column("a", False), []),
        (
            Column("a", False, words=()),
            [(0, "unseen"), (1, "unseen"), (2, "unseen"), (4, "unseen")],
        ),
    ],
)
def test_unseen_and_missing_strings_violate(
    column: Column, expected: list[tuple[int, str]]
) -> None:
    assert found(column, words(b"a", "ä".encode(), b"A", b"", b"\xe4")) == expected


# texts


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        (Column(5.0, True, 4.3, 7.9), 99.0, "99 is out of range; allowed is 4.3 to 7.9"),
        (Column(5.0, True, 4.3, 7.9), 0.1, "0.1 is out of range; allowed is 4.3 to 7.9"),
        (Column(5, True, 4, 1380000001), -2.0, "-2 is out of range; allowed is 4 to 1380000001"),
        (Column(5.0, True, min=4.0), 3.5, "3.5 is out of range; allowed is at least 4"),
        (Column(5.0, True, max=7.5), 8.0, "8 is out of range; allowed is at most 7.5"),
        (Column(5.0, True, 4.3, 7.9), math.inf, "inf is not a finite number"),
        (Column(5.0, True), -math.inf, "-inf is not a finite number"),
        (Column(5.0, True), math.nan, "the value is missing, but required"),
    ],
)
def test_text_describes_a_number(column: Column, value: float, text: str) -> None:
    assert check(column, numbers(value)) == [
        Violation(0, "x", "missing" if math.isnan(value) else "out_of_range", text)
    ]


@pytest.mark.parametrize(
    ("known", "value", "text"),
    [
        (
            CITIES,
            b"Rme",
            "'Rme' is not among the 6 values of the training data; did you mean 'Rome'?",
        ),
        (
            CITIES,
            b"OSLO",
            "'OSLO' is not among the 6 values of the training data; did you mean 'Oslo'?",
        ),
        (CITIES, b"?", "'?' is not among the 6 values of the training data"),
        (
            CITIES[:2],
            b"Rome",
            "'Rome' does not occur in the training data; allowed is 'Berlin', 'Lima'",
        ),
        (
            ("a\nb",),
            b"\xffa\0\n",
            r"'\xffa\x00\n' does not occur in the training data; allowed is 'a\nb'",
        ),
        (
            CITIES,
            "Osloä".encode() * 100,
            f"'{'Osloä' * 16}...' is not among the 6 values of the training data",
        ),
        (
            tuple(str(index) for index in range(1000)),
            b"x",
            "'x' is not among the 1,000 values of the training data",
        ),
        (CITIES, b"", "the value is missing, but required"),
    ],
)
def test_text_describes_a_string(known: tuple[str, ...], value: bytes, text: str) -> None:
    (violation,) = check(Column(known[0], True, words=known), words(value))

    assert violation.text == text


def test_only_first_violations_suggest_a_string() -> None:
    violations = check(Column("Rome", True, words=CITIES), words(*[b"Rme"] * 7))

    assert ["did you mean" in each.text for each in violations] == [True] * 5 + [False] * 2


# several columns

COLUMNS = {
    "x": Column(5.0, True, 4.3, 7.9),
    "word": Column("Rome", True, words=CITIES),
    "free": Column("any", False),
    "y": Column(1, False, 0, 1),
}


def test_find_orders_by_row_and_column() -> None:
    inputs = {
        "y": numbers(2, 2),
        "word": words(b"?", b""),
        "x": numbers(5, 99),
        "free": words(b"", b"z"),
    }

    violations = ValueCheck(COLUMNS).find(inputs)

    assert [(each.row, each.column, each.kind) for each in violations] == [
        (0, "word", "unseen"),
        (0, "y", "out_of_range"),
        (1, "x", "out_of_range"),
        (1, "word", "missing"),
        (1, "y", "out_of_range"),
    ]


@pytest.mark.parametrize(
    "inputs",
    [
        pytest.param({}, id="none"),
        pytest.param({"z": numbers(1), "other": words(b"?")}, id="unknown"),
        pytest.param({"x": numbers(), "word": words()}, id="no rows"),
    ],
)
def test_unknown_and_absent_columns_are_ignored(inputs: dict[str, Any]) -> None:
    assert ValueCheck(COLUMNS).find(inputs) == []
    assert ValueCheck(COLUMNS).count(inputs) == {}


def test_columns_may_have_two_dimensions() -> None:
    inputs = {"x": numbers(5, 99)[:, np.newaxis], "word": words(b"?", b"Rome")[:, np.newaxis]}

    violations = ValueCheck(COLUMNS).find(inputs)

    assert [(each.row, each.column) for each in violations] == [(0, "word"), (1, "x")]
    assert "99" in violations[1].text


# properties

FLOATS = st.floats(width=32)
RANGES = st.tuples(*[st.none() | st.floats(allow_nan=False, allow_infinity=False, width=32)] * 2)


@given(
    st.booleans(),
    RANGES,
    st.none() | st.lists(st.text("abß\n", max_size=3)),
    st.lists(st.tuples(FLOATS, st.text("abß\n", max_size=3).map(str.encode) | st.binary())),
)
def test_count_agrees_with_find(
    is_required: bool,
    bounds: tuple[float | None, float | None],
    known: list[str] | None,
    rows: list[tuple[float, bytes]],
) -> None:
    columns = {
        "x": Column(1.5, is_required, *bounds),
        "word": Column("a", is_required, words=None if known is None else tuple(known)),
    }
    inputs = {"x": numbers(*(x for x, _ in rows)), "word": words(*(word for _, word in rows))}

    value_check = ValueCheck(columns)

    violations = value_check.find(inputs)
    assert value_check.count(inputs) == Counter((each.column, each.kind) for each in violations)
    assert all(each.text.isprintable() for each in violations)


@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1, max_size=200),
    st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1),
    st.booleans(),
)
def test_training_values_never_violate(
    trained: list[float], seen: list[str], has_gaps: bool
) -> None:
    # Like the Pusher, writes the shortest decimal numbers that round to the same float32.
    low, high = (float(str(np.float32(bound))) for bound in (min(trained), max(trained)))
    known = tuple(sorted({word for word in seen if word}))
    has_empty = has_gaps or "" in seen
    columns = {
        "x": Column(trained[0], not has_gaps, low, high),
        "word": Column(seen[0], not has_empty, words=known),
    }
    gaps = [math.nan] if has_gaps else []
    inputs = {
        "x": numbers(*trained, *gaps),
        "word": words(*(word.encode() for word in seen), *([b""] if has_gaps else [])),
    }

    assert ValueCheck(columns).find(inputs) == []


def test_value_check_imports_no_tensorflow() -> None:
    code = "import serving.models.value_check, sys; print('tensorflow' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert done.stdout == "False\n"


# dates


@pytest.mark.parametrize(
    ("date_format", "good", "bad"),
    [
        (
            "iso",
            [b"2024-02-29", b"2024-05-01T10:00Z"],
            [b"01.05.2024", b"2023-02-29", b"x", b"\xff"],
        ),
        (
            "%d %b %Y",
            [b"5 may 2024", b"05 JAN 2024"],
            [b"2024-05-01", b"31 Feb 2024", b"5 mai 2024"],
        ),
        ("unix_ms", [b"1714567890123"], [b"2024-05-01", b"1e30", b"nan"]),
    ],
)
def test_words_that_are_not_dates_of_the_format_violate(
    date_format: str, good: list[bytes], bad: list[bytes]
) -> None:
    column = Column("", True, date_format=date_format)

    assert check(column, words(*good)) == []
    assert found(column, words(*good, *bad)) == [
        (row, "unseen") for row in range(len(good), len(good) + len(bad))
    ]
    assert f"is not a date of the format {date_format}" in check(column, words(*bad))[0].text


@pytest.mark.parametrize(("is_required", "expected"), [(True, [(1, "missing")]), (False, [])])
def test_missing_dates_violate_if_required(
    is_required: bool, expected: list[tuple[int, str]]
) -> None:
    column = Column("", is_required, date_format="iso")

    assert found(column, words(b"2024-05-01", b"")) == expected


# many columns


@pytest.mark.parametrize("n_columns", [3, 80])
@given(st.data())
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_many_columns_are_checked_as_one_by_one(n_columns: int, data: st.DataObject) -> None:
    bounds = st.sampled_from([(0.0, 1.0), (None, 1.0), (0.0, None), (0.1, 0.3)])
    columns = {
        f"x{index}": Column(0.5, data.draw(st.booleans()), *data.draw(bounds))
        for index in range(n_columns)
    }
    wrong = data.draw(
        st.dictionaries(
            st.tuples(st.integers(0, n_columns - 1), st.integers(0, 1)),
            st.sampled_from([math.nan, math.inf, -1.0, 2.0, 0.1, 0.3]),
            max_size=5,
        )
    )
    inputs = {name: numbers(0.2, 0.25) for name in columns}
    for (index, row), value in wrong.items():
        inputs[f"x{index}"][row] = value
    expected = sum(
        (
            Counter(ValueCheck({name: column}).count({name: inputs[name]}))
            for name, column in columns.items()
        ),
        Counter(),
    )

    assert ValueCheck(columns).count(inputs) == expected
