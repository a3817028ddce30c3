"""Blanks around labels."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabular.csv.dialect import Dialect
from tabular.csv.label_cells import trim_label, trim_labels

RFC_4180 = Dialect()


@pytest.mark.parametrize(
    ("cell", "label"),
    [
        ("yes", "yes"),
        (" yes\t", "yes"),
        ("\u00a0yes\u3000", "yes"),
        ("\u200byes\ufeff", "yes"),
        (' "yes"', "yes"),
        (' " yes "', "yes"),
        ('"yes"', '"yes"'),
        (' "', '"'),
        ("New  York ", "New  York"),
        ("yes\n", "yes\n"),
        ("  ", ""),
    ],
)
def test_trim_label_removes_blanks(cell: str, label: str) -> None:
    assert trim_label(cell, RFC_4180) == label


def test_trim_label_without_quotes_keeps_marks() -> None:
    assert trim_label(' "yes"', Dialect(quote=None)) == '"yes"'
    assert trim_label(" 'yes'", Dialect(quote="'")) == "yes"


def test_trim_labels_gives_null_where_nothing_is_left() -> None:
    cells = pa.array(["a", " ", None, " NA", "NA ", ' ""'])

    labels = trim_labels(cells, Dialect(null_values=("NA",)))

    assert labels.to_pylist() == ["a", None, None, None, None, None]


def test_trim_labels_of_cells_without_blanks_copies_nothing() -> None:
    for cells in (["a", None], ["Köln"], ["New York"], [], [None]):
        column = pa.array(cells, pa.string())
        assert trim_labels(column, RFC_4180) is column


def test_trim_labels_of_a_slice() -> None:
    cells = pa.array([" a", "b ", "c"])

    assert trim_labels(cells[1:], RFC_4180).to_pylist() == ["b", "c"]


@settings(deadline=None)
@given(st.lists(st.none() | st.text('ab" \t\n\u00a0ö')))
def test_trim_labels_does_as_trim_label(cells: list[str | None]) -> None:
    expected = [None if cell is None else trim_label(cell, RFC_4180) or None for cell in cells]

    found = trim_labels(pa.array([cell or None for cell in cells], pa.string()), RFC_4180)

    assert found.to_pylist() == expected
