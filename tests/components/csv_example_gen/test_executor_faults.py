"""Rows that CsvExampleGen quarantines, and files that have changed since the check."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from tfx.types import Artifact

from components.csv_example_gen.executor import Executor
from tabular.csv.checked_files import ChangedFileError
from tabular.csv.dialect import Dialect
from tabular.csv.quarantine import Budget
from tabular.csv.row_counts import LostRowsError
from tests.helpers.checked_csv import make_options
from tests.helpers.csv_examples import (
    BUCKETS,
    make_settings,
    read_split,
    run,
    values_of,
    write_files,
)


def test_executor_quarantines_and_counts_rows(tmp_path: Path) -> None:
    rows = "".join(f"{n}.5,{'ab'[n % 2]}\n" for n in range(50))
    files = {"a.csv": f'x,y\n{rows}w,\n1,"a\nb"\n1\n', "b.csv": f"x,y\n{rows}1,2,3\n"}
    folder = write_files(tmp_path / "csv", files)
    (folder / "c.csv").write_bytes(b"x,y\n1,\xe9\n")
    settings = make_settings("y", x="numeric")

    examples = run(
        Executor, folder, tmp_path / "examples", settings=settings, budget=Budget(max_rows=5)
    )

    with Path(examples.uri, "quarantine.csv").open(encoding="utf-8", newline="") as file:
        header, *lines = csv.reader(file)
    assert header == ["file", "line", "column", "reason", "row"]
    assert [(Path(line[0]).name, line[1], line[2], line[4]) for line in lines] == [
        ("a.csv", "52", "x, y", "w,"),
        ("a.csv", "53", "y", '1,"a\nb"'),
        ("a.csv", "55", "", "1"),
        ("b.csv", "52", "", "1,2,3"),
        ("c.csv", "2", "y", "1,\\udce9"),
    ]
    assert "'w' is not a number" in lines[0][3]
    assert "the label is empty" in lines[0][3]
    found = {split: len(read_split(examples, split)) for split in BUCKETS}
    assert sum(found.values()) == 100
    assert min(found.values()) > 0
    assert {
        name: examples.get_int_custom_property(name)
        for name in ("rows", "quarantined", "examples_train", "examples_eval")
    } == {
        "rows": 105,
        "quarantined": 5,
        "examples_train": found["train"],
        "examples_eval": found["eval"],
    }


def test_executor_leaves_out_and_counts_unlabeled_rows(tmp_path: Path) -> None:
    rows = "".join(f"{n}.5,{'ab'[n % 2]}\n" for n in range(50))
    folder = write_files(tmp_path / "csv", {"a.csv": f"x,y\n{rows}w,\n1,  \n1,NA\nw,a\n"})
    dialect = Dialect(null_values=("NA",))
    options = make_options(
        [folder / "a.csv"], make_settings("y", x="numeric"), dialect, Budget(max_rows=1)
    )
    rules = replace(options.rules, skips_unlabeled=True)

    examples = run(Executor, folder, tmp_path / "examples", options=replace(options, rules=rules))

    assert sum(len(read_split(examples, split)) for split in BUCKETS) == 50
    assert {
        name: examples.get_int_custom_property(name)
        for name in ("rows", "quarantined", "unlabeled")
    } == {"rows": 54, "quarantined": 1, "unlabeled": 3}
    quarantine = Path(examples.uri, "quarantine.csv").read_text()
    assert [line.rpartition(",")[2] for line in quarantine.splitlines()[1:]] == ['a"']


def test_executor_writes_labels_as_written(tmp_path: Path) -> None:
    rows = "".join(f"{n}.5, {('01', '02', '10')[n % 3]}\n" for n in range(60))
    folder = write_files(tmp_path / "csv", {"a.csv": f"x,y\n{rows}"})

    examples = run(
        Executor, folder, tmp_path / "examples", settings=make_settings("y", x="numeric")
    )

    assert set(values_of(read_split(examples, "train"), "y")) == {b"01", b"02", b"10"}


def test_executor_writes_no_needless_quarantine(examples: Artifact) -> None:
    assert not Path(examples.uri, "quarantine.csv").exists()
    assert examples.get_int_custom_property("rows") == 32
    assert examples.get_int_custom_property("quarantined") == 0


def test_executor_fails_beyond_the_budget(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "csv", {"a.csv": "x,y\nw,a\n1,\n2,a\n"})

    with pytest.raises(ValueError, match=r"2 of 3 rows cannot be used.*a\.csv:2: x: 'w' is not"):
        run(
            Executor,
            folder,
            tmp_path / "examples",
            settings=make_settings("y", x="numeric"),
            budget=Budget(max_rows=1),
        )


@pytest.mark.parametrize(
    "content",
    ["x,y\n1,a\n", "x,y\n1,a\n3,b\n", "x,y,z\n1,a,\n2,b,\n", "y,x\na,1\nb,2\n"],
    ids=["row lost", "cell changed", "column added", "columns swapped"],
)
def test_executor_refuses_a_file_changed_since_the_check(tmp_path: Path, content: str) -> None:
    path = write_files(tmp_path / "csv", {"a.csv": "x,y\n1,a\n2,b\n"}) / "a.csv"
    options = make_options([path], make_settings("y", x="numeric"))

    path.write_text(content)

    with pytest.raises(ChangedFileError, match=r"a\.csv: has changed since the run began"):
        run(Executor, path.parent, tmp_path / "examples", options=options)


def test_executor_refuses_a_file_added_since_the_check(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "csv", {"a.csv": "x,y\n1,a\n2,b\n"})
    options = make_options([folder / "a.csv"], make_settings("y", x="numeric"))

    (folder / "b.csv").write_text("x,y\n1,a\n")

    with pytest.raises(ChangedFileError, match=r"b\.csv"):
        run(Executor, folder, tmp_path / "examples", options=options)


def test_executor_fails_if_a_row_is_lost(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "csv", {"a.csv": "x,y\n1,a\n2,b\n"})
    options = make_options([folder / "a.csv"], make_settings("y", x="numeric"))
    checked = replace(options.checked, rows=3)

    words = "2 read = 2 examples.*, where the check before the run has read 3"
    with pytest.raises(LostRowsError, match=words):
        run(Executor, folder, tmp_path / "examples", options=replace(options, checked=checked))
