"""Rows are read once: splits are computed where they matter, and errors are the same."""

import gzip
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from components.csv_example_gen.splits import split_rows
from pipeline.data.check import check_data
from pipeline.data.rows import RowSplits
from pipeline.data.value_counts import MAX_VALUES
from pipeline.errors import DataError
from pipeline.settings.config import Config
from tabular.csv.file_patterns import ALL
from tests.helpers.bytes_read import NOISE, bytes_read
from tests.helpers.data_checks import ROWS, check_error_at, make_config, make_csv

BATCH = pa.RecordBatch.from_arrays(
    [pa.array([str(index) for index in range(100)]), pa.array(["a", "b"] * 50)], ["x", "kind"]
)
SHARES = {"split": {"train": 2, "eval": 1, "test": 1}}


def make_splits(path: Path, **data: Any) -> RowSplits:
    return RowSplits(make_config(path, **data), BATCH, ALL)


def test_row_splits_are_those_of_split_rows(path: Path) -> None:
    assert make_splits(path, **SHARES).of().tolist() == split_rows(BATCH, [2, 1, 1])


@pytest.mark.parametrize("has_all", [False, True], ids=["before all", "after all"])
@pytest.mark.parametrize("picked", [[], [7], [0, 3, 99], range(100)])
def test_row_splits_of_a_mask(path: Path, picked: list[int], has_all: bool) -> None:
    splits = make_splits(path, **SHARES)
    mask = np.isin(np.arange(100), list(picked))
    if has_all:
        splits.of()

    expected = np.array(split_rows(BATCH, [2, 1, 1]))[mask]
    assert splits.of(mask).tolist() == expected.tolist()
    assert splits.of().tolist() == split_rows(BATCH, [2, 1, 1])


def test_row_splits_by_a_column(path: Path) -> None:
    splits = make_splits(path, split={"train": 2, "eval": 1, "by": "kind"})
    mask = np.arange(100) % 2 == 1

    assert splits.of(mask).tolist() == split_rows(BATCH, [2, 1], "kind")[1::2]


@pytest.mark.parametrize(("split", "index"), [("train", 0), ("eval", 1)])
def test_row_splits_of_a_given_split(tmp_path: Path, split: str, index: int) -> None:
    files = {name: str(tmp_path / f"{name}.csv") for name in ("train", "eval")}
    config = make_config(None, files=files)
    mask = np.arange(100) < 3

    assert RowSplits(config, BATCH, split).of().tolist() == [index] * 100
    assert RowSplits(config, BATCH, split).of(mask).tolist() == [index] * 3


def error_of(path: Path, *, count_splits: bool, **settings: Any) -> str:
    with pytest.raises(DataError) as caught:
        check_data(make_config(path, **settings), count_splits=count_splits)
    return str(caught.value)


def key_in(split: int) -> int:
    """Finds a cell of y whose rows fall into a split, 0 for train or 1 for eval."""
    batch = pa.RecordBatch.from_arrays([pa.array([str(key) for key in range(20)])], ["y"])
    return split_rows(batch, [2, 1], "y").index(split)


TRAIN_KEY, EVAL_KEY = key_in(0), key_in(1)
MANY = [f"{row},{row % 20},{'ab'[row // 20 % 2]}" for row in range(40_000)]
"""Rows of which most need no split, once both classes are known in every split."""


@pytest.mark.parametrize(
    ("rows", "settings", "message"),
    [
        (
            [f"{row},{row % 20},{'ab'[row % 20 == TRAIN_KEY]}" for row in range(40_000)],
            {"split": {"by": "y"}},
            r"kind: the eval split \(\d+ of 40000 rows\) has the class 'a' only",
        ),
        (
            [*MANY, f"1,{EVAL_KEY},rare"],
            {"split": {"by": "y"}},
            "40002: kind: the class 'rare' is in the eval split only",
        ),
        (["1,1,a"] * 9, {}, "every row has the class 'a'"),
        ([*MANY, "1,1,c"], {"task": "binary"}, "3 classes, 'a', 'b', 'c'"),
        (MANY[:40], {"split": {"train": 1000, "eval": 0.001}}, r"\(0 of 40 rows\) has no row"),
        (MANY, {"task": "binary", "positive": "x"}, "there is no class 'x'"),
        (["1,1,3.5"] * 90, {"task": "regression"}, "every row has the number 3.5"),
        (
            [f"{row},{row % 20},{0.5 * (row % 20 == EVAL_KEY)}" for row in range(40_000)],
            {"task": "regression", "split": {"by": "y"}},
            r"the train split \(\d+ of 40000 rows\) has the number 0 only",
        ),
        ([f"{row},1,{row}.5" for row in range(90)], {}, "neither a word nor a whole number"),
        ([*MANY, "1,2,"], {}, "40002: kind: the label is empty"),
    ],
)
def test_errors_are_the_same_without_counts(
    path: Path, rows: list[str], settings: dict[str, Any], message: str
) -> None:
    path.write_text(make_csv(*rows))

    error = error_of(path, count_splits=False, **settings)

    assert re.search(message, error)
    assert error == error_of(path, count_splits=True, **settings)


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_data_is_accepted_without_counts(path: Path, task: str) -> None:
    path.write_text(make_csv(*(f"{row},{row},{row % 3}" for row in range(40_000))))
    config = make_config(path, task=task)

    counted = check_data(config)
    uncounted = check_data(config, count_splits=False)

    assert uncounted.rows == {}
    assert sum(counted.rows.values()) == 40_000
    assert uncounted.classes == counted.classes
    assert uncounted.config == counted.config


def test_file_with_an_inch_mark_is_read_once(path: Path) -> None:
    rows = [f"{row}.5,{row},{'ab'[row % 2]},pipe of many words" for row in range(200_000)]
    rows[7] = '1,1,a,5" pipe'
    path.write_text(make_csv(*rows, header="x,y,kind,note"))
    size = path.stat().st_size
    config = make_config(path)

    assert size <= bytes_read(lambda: check_data(config, count_splits=False)) < size + NOISE


def test_empty_file_beside_another_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(make_csv(*ROWS))
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(b""))

    assert check_error_at(tmp_path).startswith(f"{tmp_path / 'b.csv.gz'}: is empty")


def test_header_without_rows_beside_another_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(make_csv())
    (tmp_path / "b.csv").write_text(make_csv(*ROWS))

    assert check_error_at(tmp_path).startswith(f"{tmp_path / 'a.csv'}: has a header and no rows")


# Features that are auto: the rows of train decide, and those of eval may not fit.


def write_splits(folder: Path, eval_cell: str) -> dict[str, str]:
    """Writes numbers in train, and in eval all but one cell."""
    rows = [f"{row}.5,{row},{'ab'[row % 2]}" for row in range(60)]
    files = {split: str(folder / f"{split}.csv") for split in ("train", "eval")}
    Path(files["train"]).write_text(make_csv(*rows))
    Path(files["eval"]).write_text(make_csv(*rows[:20], f"{eval_cell},1,a"))
    return files


def make_auto(files: dict[str, str], **data: Any) -> Config:
    config = make_config(None, files=files, **data)
    features = {name: {"kind": "auto"} for name in ("x", "y")}
    return Config.model_validate({**config.model_dump(by_alias=True), "features": features})


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("word", "x: 'word' is not a number"),
        ("inf", "x: 'inf' is not finite"),
        ("1e39", "x: '1e39' is infinite in float32"),
    ],
)
def test_auto_refuses_a_cell_of_eval_with_its_line(tmp_path: Path, cell: str, reason: str) -> None:
    files = write_splits(tmp_path, cell)

    with pytest.raises(DataError) as caught:
        check_data(make_auto(files))

    assert str(caught.value).startswith(f"{files['eval']}:22: {reason}")


@pytest.mark.parametrize("count_splits", [False, True])
def test_auto_quarantines_a_row_of_eval(tmp_path: Path, count_splits: bool) -> None:
    config = make_auto(write_splits(tmp_path, "word"), quarantine={"max_rows": 1})

    found = check_data(config, count_splits=count_splits)

    assert found.counts.quarantined == 1
    assert found.rows == ({"train": 60, "eval": 20} if count_splits else {})
    assert found.config.features["x"].kind == "numeric"


def test_auto_accepts_a_missing_value_in_eval(tmp_path: Path) -> None:
    found = check_data(make_auto(write_splits(tmp_path, "")))

    assert found.counts.quarantined == 0
    assert found.rows == {"train": 60, "eval": 21}


def test_auto_finds_a_null_word_among_many_dates_of_eval(tmp_path: Path) -> None:
    # So many dates that only what is known of all of them tells whether they fit.
    days = [
        f"{year}-{month:02d}-{day:02d}"
        for year in range(1980, 2020)
        for month in range(1, 13)
        for day in range(1, 29)
    ]
    assert len(days) > MAX_VALUES
    rows = [f"{day},{row},{'ab'[row % 2]}" for row, day in enumerate(days)]
    files = {split: str(tmp_path / f"{split}.csv") for split in ("train", "eval")}
    Path(files["train"]).write_text(make_csv(*rows))
    Path(files["eval"]).write_text(make_csv(*rows, "NA,1,a"))

    with pytest.raises(DataError, match=rf"eval.csv:{len(days) + 2}: x: 'NA' is not a date"):
        check_data(make_auto(files))
