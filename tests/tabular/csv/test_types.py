"""Types of text columns."""

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabular.csv.reader import read_batches
from tabular.csv.types import ColumnType, can_cast, cast_numbers, column_type, widen_types


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([], ColumnType.UNKNOWN),
        ([None, None], ColumnType.UNKNOWN),
        (["1", "-2", "0"], ColumnType.INT),
        (["1", "-2", "007"], ColumnType.PADDED),
        (["1.5", "-01"], ColumnType.PADDED),
        (["01", "x"], ColumnType.BYTES),
        (["0.5", "00.5"], ColumnType.FLOAT),
        (["1", None], ColumnType.INT),
        (["9223372036854775807"], ColumnType.INT),
        (["9223372036854775808"], ColumnType.FLOAT),
        (["1", "2.5"], ColumnType.FLOAT),
        (["1e3", ".5", "-1."], ColumnType.FLOAT),
        (["nan", "-inf"], ColumnType.FLOAT),
        (["1", "x"], ColumnType.BYTES),
        (["1.5", " 1.5"], ColumnType.BYTES),
        (["+1"], ColumnType.BYTES),
        (["1,5"], ColumnType.BYTES),
        (["True"], ColumnType.BYTES),
        (["2024-01-01"], ColumnType.BYTES),
        (["0x1F"], ColumnType.BYTES),
    ],
)
def test_column_type_is_the_narrowest(cells: list[str | None], expected: ColumnType) -> None:
    assert column_type(pa.array(cells, pa.string())) == expected


@pytest.mark.parametrize("at_least", [ColumnType.INT, ColumnType.FLOAT, ColumnType.BYTES])
def test_column_type_is_not_below_the_given_one(at_least: ColumnType) -> None:
    assert column_type(pa.array(["1"]), at_least) == at_least


@settings(deadline=None)
@given(st.lists(st.from_regex(r"[-+]?[0-9a-fA-FxXn]{1,5}\.?[0-9]{0,2}", fullmatch=True)))
def test_column_type_can_be_cast_to(cells: list[str]) -> None:
    column = pa.array(cells, pa.string())
    found = column_type(column)

    assert found != ColumnType.INT or can_cast(column, pa.int64())
    assert found not in (ColumnType.INT, ColumnType.FLOAT) or can_cast(column, pa.float32())


def test_widen_types_over_files(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("int,float,bytes,unknown,late\n1,1,1,,\n")
    (tmp_path / "2.csv").write_text("int,float,bytes,unknown,late\n2,2.5,x,,\n")
    (tmp_path / "3.csv").write_text("int,float,bytes,unknown,late\n,3,3,,3\n")

    types: dict[str, ColumnType] = {}
    for i in (1, 2, 3):
        for batch in read_batches(tmp_path / f"{i}.csv"):
            types |= widen_types(types, batch, ".")

    assert types == {
        "int": ColumnType.INT,
        "float": ColumnType.FLOAT,
        "bytes": ColumnType.BYTES,
        "unknown": ColumnType.UNKNOWN,
        "late": ColumnType.INT,
    }


def test_cast_numbers_reads_any_sign() -> None:
    cells = ["+5", "-5", "\u22125.5", "\u2013.5", "+1e3", "5", None]

    numbers = cast_numbers(pa.array(cells), ".", pa.float64())

    assert numbers.to_pylist() == [5, -5, -5.5, -0.5, 1000, 5, None]
    assert cast_numbers(pa.array(["+1,5"]), ",", pa.float64()).to_pylist() == [1.5]


@pytest.mark.parametrize("cell", ["+-5", "-+5", "++5", "+\u22125", "\u2212-5", "+", "\u2212", "+x"])
def test_cast_numbers_reads_one_sign_only(cell: str) -> None:
    with pytest.raises(pa.ArrowInvalid):
        cast_numbers(pa.array([cell]), ".", pa.float64())


def test_widen_types_reads_signs_of_columns_that_are_numbers() -> None:
    batch = pa.RecordBatch.from_pydict({"a": ["+1"], "b": ["+1"]})

    assert widen_types({}, batch, ".", numbers=["a"]) == {
        "a": ColumnType.INT,
        "b": ColumnType.BYTES,
    }
