"""Rows whose label is missing."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.data.check import check_data
from tabular.csv.row_counts import RowCounts
from tests.helpers.data_checks import (
    ROWS,
    check_error,
    check_error_at,
    make_config,
    make_csv,
    replace_rows,
)

SKIP: dict[str, Any] = {"unlabeled": "skip"}
REGRESSION: dict[str, Any] = {"task": "regression"}


def test_an_unlabeled_row_is_a_fault(path: Path) -> None:
    message = check_error(path, replace_rows({6: "1,2,"}))

    assert message.startswith("6: kind: the label is empty; expected a class: fill it in, remove")
    assert message.endswith("leave such rows out by data.unlabeled: skip")


def test_an_unlabeled_row_of_a_regression_is_a_fault(path: Path) -> None:
    message = check_error(path, make_csv("1,2,3", "1,2,", "2,3,4"), **REGRESSION)

    assert message.startswith("3: kind: the label is empty; expected a number: fill it in")
    assert message.endswith("leave such rows out by data.unlabeled: skip")


@pytest.mark.parametrize("count_splits", [True, False])
@pytest.mark.parametrize("label", ["", " ", '""', "\u00a0", "NA", " NA"])
def test_unlabeled_rows_are_left_out_and_counted(
    path: Path, label: str, count_splits: bool
) -> None:
    path.write_text(make_csv(*ROWS, f"1,2,{label}", *ROWS, f"3,4,{label}"))

    config = make_config(path, csv={"null_values": ["NA"]}, **SKIP)
    checked = check_data(config, count_splits=count_splits)

    assert checked.counts == RowCounts(read=42, examples=40, quarantined=0, unlabeled=2)
    assert checked.classes == ("a", "b")
    assert checked.config.checked_files.rows == 42
    assert sum(checked.rows.values()) == (40 if count_splits else 0)


def test_other_cells_of_unlabeled_rows_are_not_checked(path: Path) -> None:
    path.write_text(make_csv(*ROWS, "x,y,", "1,-5,"))

    checked = check_data(make_config(path, features=("x",), weight="y", **SKIP))

    assert checked.counts == RowCounts(22, 20, 0, 2)


def test_faults_of_other_rows_name_their_lines(path: Path) -> None:
    message = check_error(path, make_csv("1,2,", *ROWS, "3,4,", "five,6,a"), **SKIP)

    assert message.startswith("24: x: 'five' is not a number")


def test_faults_and_unlabeled_rows_are_counted_apart(path: Path) -> None:
    path.write_text(make_csv("1,2,", *ROWS, "1,2", "five,6,a", "w,,"))

    checked = check_data(make_config(path, quarantine={"max_rows": 2}, **SKIP))

    assert checked.counts == RowCounts(24, 20, 2, 2)


def test_unlabeled_rows_are_no_matter_of_the_quarantine(path: Path) -> None:
    path.write_text(make_csv(*ROWS, *["1,2,"] * 100))

    assert check_data(make_config(path, **SKIP)).counts.unlabeled == 100


def test_a_null_word_may_be_a_class(path: Path) -> None:
    path.write_text(make_csv(*(f"{i},{i},{('yes', 'NA', '')[i % 3]}" for i in range(60))))

    checked = check_data(make_config(path, **SKIP))

    assert checked.classes == ("NA", "yes")
    assert checked.counts.unlabeled == 20


def test_unlabeled_rows_of_a_regression_are_left_out(path: Path) -> None:
    path.write_text(make_csv(*(f"{i},{i},{i if i % 4 else ''}" for i in range(40))))

    checked = check_data(make_config(path, **REGRESSION, **SKIP))

    assert checked.counts == RowCounts(40, 30, 0, 10)


def test_an_unlabeled_row_keeps_the_type_of_the_classes(path: Path) -> None:
    path.write_text(make_csv(*(f"{i},{i},{('0', '1.0', ' ')[i % 3]}" for i in range(60))))

    assert check_data(make_config(path, **SKIP)).classes == ("0", "1")


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_refuses_data_without_labels(path: Path, task: str) -> None:
    message = check_error(path, make_csv("1,2,", "3,4, "), task=task, **SKIP)

    assert message == (
        " kind: the label is missing in all 2 rows; expected labels: fill them in, or name"
        " another column in data.label"
    )


@pytest.mark.parametrize(
    ("labels", "task"), [(("a", "b"), "multiclass"), (("1.5", "2.5"), "regression")]
)
def test_refuses_a_split_without_labels(tmp_path: Path, labels: tuple[str, str], task: str) -> None:
    rows = [f"{i},{i},{labels[i % 2]}" for i in range(20)]
    (tmp_path / "train.csv").write_text(make_csv(*rows))
    (tmp_path / "eval.csv").write_text(make_csv("1,2,", "3,4,"))
    files = {split: str(tmp_path / f"{split}.csv") for split in ("train", "eval")}

    message = check_error_at(None, task=task, files=files, **SKIP)

    expected = "no row with a label (2 rows are left out as they have none)"
    assert f"kind: the eval split (0 of 20 rows) has {expected}" in message


def test_a_file_without_labels_among_others_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text(make_csv(*ROWS))
    (tmp_path / "2.csv").write_text(make_csv("1,2,", "3,4,"))

    assert check_data(make_config(tmp_path, **SKIP)).counts == RowCounts(22, 20, 0, 2)


def test_an_unlabeled_row_in_a_span_is_counted(tmp_path: Path) -> None:
    for span in (1, 2):
        folder = tmp_path / f"span-{span}"
        folder.mkdir()
        (folder / "rows.csv").write_text(make_csv(*ROWS, *["1,2,"] * span))

    checked = check_data(make_config(tmp_path / "span-{SPAN}", **SKIP))

    assert checked.counts == RowCounts(22, 20, 0, 2)


@pytest.mark.parametrize("unlabeled", ["error", "skip"])
def test_a_skew_set_may_lack_labels(tmp_path: Path, path: Path, unlabeled: str) -> None:
    path.write_text(make_csv(*ROWS))
    skew = tmp_path / "skew.csv"
    skew.write_text(make_csv("1,2,", "3,4,a"))

    config = make_config(path, validation={"skew": {"path": str(skew)}}, unlabeled=unlabeled)
    checked = check_data(config)

    assert checked.config.checked_skew_files.rows == 2
    assert checked.counts == RowCounts(20, 20, 0, 0)
