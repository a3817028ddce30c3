"""Splits by a hash, by the files, and by spans."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from components.csv_example_gen.splits import hash_buckets
from pipeline.data.check import check_data
from pipeline.errors import DataError
from pipeline.settings.load import load_config
from tests.helpers.checked_csv import make_options
from tests.helpers.data_checks import ROWS, check_error, make_config, make_csv
from tests.helpers.paths import PROJECT_DIR, SHIPPED


def check_files(folder: Path, **rows: Sequence[str]) -> str:
    """Checks files of given splits, and gives what is said of them."""
    files = {}
    for split, lines in rows.items():
        (folder / f"{split}.csv").write_text(make_csv(*lines))
        files[split] = str(folder / f"{split}.csv")
    with pytest.raises(DataError) as caught:
        check_data(make_config(None, files=files))
    return str(caught.value).replace(f"{folder}{os.sep}", "")


def test_splits_have_the_configured_shares(path: Path) -> None:
    path.write_text(make_csv(*(f"{i},{i},{i % 2}" for i in range(5000))))

    rows = check_data(make_config(path, split={"train": 0.9, "eval": 0.1})).rows

    assert rows["train"] + rows["eval"] == 5000
    assert rows["eval"] == pytest.approx(500, abs=100)  # over 4 standard deviations of 21


@pytest.mark.filterwarnings("ignore")  # of TFX and its libraries about each other
def test_splits_are_those_of_csv_example_gen(tmp_path: Path) -> None:
    import tensorflow as tf
    from tfx.types import standard_artifacts

    from components.csv_example_gen.component import CsvExampleGen
    from components.csv_example_gen.executor import Executor

    odd_rows = ['1,2,a,"x\ny"', "1,2,a,", '1,2,b,"1,5"', "01,2,b,é"]
    for name in ("1.csv", "2.csv"):
        rows = [*odd_rows, *(f"{row},{name}" for row in ROWS)]
        (tmp_path / name).write_text(make_csv(*rows, header="x,y,kind,note"))
    buckets = hash_buckets({"train": 0.6, "eval": 0.4})
    settings = make_config(tmp_path).trainer_settings
    options = make_options(sorted(tmp_path.glob("*.csv")), settings)
    spec = CsvExampleGen(str(tmp_path), "*.csv", buckets, options=options).spec
    examples = standard_artifacts.Examples()
    examples.uri = str(tmp_path / "examples")

    context = Executor.Context(["--runner=DirectRunner"], tmp_dir=str(tmp_path), unique_id="1")
    Executor(context).Do({}, {"examples": [examples]}, dict(spec.exec_properties))

    assert check_data(make_config(tmp_path, split={"train": 0.6, "eval": 0.4})).rows == {
        split: sum(
            1
            for path in (tmp_path / "examples" / f"Split-{split}").iterdir()
            for _ in tf.data.TFRecordDataset(str(path), "GZIP")
        )
        for split in ("train", "eval")
    }


def test_iris_in_files_of_two_splits(tmp_path: Path) -> None:
    iris = (PROJECT_DIR / "data" / "iris" / "iris.csv").read_text().splitlines()
    rows = {"train": [row for index, row in enumerate(iris[1:]) if index % 5], "test": iris[1::5]}
    for split, lines in rows.items():
        (tmp_path / f"{split}.csv").write_text("".join(f"{line}\n" for line in (iris[0], *lines)))
    config = load_config(
        SHIPPED,
        [
            "data.path=null",
            f"data.files={{train: {tmp_path}/train.csv, eval: {tmp_path}/test.csv}}",
        ],
    )

    assert check_data(config).rows == {"train": 120, "eval": 30}


def test_rows_are_counted_by_split_of_files(tmp_path: Path) -> None:
    for split, count in (("train", 20), ("eval", 6), ("test", 4)):
        (tmp_path / split).mkdir()
        for name in ("1.csv", "2.csv"):
            (tmp_path / split / name).write_text(make_csv(*ROWS[: count // 2]))
    files = {split: str(tmp_path / split) for split in ("train", "eval", "test")}

    summary = check_data(make_config(None, files=files))

    assert summary.rows == {"train": 20, "eval": 6, "test": 4}
    assert [Path(file).parent.name for file in summary.files] == [
        "train",
        "train",
        "eval",
        "eval",
        "test",
        "test",
    ]


@pytest.mark.parametrize("split", ["eval", "test"])
def test_refuses_a_class_in_no_file_of_train(tmp_path: Path, split: str) -> None:
    rows = {"train": ROWS, "eval": ROWS[:4], "test": ROWS[4:8]}
    rows[split] = [*rows[split], "1,2,rare"]

    message = check_files(tmp_path, **rows)

    assert message.startswith(f"{split}.csv:6: kind: the class 'rare' is in the {split} split only")
    assert "data.files" in message


def test_refuses_a_split_file_without_rows(tmp_path: Path) -> None:
    message = check_files(tmp_path, train=ROWS, eval=[])

    assert message.startswith("eval.csv: has a header and no rows")


def test_refuses_different_headers_of_splits(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(make_csv(*ROWS))
    (tmp_path / "eval.csv").write_text(make_csv("1,2", header="x,y"))
    files = {split: str(tmp_path / f"{split}.csv") for split in ("train", "eval")}

    with pytest.raises(DataError, match=r"eval.csv:1: lacks 'kind'; expected .*train.csv"):
        check_data(make_config(None, files=files))


def test_split_column_keeps_equal_cells_together(path: Path) -> None:
    keys = [f"c{i % 40}" if i % 40 else "" for i in range(400)]
    path.write_text(
        make_csv(
            *(f"{i},{i},{'ab'[(i // 40) % 2]},{key}" for i, key in enumerate(keys)),
            header="x,y,kind,customer",
        )
    )

    rows = check_data(make_config(path, split={"by": "customer"})).rows

    assert sum(rows.values()) == 400
    assert all(count and count % 10 == 0 for count in rows.values())  # whole customers of 10 rows


def test_makes_a_test_split(path: Path) -> None:
    path.write_text(make_csv(*(f"{i},{i},{i % 2}" for i in range(4000))))

    rows = check_data(make_config(path, split={"train": 2, "eval": 1, "test": 1})).rows

    assert rows == {
        "train": pytest.approx(2000, abs=130),  # 4 standard deviations of 32, and 110 of 27
        "eval": pytest.approx(1000, abs=110),
        "test": pytest.approx(1000, abs=110),
    }


def test_refuses_a_missing_split_column(path: Path) -> None:
    message = check_error(path, make_csv(*ROWS), split={"by": "kin"})

    assert "there is no column 'kin'" in message
    assert "correct data.split.by" in message
    assert message.endswith("did you mean 'kind'?")


def test_reads_the_newest_span(tmp_path: Path) -> None:
    for span, count in ((9, 10), (10, 20)):
        (tmp_path / f"{span}.csv").write_text(make_csv(*ROWS[:count]))
    config = make_config(tmp_path / "{SPAN}.csv")

    assert check_data(config).files == (str(tmp_path / "10.csv"),)
    assert sum(check_data(config).rows.values()) == 20
