"""CsvExampleGen as TFX runs it: driver and executor over real files."""

import csv
import glob
import gzip
import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tfx.components.example_gen.csv_example_gen import executor as stock
from tfx.orchestration.portable import data_types
from tfx.types import Artifact, standard_artifacts

from components.csv_example_gen.component import CsvExampleGen
from components.csv_example_gen.driver import Driver
from components.csv_example_gen.executor import Executor
from components.csv_example_gen.options import Options
from components.csv_example_gen.splits import split_rows
from tabular.csv.checked_files import ChangedFileError
from tabular.csv.dialect import Dialect
from tabular.csv.file_patterns import list_files
from tabular.csv.quarantine import Budget
from tabular.csv.reader import read_batches
from tabular.examples.columns import read_columns
from tests.helpers.checked_csv import NOTHING, RFC_4180, make_options
from trainer.settings.train import TrainerSettings

BUCKETS = {"train": 2, "eval": 1}
FILES = {
    "b.csv": "whole,number,word,gaps,mixed,none,more\n"
    + "".join(
        f"{n},{n / 4},{'abc'[n % 3]}ß,{'' if n % 2 else n},{n},,{n if n else ''}\n"
        for n in range(30)
    ),
    "a.csv": "whole,number,word,gaps,mixed,none,more\n"
    + '-9,1e3," a, ""quoted"" word ",7,1.5,,\n'
    + "9007199254740993,-0.1,NA,,x,,-1.5\n",
}
LABELED = ["whole", "word"]
FN_API = "apache_beam.runners.portability.fn_api_runner.FnApiRunner"

Example = tuple[tuple[str, str | None, tuple[Any, ...]], ...]
Make = Callable[..., Path]


def write_files(folder: Path, files: Mapping[str, str]) -> Path:
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    return folder


def make_settings(
    label: str = "whole", task: str = "multiclass", **features: Any
) -> TrainerSettings:
    return TrainerSettings.model_validate({"label": label, "task": task, "features": features})


SETTINGS = make_settings(number="numeric")


def run(
    executor_class: type,
    input_dir: Path,
    output_dir: Path,
    *,
    settings: TrainerSettings = SETTINGS,
    dialect: Dialect = RFC_4180,
    budget: Budget = NOTHING,
    pattern: str | Mapping[str, str] = "*.csv",
    split_by: str | None = None,
    beam_args: list[str] | None = None,
    options: Options | None = None,
) -> Artifact:
    """Runs an ExampleGen's executor on the component's properties, and gives its artifact."""
    buckets = BUCKETS if isinstance(pattern, str) else None
    patterns = [pattern] if isinstance(pattern, str) else pattern.values()
    globs = [str(input_dir / each) for each in patterns]
    paths = [Path(path) for each in globs for path in list_files(each, glob.glob)]
    component = CsvExampleGen(
        str(input_dir),
        pattern,
        buckets,
        split_by=split_by,
        options=options or make_options(paths, settings, dialect, budget),
    )
    examples = standard_artifacts.Examples()
    examples.uri = str(output_dir)
    context = executor_class.Context(
        beam_args, tmp_dir=str(output_dir.parent / "temp"), unique_id="1"
    )
    executor_class(context).Do({}, {"examples": [examples]}, dict(component.exec_properties))
    return examples


def read_split(examples: Artifact, split: str) -> list[Example]:
    """Reads a split's examples as name, kind and values of each feature, no kind for no value."""
    paths = sorted(Path(examples.uri, f"Split-{split}").iterdir())
    dataset = tf.data.TFRecordDataset([str(path) for path in paths], "GZIP")
    return [
        canonical(tf.train.Example.FromString(record)) for record in dataset.as_numpy_iterator()
    ]


def canonical(example: tf.train.Example) -> Example:
    features = []
    for name, feature in sorted(example.features.feature.items()):
        kind = feature.WhichOneof("kind")
        values = tuple(getattr(feature, kind).value) if kind else ()
        features.append((name, kind if values else None, values))
    return tuple(features)


def values_of(examples: list[Example], name: str) -> list[Any]:
    return [values[0] for example in examples for key, _, values in example if key == name]


@pytest.fixture(scope="module")
def input_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_files(tmp_path_factory.mktemp("data") / "csv", FILES)


@pytest.fixture(scope="module")
def examples(input_dir: Path) -> Artifact:
    return run(Executor, input_dir, input_dir.parent / "examples")


# executor


def test_executor_gives_the_examples_of_the_stock_csv_example_gen(
    examples: Artifact, input_dir: Path
) -> None:
    expected = run(stock.Executor, input_dir, input_dir.parent / "stock")

    both = [
        Counter(read_split(artifact, "train") + read_split(artifact, "eval"))
        for artifact in (examples, expected)
    ]
    assert both[0] == both[1]
    assert both[0].total() == 32


def test_executor_describes_its_examples(examples: Artifact) -> None:
    assert examples.split_names == '["train", "eval"]'
    assert examples.get_string_custom_property("payload_format") == "FORMAT_TF_EXAMPLE"


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("whole", {"int64_list"}),
        ("number", {"float_list"}),
        ("word", {"bytes_list"}),
        ("gaps", {"int64_list", None}),  # whole numbers and empty cells
        ("mixed", {"bytes_list"}),  # a word in one of the two files
        ("none", {None}),  # empty cells only
        ("more", {"float_list", None}),  # a fraction in one of the two files
    ],
)
def test_executor_gives_a_column_one_type_over_all_files(
    examples: Artifact, name: str, kinds: set[str | None]
) -> None:
    rows = read_split(examples, "train") + read_split(examples, "eval")

    assert {kind for row in rows for key, kind, _ in row if key == name} == kinds


def test_executor_keeps_whole_numbers_exact(examples: Artifact) -> None:
    rows = read_split(examples, "train") + read_split(examples, "eval")

    assert 2**53 + 1 in values_of(rows, "whole")  # no double is


def test_executor_splits_as_split_rows_does(examples: Artifact, input_dir: Path) -> None:
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


def test_executor_gives_the_same_examples_in_the_same_order_again(
    examples: Artifact, input_dir: Path
) -> None:
    again = run(Executor, input_dir, input_dir.parent / "again")

    for split in BUCKETS:
        assert read_split(again, split) == read_split(examples, split)


def test_executor_overwrites_what_a_killed_attempt_left(input_dir: Path, tmp_path: Path) -> None:
    shard = tmp_path / "examples" / "Split-eval" / "data_tfrecord-00000-of-00001.gz"
    shard.parent.mkdir(parents=True)
    shard.write_bytes(b"half a shar")

    examples = run(Executor, input_dir, tmp_path / "examples", pattern="b.csv")

    assert os.listdir(shard.parent) == [shard.name]
    assert values_of(read_split(examples, "eval"), "whole")


def test_executor_gives_floats_where_it_is_told_to(input_dir: Path, tmp_path: Path) -> None:
    examples = run(
        Executor,
        input_dir,
        tmp_path / "examples",
        settings=make_settings(whole="bucketized", gaps="bucketized", none="bucketized"),
    )

    rows = read_split(examples, "train") + read_split(examples, "eval")
    kinds = {
        name: {kind for row in rows for key, kind, _ in row if key == name}
        for name in ("whole", "gaps", "none")
    }
    assert kinds == {"whole": {"float_list"}, "gaps": {"float_list", None}, "none": {None}}


def test_executor_leaves_gaps_to_the_default_of_a_parse_spec(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "csv", {"a.csv": "y,number,word\n1,,\n"})
    settings = make_settings("y", number={"kind": "numeric", "fill": "mean"}, word="categorical")

    examples = run(Executor, folder, tmp_path / "examples", pattern="a.csv", settings=settings)

    paths = map(str, Path(examples.uri).glob("Split-*/*"))
    (record,) = tf.data.TFRecordDataset(list(paths), "GZIP").as_numpy_iterator()
    spec = {
        "number": tf.io.FixedLenFeature([], tf.float32, -1.0),
        "word": tf.io.FixedLenFeature([], tf.string, "a gap"),
    }
    parsed = tf.io.parse_single_example(record, spec)
    assert (parsed["number"].numpy(), parsed["word"].numpy()) == (-1.0, b"a gap")


def test_executor_keeps_the_columns_with_the_types_of_the_examples(tmp_path: Path) -> None:
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


def test_executor_reads_line_ends_within_cells(tmp_path: Path) -> None:
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


KINDS_OF_RAW_TYPES = {"size": float, "code": str, "weight": float}
"""Columns of whole numbers that are floats or bytes here, because the model reads them so."""

LABEL_AS_NUMBER = "grade"
"""Label of numbers that are whole, such as 1.0: classes here, hence integers."""


def make_stock_rows(rows: int, seed: int) -> str:
    """Writes rows of all that CSV can hold in fields; every column has its kind in every file."""
    random = np.random.default_rng(seed)
    words = ["a", "b c", '"quoted, ""twice"""', '"two\nlines"', "\u00df", " ", "NA", "nan!", "1e"]
    lines = ["id,size,code,weight,number,gaps,word,bare,none,grade"]
    for index in range(rows):
        lines.append(
            f"{index - 5 if index else -(2**63)},{random.integers(-9, 9)},{random.integers(5)},"
            f"{index},{random.normal() if index else 0.5},"
            f"{'' if random.random() < 0.3 else random.integers(2**40) / (1 + index % 2)},"
            f"{words[random.integers(len(words))] if index else 'a'},"
            f"{'' if random.random() < 0.3 else random.integers(-(2**40), 2**40)},,"
            f"{random.integers(3)}.0"
        )
    return "\n".join(lines) + "\n"


def as_ours(example: Example) -> Example:
    """Gives an example of the stock component the types that columns have here."""
    features = []
    for name, kind, values in example:
        if kind and KINDS_OF_RAW_TYPES.get(name) is float:
            features.append((name, "float_list", tuple(map(float, values))))
        elif kind and KINDS_OF_RAW_TYPES.get(name) is str:
            features.append((name, "bytes_list", tuple(str(value).encode() for value in values)))
        elif kind and name == LABEL_AS_NUMBER:
            features.append((name, "int64_list", tuple(map(int, values))))
        else:
            features.append((name, kind, values))
    return tuple(features)


def test_executor_gives_the_examples_of_the_stock_csv_example_gen_for_given_splits(
    tmp_path: Path,
) -> None:
    patterns = {"train": "[ab].csv", "eval": "c.csv"}
    files = {f"{name}.csv": make_stock_rows(60, seed) for seed, name in enumerate("abc")}
    input_dir = write_files(tmp_path / "csv", files)
    settings = TrainerSettings.model_validate(
        {
            "label": LABEL_AS_NUMBER,
            "weight": "weight",
            "features": {"size": "bucketized", "code": "categorical"},
        }
    )
    ours, stocks = (
        run(
            each,
            input_dir,
            tmp_path / each.__module__,
            pattern=patterns,
            settings=settings,
        )
        for each in (Executor, stock.Executor)
    )

    for split, count in (("train", 120), ("eval", 60)):
        expected = Counter(map(as_ours, read_split(stocks, split)))
        assert Counter(read_split(ours, split)) == expected
        assert expected.total() == count
        kinds = {name: kind for example in expected for name, kind, _ in example if kind}
        assert kinds == {
            "id": "int64_list",
            "size": "float_list",
            "code": "bytes_list",
            "weight": "float_list",
            "number": "float_list",
            "gaps": "float_list",
            "word": "bytes_list",
            "bare": "int64_list",
            "grade": "int64_list",
        }


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


def test_executor_writes_the_same_by_the_workers_of_beam(
    examples: Artifact, input_dir: Path, tmp_path: Path
) -> None:
    by_beam = run(Executor, input_dir, tmp_path / "examples", beam_args=[f"--runner={FN_API}"])

    paths = sorted(Path(examples.uri).glob("Split-*/*"))
    assert len(paths) == 4
    for path in paths:
        written = Path(by_beam.uri, path.relative_to(examples.uri))
        assert written.read_bytes() == path.read_bytes()
    assert by_beam.get_int_custom_property("rows") == 32


def test_executor_keeps_rows_of_equal_cells_in_a_split(tmp_path: Path) -> None:
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


def test_executor_reads_the_csv_files_of_a_folder_only(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "csv", {"a.csv": "n\n1\n", "a.csv.bak": "n\n2\n"})

    examples = run(
        Executor, folder, tmp_path / "examples", pattern="*.csv*", settings=make_settings("n")
    )

    rows = read_split(examples, "train") + read_split(examples, "eval")
    assert values_of(rows, "n") == [1]


def test_executor_puts_aside_what_cannot_be_used_and_accounts_for_it(tmp_path: Path) -> None:
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


def test_executor_writes_no_quarantine_where_all_rows_are_used(examples: Artifact) -> None:
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


def test_executor_fails_where_a_row_is_lost(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "csv", {"a.csv": "x,y\n1,a\n2,b\n"})
    options = make_options([folder / "a.csv"], make_settings("y", x="numeric"))
    checked = replace(options.checked, rows=3)

    with pytest.raises(
        RuntimeError, match="3 rows were read, but 2 are examples and 0 are quarantined"
    ):
        run(Executor, folder, tmp_path / "examples", options=replace(options, checked=checked))


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


def test_executor_infers_types_from_the_rows_that_can_be_used(tmp_path: Path) -> None:
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


# driver


def drive(input_dir: Path, pattern: str | Mapping[str, str] = "*.csv") -> str:
    """Runs the driver, and gives the fingerprint that it puts into the cache key."""
    component = CsvExampleGen(
        str(input_dir),
        pattern,
        BUCKETS if isinstance(pattern, str) else None,
        options=make_options([], SETTINGS),
    )
    info = data_types.ExecutionInfo(
        exec_properties=dict(component.exec_properties),
        output_dict={"examples": [standard_artifacts.Examples()]},
    )
    output = Driver(None).run(info)
    fingerprint = output.exec_properties["input_fingerprint"].string_value
    (artifact,) = output.output_artifacts["examples"].artifacts
    assert artifact.custom_properties["input_fingerprint"].string_value == fingerprint
    return str(fingerprint)


@pytest.fixture
def csv_dir(tmp_path: Path) -> Path:
    return write_files(tmp_path / "csv", {"a.csv": "x\n1\n", "b.csv": "x\n2\n"})


def test_driver_gives_the_same_fingerprint_for_the_same_bytes_of_another_time(
    csv_dir: Path,
) -> None:
    before = drive(csv_dir)

    os.utime(csv_dir / "a.csv", (1, 1))

    assert drive(csv_dir) == before


def test_driver_gives_the_same_fingerprint_for_a_copy_elsewhere(csv_dir: Path) -> None:
    copy = write_files(csv_dir.parent / "copy", {"a.csv": "x\n1\n", "b.csv": "x\n2\n"})

    assert drive(copy) == drive(csv_dir)


def test_driver_gives_another_fingerprint_for_other_bytes_of_the_same_size_and_time(
    csv_dir: Path,
) -> None:
    path = csv_dir / "a.csv"
    before, times = drive(csv_dir), (path.stat().st_atime_ns, path.stat().st_mtime_ns)

    path.write_text("x\n3\n")
    os.utime(path, ns=times)

    assert drive(csv_dir) != before


@pytest.mark.parametrize(
    "files",
    [
        {"a.csv": "x\n1\n"},
        {"a.csv": "x\n1\n", "c.csv": "x\n2\n"},
        {"a.csv": "x\n2\n", "b.csv": "x\n1\n"},
        {"a.csv": "x\n1\n", "b.csv": "x\n2\n", "c.csv": ""},
        {"a.csv": "x\n1\nb.csv\0x\n2\n"},
    ],
    ids=["removed", "renamed", "swapped", "added", "joined"],
)
def test_driver_gives_another_fingerprint_for_other_files(
    csv_dir: Path, files: Mapping[str, str]
) -> None:
    others = write_files(csv_dir.parent / "others", files)

    assert drive(others) != drive(csv_dir)


def test_driver_fingerprints_the_files_of_the_pattern_only(csv_dir: Path) -> None:
    before = drive(csv_dir, "a.csv")

    (csv_dir / "b.csv").write_text("x\n3\n")

    assert drive(csv_dir, "a.csv") == before


def test_driver_gives_another_fingerprint_where_a_file_moves_to_another_split(
    csv_dir: Path,
) -> None:
    before = drive(csv_dir, {"train": "a.csv", "eval": "b.csv"})

    assert drive(csv_dir, {"train": "[ab].csv", "eval": "c.csv"}) != before
    assert drive(csv_dir, {"train": "a.csv", "eval": "b.csv"}) == before


def test_driver_does_not_fingerprint_what_is_not_read(csv_dir: Path) -> None:
    before = drive(csv_dir, "*.csv*")

    (csv_dir / "a.csv.bak").write_text("x\n3\n")

    assert drive(csv_dir, "*.csv*") == before
