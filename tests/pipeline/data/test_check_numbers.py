"""Numbers that `data.csv.numbers` describes, in features, label and weight."""

from pathlib import Path

import pytest

from pipeline.data.check import check_data
from tabular.csv.types import ColumnType
from tests.helpers.data_checks import check_error, make_config, make_csv, replace_rows

PRICES = [f'{i}.5,"${i},000",{"ab"[i % 2]}' for i in range(1, 21)]
DOLLARS = {"numbers": {"y": {"prefix": ["$"], "thousands": ","}}}
PERCENT = {"numbers": {"y": {"suffix": ["%"]}}}


def test_reads_a_feature_as_it_is_written(path: Path) -> None:
    path.write_text(make_csv(*PRICES))

    checked = check_data(make_config(path, csv=DOLLARS))

    assert checked.quarantined == 0
    assert checked.config.data.csv.dialect.numbers["y"].thousands == ","


def test_reads_the_label_of_a_regression_as_it_is_written(path: Path) -> None:
    path.write_text(make_csv(*PRICES))

    config = make_config(path, label="y", features=["x"], task="regression", csv=DOLLARS)

    assert sum(check_data(config).rows.values()) == 20


def test_reads_the_weight_as_it_is_written(path: Path) -> None:
    path.write_text(make_csv(*PRICES))

    checked = check_data(make_config(path, features=["x"], weight="y", csv=DOLLARS))

    assert sum(checked.rows.values()) == 20


def test_reads_classes_that_are_whole_numbers(path: Path) -> None:
    path.write_text(make_csv(*(f"{i}.5,{i},{i // 2 % 2 + 1} star" for i in range(20))))

    checked = check_data(make_config(path, csv={"numbers": {"kind": {"suffix": ["star"]}}}))

    assert checked.classes == ("1", "2")


@pytest.mark.parametrize("cell", ["0.45", "$45", "45%%", "x"])
def test_refuses_a_cell_of_another_format(path: Path, cell: str) -> None:
    rows = [f"{i},{i}%,{'ab'[i % 2]}" for i in range(20)]
    rows[4] = f"1,{cell},a"

    assert check_error(path, make_csv(*rows), csv=PERCENT) == (
        f"6: y: '{cell}' is not a number as data.csv.numbers describes those of 'y'; expected one"
        " such as 5.1%: correct it, or the setting"
    )


def test_explains_a_number_out_of_bounds_as_a_number(path: Path) -> None:
    rows = [f'{i},"{i},000",{"ab"[i % 2]}' for i in range(1, 21)]
    rows[4] = '1,"-2,000",a'

    message = check_error(
        path,
        make_csv(*rows),
        features=["x"],
        weight="y",
        csv={"numbers": {"y": {"thousands": ","}}},
    )

    assert message.startswith("6: y: '-2000' is not a number of at least 0")


def test_quarantines_rows_of_another_format(path: Path) -> None:
    rows = [f"{i},{i}%,{'ab'[i % 2]}" for i in range(20)]
    rows[4] = "1,0.45,a"
    path.write_text(make_csv(*rows))

    checked = check_data(make_config(path, csv=PERCENT, quarantine={"max_rows": 1}))

    assert (checked.quarantined, sum(checked.rows.values())) == (1, 19)


def test_an_ignored_column_may_hold_cells_of_another_format(path: Path) -> None:
    path.write_text(replace_rows({6: "1,0.45,a"}))

    assert check_data(make_config(path, features=["x"], csv=PERCENT)).quarantined == 0


def test_a_null_value_of_a_column_is_missing_in_that_column_only(path: Path) -> None:
    rows = [f"{i},{'T' if i == 3 else i},{'TF'[i % 2]}" for i in range(20)]

    csv = {"numbers": {"y": {"null_values": ["T"]}}}

    assert check_error(path, make_csv(*rows), csv=csv).startswith("5: y: the cell is empty")
    features = ["x"]
    checked = check_data(make_config(path, features=features, csv=csv))
    assert checked.classes == ("F", "T")


def test_refuses_a_column_that_is_not_there(path: Path) -> None:
    message = check_error(path, make_csv(*PRICES), csv={"numbers": {"yy": {"suffix": ["%"]}}})

    assert message.startswith("1: there is no column 'yy'; expected one of 'x', 'y', 'kind'")
    assert "correct data.csv.numbers or the header" in message


def test_skew_rows_are_read_like_training_rows(path: Path) -> None:
    path.write_text(make_csv(*PRICES))
    other = path.parent / "other.csv"
    other.write_text(make_csv('+1,"$2,000"', '2,"$3,000"', header="x,y"))
    skew = {"path": str(other), "columns": {"*": 0.5}}

    checked = check_data(make_config(path, csv=DOLLARS, validation={"skew": skew}))

    assert checked.config.checked_skew_files.types == {"x": ColumnType.INT, "y": ColumnType.INT}
