"""Which labels are one class."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.data.class_names import find_alike, name_classes
from tabular.csv.types import ColumnType

INT, BYTES, FLOAT = ColumnType.INT, ColumnType.BYTES, ColumnType.FLOAT


@pytest.mark.parametrize(
    ("labels", "column_type", "names"),
    [
        (["1", "0"], INT, ["0", "1"]),
        (["1", "1.0", "1e0", "1.", "0", "-0", "0.0"], INT, ["0", "1"]),
        (["10", "9", "-1"], INT, ["-1", "9", "10"]),
        (["9007199254740993", "1"], INT, ["1", "9007199254740993"]),
        (["01", "02", "10"], BYTES, ["01", "02", "10"]),
        (["01", "1", "1.0"], BYTES, ["01", "1", "1.0"]),
        (["-01", "1"], BYTES, ["-01", "1"]),
        (["1", "1.0", "one"], BYTES, ["1", "1.0", "one"]),
        (["True", "true"], BYTES, ["True", "true"]),
        (["1", "2", "NA"], BYTES, ["1", "2", "NA"]),
        (["+1", "-1"], BYTES, ["-1", "+1"]),
        (["0x1F", "1"], BYTES, ["1", "0x1F"]),
        (["1.5", "2"], FLOAT, ["2", "1.5"]),
        ([], ColumnType.UNKNOWN, []),
    ],
)
def test_name_classes(labels: list[str], column_type: ColumnType, names: list[str]) -> None:
    found = name_classes(labels, ".")

    assert (found.column_type, found.names) == (column_type, names)
    assert found.of_label.keys() == set(labels)


def test_name_classes_with_decimal_comma() -> None:
    assert name_classes(["1,0", "1", "0"], ",").names == ["0", "1"]
    assert name_classes(["1.0", "1", "0"], ",").names == ["0", "1", "1.0"]


@given(st.lists(st.from_regex(r"-?[0-9]{1,3}(\.0)?|[a-c]", fullmatch=True)))
def test_name_classes_does_not_depend_on_order(labels: list[str]) -> None:
    assert name_classes(labels, ".") == name_classes(labels[::-1], ".")


def test_find_alike() -> None:
    names = ["01", "1", "1.0", "2", "New York", "new  york", "Köln", "Ko\u0308ln", "no"]

    assert find_alike(names, ".") == [
        ["01", "1", "1.0"],
        ["New York", "new  york"],
        ["Köln", "Ko\u0308ln"],
    ]
