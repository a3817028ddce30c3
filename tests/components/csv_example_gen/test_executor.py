"""The executor of CsvExampleGen over real files: shards, splits, order and file formats."""

import gzip
import os
from pathlib import Path

import numpy as np
import tensorflow as tf
from tfx.types import Artifact

from components.csv_example_gen.executor import Executor
from components.csv_example_gen.splits import split_rows
from tabular.csv.dialect import Dialect
from tabular.csv.number_format import NumberFormat
from tabular.csv.quarantine import Budget
from tabular.csv.reader import read_batches
from tests.helpers.csv_examples import (
    BUCKETS,
    make_settings,
    read_split,
    run,
    values_of,
    write_files,
)

FN_API = "apache_beam.runners.portability.fn_api_runner.FnApiRunner"


def test_executor_describes_its_examples(examples: Artifact) -> None:
    assert examples.split_names == '["train", "eval"]'
    assert examples.get_string_custom_property("payload_format") == "FORMAT_TF_EXAMPLE"


def test_executor_splits_like_split_rows(examples: Artifact, input_dir: Path) -> None:
    expected: list[list[int]] = [[], []]
    for path in sorted(input_dir.iterdir()):
        for batch in read_batches(path):
            numbers = batch.column("whole").to_pylist()
            for number, split in zip(numbers, split_rows(batch, [2, 1]), strict=True):
                expected[split].append(int(number))

    assert all(expected)
    for split, numbers in zip(BUCKETS, expected, strict=True):
        assert values_of(read_split(examples, split), "whole") == numbers


def test_executor_writes_a_shard_per_file_and_split(examples: Artifact) -> None:
    for split in BUCKETS:
        assert sorted(os.listdir(Path(examples.uri, f"Split-{split}"))) == [
            "data_tfrecord-00000-of-00002.gz",
            "data_tfrecord-00001-of-00002.gz",
        ]


def test_executor_repeats_examples_in_the_same_order(examples: Artifact, input_dir: Path) -> None:
    again = run(Executor, input_dir, input_dir.parent / "again")

    for split in BUCKETS:
        assert read_split(again, split) == read_split(examples, split)


def test_executor_overwrites_files_of_a_killed_attempt(input_dir: Path, tmp_path: Path) -> None:
    shard = tmp_path / "examples" / "Split-eval" / "data_tfrecord-00000-of-00001.gz"
    shard.parent.mkdir(parents=True)
    shard.write_bytes(b"half a shar")

    examples = run(Executor, input_dir, tmp_path / "examples", pattern="b.csv")

    assert os.listdir(shard.parent) == [shard.name]
    assert values_of(read_split(examples, "eval"), "whole")


def test_executor_reads_line_ends_in_cells(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "csv", {"a.csv": 'n,word\n1,"two\nlines"\n'})

    examples = run(
        Executor, folder, tmp_path / "examples", pattern="a.csv", settings=make_settings("n")
    )

    rows = read_split(examples, "train") + read_split(examples, "eval")
    assert rows == [(("n", "int64_list", (1,)), ("word", "bytes_list", (b"two\nlines",)))]


def test_executor_keeps_the_splits_of_the_files(tmp_path: Path) -> None:
    rows = {"a.csv": "1,x\n2,x\n", "b.csv": "3,x\n", "c.csv": "4,x\n5.5,x\n", "d.csv": "6,x\n"}
    files = {name: f"n,word\n{text}" for name, text in rows.items()}
    folder = write_files(tmp_path / "csv", files)
    patterns = {"train": "[ab].csv", "eval": "c.csv", "test": "d.csv"}

    examples = run(
        Executor, folder, tmp_path / "examples", pattern=patterns, settings=make_settings("word")
    )

    assert examples.split_names == '["train", "eval", "test"]'
    found = {split: values_of(read_split(examples, split), "n") for split in patterns}
    assert found == {"train": [1.0, 2.0, 3.0], "eval": [4.0, 5.5], "test": [6.0]}
    assert sorted(os.listdir(Path(examples.uri, "Split-train"))) == [
        "data_tfrecord-00000-of-00002.gz",
        "data_tfrecord-00001-of-00002.gz",
    ]


def test_executor_keeps_the_order_of_many_rows(tmp_path: Path) -> None:
    rows = 50_000  # more than threads make examples of at a time
    text = "n,word\n" + "".join(f"{n},{'abc'[n % 3]}\n" for n in range(rows))
    folder = write_files(tmp_path / "csv", {"a.csv": text})

    examples = run(Executor, folder, tmp_path / "examples", settings=make_settings("word"))

    (batch,) = read_batches(folder / "a.csv")
    splits = np.array(split_rows(batch, list(BUCKETS.values())))
    for index, split in enumerate(BUCKETS):
        (path,) = Path(examples.uri, f"Split-{split}").iterdir()
        records = tf.data.TFRecordDataset(str(path), "GZIP").batch(rows)
        parsed = tf.io.parse_example(
            next(iter(records)), {"n": tf.io.FixedLenFeature([], tf.int64)}
        )
        assert parsed["n"].numpy().tolist() == np.flatnonzero(splits == index).tolist()


def test_executor_writes_the_same_with_beam_workers(
    examples: Artifact, input_dir: Path, tmp_path: Path
) -> None:
    by_beam = run(Executor, input_dir, tmp_path / "examples", beam_args=[f"--runner={FN_API}"])

    paths = sorted(Path(examples.uri).glob("Split-*/*"))
    assert len(paths) == 4
    for path in paths:
        written = Path(by_beam.uri, path.relative_to(examples.uri))
        assert written.read_bytes() == path.read_bytes()
    assert by_beam.get_int_custom_property("rows") == 32


def test_executor_keeps_equal_cells_in_one_split(tmp_path: Path) -> None:
    rows = "".join(f"{n},{f'c{n % 12}' if n % 12 else ''}\n" for n in range(240))
    folder = write_files(
        tmp_path / "csv", {"a.csv": f"n,customer\n{rows}", "b.csv": f"n,customer\n{rows}"}
    )

    examples = run(
        Executor, folder, tmp_path / "examples", split_by="customer", settings=make_settings("n")
    )

    customers = [{n % 12 for n in values_of(read_split(examples, split), "n")} for split in BUCKETS]
    assert customers[0] | customers[1] == set(range(12))
    assert customers[0] & customers[1] == set()
    assert all(customers)


def test_executor_reads_only_csv_files_of_a_folder(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "csv", {"a.csv": "n\n1\n", "a.csv.bak": "n\n2\n"})

    examples = run(
        Executor, folder, tmp_path / "examples", pattern="*.csv*", settings=make_settings("n")
    )

    rows = read_split(examples, "train") + read_split(examples, "eval")
    assert values_of(rows, "n") == [1]


def test_executor_reads_another_dialect(tmp_path: Path) -> None:
    folder = tmp_path / "csv"
    folder.mkdir()
    text = "# made by hand\n1,5;'a;\u00e9'\nNA;b\n"
    (folder / "a.csv.gz").write_bytes(gzip.compress(text.encode("latin-1")))
    dialect = Dialect(";", "'", False, ("x", "y"), "#", ("NA",), ",", "latin-1")

    examples = run(
        Executor,
        folder,
        tmp_path / "examples",
        pattern="*.csv*",
        dialect=dialect,
        settings=make_settings("y", x="bucketized"),
    )

    rows = read_split(examples, "train") + read_split(examples, "eval")
    assert set(rows) == {
        (("x", "float_list", (1.5,)), ("y", "bytes_list", ("a;\u00e9".encode(),))),
        (("x", None, ()), ("y", "bytes_list", (b"b",))),
    }


def test_executor_reads_numbers_as_they_are_written(tmp_path: Path) -> None:
    text = 'x,y\n"$1,200",a\n-$3,b\n"($4.5)",a\n5,b\nT,a\n'
    number_format = NumberFormat(("$",), thousands=",", negative="brackets", null_values=("T",))

    examples = run(
        Executor,
        write_files(tmp_path / "csv", {"a.csv": text}),
        tmp_path / "examples",
        dialect=Dialect(numbers={"x": number_format}),
        settings=make_settings("y", x="bucketized"),
        budget=Budget(max_rows=1),
    )

    rows = read_split(examples, "train") + read_split(examples, "eval")
    assert {value for row in rows for name, _, value in row if name == "x"} == {
        (1200.0,),
        (-3.0,),
        (-4.5,),
        (),
    }


def test_executor_finds_columns_in_any_order(tmp_path: Path) -> None:
    texts = {"a.csv": "x,y,z\n1,a,u\n2,b,v\n", "b.csv": "x,y,z\n3,a,w\n4,b,u\n5,a,v\n"}
    swapped = {**texts, "b.csv": "z,x,y\nw,3,a\nu,4,b\nv,5,a\n"}

    found = []
    for name, files in (("same", texts), ("swapped", swapped)):
        folder = write_files(tmp_path / name, files)
        examples = run(
            Executor, folder, tmp_path / f"{name}-out", settings=make_settings("z", x="numeric")
        )
        found.append([read_split(examples, split) for split in BUCKETS])

    assert found[0] == found[1]
    assert sum(map(len, found[0])) == 5
