"""The types that CsvExampleGen gives to columns."""

from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from tfx.types import Artifact

from components.csv_example_gen.executor import Executor
from tabular.csv.quarantine import Budget
from tabular.examples.columns import read_columns
from tests.helpers.csv_examples import make_settings, read_split, run, values_of, write_files
from trainer.settings.train import TrainerSettings


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("whole", {"int64_list"}),
        ("number", {"float_list"}),
        ("word", {"bytes_list"}),
        ("partial", {"int64_list", None}),  # whole numbers and empty cells
        ("mixed", {"bytes_list"}),  # a word in one of the two files
        ("none", {None}),  # empty cells only
        ("more", {"float_list", None}),  # a fraction in one of the two files
    ],
)
def test_executor_types_columns_over_all_files(
    examples: Artifact, name: str, kinds: set[str | None]
) -> None:
    rows = read_split(examples, "train") + read_split(examples, "eval")

    assert {kind for row in rows for key, kind, _ in row if key == name} == kinds


def test_executor_keeps_whole_numbers_exact(examples: Artifact) -> None:
    rows = read_split(examples, "train") + read_split(examples, "eval")

    assert 2**53 + 1 in values_of(rows, "whole")  # a double cannot hold it


def test_executor_gives_floats_to_numeric_features(input_dir: Path, tmp_path: Path) -> None:
    examples = run(
        Executor,
        input_dir,
        tmp_path / "examples",
        settings=make_settings(whole="bucketized", partial="bucketized", none="bucketized"),
    )

    rows = read_split(examples, "train") + read_split(examples, "eval")
    kinds = {
        name: {kind for row in rows for key, kind, _ in row if key == name}
        for name in ("whole", "partial", "none")
    }
    assert kinds == {"whole": {"float_list"}, "partial": {"float_list", None}, "none": {None}}


def test_executor_leaves_defaults_to_the_parse_spec(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "csv", {"a.csv": "y,number,word\n1,,\n"})
    settings = make_settings("y", number={"kind": "numeric", "fill": "mean"}, word="categorical")

    examples = run(Executor, folder, tmp_path / "examples", pattern="a.csv", settings=settings)

    paths = map(str, Path(examples.uri).glob("Split-*/*"))
    (record,) = tf.data.TFRecordDataset(list(paths), "GZIP").as_numpy_iterator()
    spec = {
        "number": tf.io.FixedLenFeature([], tf.float32, -1.0),
        "word": tf.io.FixedLenFeature([], tf.string, "missing"),
    }
    parsed = tf.io.parse_single_example(record, spec)
    assert (parsed["number"].numpy(), parsed["word"].numpy()) == (-1.0, b"missing")


def test_executor_writes_the_types_of_the_columns(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "csv", {"a.csv": "y,number,word,none\n1,3.5,a,\n2,,,\n"})

    examples = run(
        Executor, folder, tmp_path / "examples", pattern="a.csv", settings=make_settings("y")
    )

    assert read_columns(examples.uri) == {
        "y": "int64",
        "number": "float32",
        "word": "string",
        "none": "string",
    }


@pytest.mark.parametrize(
    ("settings", "content", "kinds"),
    [
        (make_settings("y", x="categorical"), "x,y\n1,a\n2,b\n", ["bytes_list", "bytes_list"]),
        (make_settings("y", x="bucketized"), "x,y\n1,a\n2,b\n", ["float_list", "bytes_list"]),
        (make_settings("y"), "x,y\n1,1.0\n2.0,0\n", [{"float_list"}, "int64_list"]),
        (make_settings("y", "regression"), "x,y\n1,1\n2,2\n", ["int64_list", "float_list"]),
        (
            TrainerSettings(label="y", weight="x", features={}),
            "x,y\n1,1\n2,2\n",
            ["float_list", "int64_list"],
        ),
    ],
    ids=["words", "numbers", "whole label", "regression", "weight"],
)
def test_executor_types_columns_by_their_role(
    tmp_path: Path, settings: TrainerSettings, content: str, kinds: list[Any]
) -> None:
    folder = write_files(tmp_path / "csv", {"a.csv": content})

    examples = run(Executor, folder, tmp_path / "examples", settings=settings)

    rows = read_split(examples, "train") + read_split(examples, "eval")
    found = [{kind for row in rows for key, kind, _ in row if key == name} for name in "xy"]
    assert found == [{kind} if isinstance(kind, str) else kind for kind in kinds]


def test_executor_infers_types_from_usable_rows(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "csv", {"a.csv": "x,y,z\n1,a,1\nw,b,word\n2,b,2\n"})

    examples = run(
        Executor,
        folder,
        tmp_path / "examples",
        settings=make_settings("y", x="numeric"),
        budget=Budget(max_share=0.5),
    )

    rows = read_split(examples, "train") + read_split(examples, "eval")
    assert sorted(values_of(rows, "z")) == [1, 2]
