"""`pipeline predict` with small models."""

import csv
import fcntl
import gzip
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
import yaml
from pyarrow import parquet

from pipeline.__main__ import run_command
from pipeline.predict.predict_file import Prediction, predict
from pipeline.settings.load import load_config
from tabular.csv import reader
from tests.helpers.paths import PROJECT_DIR
from tests.helpers.pushed_models import WORDS, Classifier, Regressor, push

ADDED = ["predicted", *(f"probability_{word}" for word in WORDS)]
ROWS = [("1.25", "ab"), ("", "cd"), ("-0.1", "never seen"), ("3e-3", ""), ("2.5", "cd")]
"""Cells of x and word, some of them missing."""


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A serving folder with two different versions."""
    folder = tmp_path_factory.mktemp("serving")
    push(Classifier(), folder, 9)
    push(Classifier(shift=1), folder, 10)
    return folder


@pytest.fixture(scope="module")
def regressors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A serving folder with a regression model."""
    folder = tmp_path_factory.mktemp("regressors")
    push(Regressor(), folder, 1)
    return folder


def write_config(tmp_path: Path, serving: Path, **data: Any) -> Path:
    path = tmp_path / "config.yaml"
    settings = {
        "name": "t",
        "paths": {"root": "state"},
        "push": {"directory": str(serving)},
        "data": {"path": "train.csv", "label": "kind", **data},
        "features": {"x": {"kind": "numeric", "fill": "mean"}, "word": "categorical"},
        "evaluation": {"thresholds": {"accuracy": {"min": 0.5}}},
    }
    path.write_text(yaml.safe_dump(settings), "utf-8")
    return path


def call(tmp_path: Path, *arguments: str) -> int:
    return run_command(
        [
            "predict",
            f"--config={tmp_path / 'config.yaml'}",
            f"--input={tmp_path / 'new.csv'}",
            f"--output={tmp_path / 'out.csv'}",
            *arguments,
        ]
    )


def start(tmp_path: Path) -> "subprocess.Popen[str]":
    """Starts the command as a process."""
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "pipeline", "predict"),
            *("--config", tmp_path / "config.yaml"),
            *("--input", tmp_path / "new.csv", "--output", tmp_path / "out.csv"),
        ],
        cwd=PROJECT_DIR,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(tmp_path: Path, output: str = "out.csv", **options: Any) -> Prediction:
    config = load_config(tmp_path / "config.yaml", [])
    return predict(config, tmp_path / "new.csv", tmp_path / output, **options)


def write_rows(tmp_path: Path, rows: Sequence[Sequence[str]] = ROWS) -> None:
    lines = [f"{x},{index},{word}\n" for index, (x, word) in enumerate(rows)]
    (tmp_path / "new.csv").write_text("x,row,word\n" + "".join(lines), "utf-8")


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def ask(model_dir: Path, rows: Sequence[Sequence[str]] = ROWS) -> dict[str, Any]:
    """Returns the outputs of the signature of raw columns."""
    model = tf.saved_model.load(str(model_dir))
    answer = model.signatures["serving_default"](
        x=tf.constant([float(x or "nan") for x, _ in rows], tf.float32),
        word=tf.constant([word for _, word in rows]),
    )
    return {name: tensor.numpy() for name, tensor in answer.items()}


@pytest.mark.parametrize(("version", "taken"), [(None, 10), (9, 9)])
def test_predict_by_champion_or_named_version(
    tmp_path: Path, serving: Path, version: int | None, taken: int
) -> None:
    write_config(tmp_path, serving)
    write_rows(tmp_path)

    assert run(tmp_path, version=version) == Prediction(taken, len(ROWS), 0)

    rows = read_csv(tmp_path / "out.csv")
    assert list(rows[0]) == ["x", "row", "word", *ADDED]
    assert [(row["x"], row["word"]) for row in rows] == ROWS
    assert [row["row"] for row in rows] == ["0", "1", "2", "3", "4"]
    answer = ask(serving / str(taken))
    assert [row["predicted"].encode() for row in rows] == answer["classes"].ravel().tolist()
    written = np.float32([[row[name] for name in ADDED[1:]] for row in rows])
    np.testing.assert_allclose(written, answer["probabilities"], rtol=0, atol=1e-6)


def test_predict_reads_and_writes_the_dialect(tmp_path: Path, serving: Path) -> None:
    write_config(
        tmp_path,
        serving,
        csv={"separator": ";", "decimal": ",", "encoding": "latin-1", "null_values": ["NA"]},
    )
    text = "name;x;word\nJürg;1,25;ab\nZoë;NA;cd\n"
    (tmp_path / "new.csv").write_bytes(gzip.compress(text.encode("latin-1")))

    run(tmp_path)

    header, *lines = (tmp_path / "out.csv").read_text("latin-1").splitlines()
    assert header == "name;x;word;predicted;probability_blue;probability_red, dark;probability_grün"
    assert [line.split(";")[:4] for line in lines] == [
        ["Jürg", "1,25", "ab", "grün"],
        ["Zoë", "", "cd", "grün"],
    ]
    expected = ask(serving / "10", [("1.25", "ab"), ("", "cd")])["probabilities"]
    numbers = [[float(cell.replace(",", ".")) for cell in line.split(";")[4:]] for line in lines]
    np.testing.assert_allclose(numbers, expected, rtol=0, atol=1e-6)
    assert all("." not in line for line in lines)


def test_predict_reads_numbers_as_they_are_written_and_keeps_the_cells(
    tmp_path: Path, serving: Path
) -> None:
    number = {"prefix": "$", "thousands": ",", "null_values": "-"}
    write_config(tmp_path, serving, csv={"numbers": {"x": number}}, quarantine={"max_rows": 1})
    cells = ["-$1,250.5", "-", "+$3", "\u2212$3", "3"]
    lines = "".join(f'"{cell}",ab\n' for cell in cells)
    (tmp_path / "new.csv").write_text(f"x,word\n{lines}", "utf-8")

    assert run(tmp_path) == Prediction(10, 4, 1)
    run(tmp_path, "out.parquet", force=True)

    rows = read_csv(tmp_path / "out.csv")
    assert [row["x"] for row in rows] == cells[:4]
    numbers = parquet.read_table(tmp_path / "out.parquet")["x"].to_pylist()
    assert numbers == [-1250.5, None, 3, -3]
    asked = ask(serving / "10", [(str(x or ""), "ab") for x in numbers])["probabilities"]
    written = np.float32([[row[name] for name in ADDED[1:]] for row in rows])
    np.testing.assert_allclose(written, asked, rtol=0, atol=1e-6)
    [aside] = read_csv(tmp_path / "out.parquet.quarantine.csv")
    assert aside["reason"].startswith("'3' is not a number as data.csv.numbers")


def test_predict_writes_parquet_with_types(tmp_path: Path, serving: Path) -> None:
    write_config(tmp_path, serving)
    (tmp_path / "new.csv").write_text("x,row,word,note,none\n1,1,12,0.5,\n,2,ab,7,\n", "utf-8")

    run(tmp_path, "out.parquet")

    table = parquet.read_table(tmp_path / "out.parquet")
    types = dict(zip(table.schema.names, table.schema.types, strict=True))
    assert types == {
        "x": pa.float64(),
        "row": pa.int64(),
        "word": pa.string(),
        "note": pa.float64(),
        "none": pa.string(),
        "predicted": pa.string(),
        **dict.fromkeys(ADDED[1:], pa.float32()),
    }
    assert table["x"].to_pylist() == [1, None]
    assert table["note"].to_pylist() == [0.5, 7]
    answer = ask(serving / "10", [("1", "12"), ("", "ab")])
    assert [word.encode() for word in table["predicted"].to_pylist()] == answer[
        "classes"
    ].ravel().tolist()


def test_predict_keeps_the_order_of_rows(
    tmp_path: Path, serving: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "BLOCK_BYTES", 200)
    write_config(tmp_path, serving)
    rows = [(f"{index / 100}", "ab") for index in range(150)]
    write_rows(tmp_path, rows)

    run(tmp_path)

    found = read_csv(tmp_path / "out.csv")
    assert [row["row"] for row in found] == [str(index) for index in range(150)]
    written = np.float32([row["probability_blue"] for row in found])
    np.testing.assert_allclose(
        written, ask(serving / "10", rows)["probabilities"][:, 0], rtol=0, atol=1e-6
    )


def test_predict_gives_the_number_of_a_regression(tmp_path: Path, regressors: Path) -> None:
    write_config(tmp_path, regressors)
    write_rows(tmp_path)

    run(tmp_path)

    rows = read_csv(tmp_path / "out.csv")
    assert list(rows[0]) == ["x", "row", "word", "predicted"]
    assert [row["predicted"] for row in rows] == ["2.5", "2", "-0.2", "0.006", "5"]


def test_predict_numbers_columns_of_taken_names(tmp_path: Path, regressors: Path) -> None:
    write_config(tmp_path, regressors)
    (tmp_path / "new.csv").write_text("predicted,x,word\nold,1,ab\n", "utf-8")

    run(tmp_path)

    assert (tmp_path / "out.csv").read_text("utf-8") == (
        "predicted,x,word,predicted_2\nold,1,ab,2\n"
    )


def test_predict_asks_nothing_of_the_label(tmp_path: Path, regressors: Path) -> None:
    write_config(tmp_path, regressors)
    (tmp_path / "new.csv").write_text("x,word,kind\n1,ab,\n2,ab,other\n", "utf-8")

    assert run(tmp_path) == Prediction(1, 2, 0)


def test_predict_quarantines_rows_within_the_budget(
    tmp_path: Path, regressors: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_config(tmp_path, regressors, quarantine={"max_rows": 2})
    (tmp_path / "new.csv").write_text("x,word\n1,ab\ntwo,ab\n3\n4,ab\n", "utf-8")

    assert call(tmp_path) == 0

    assert capsys.readouterr().out == "predicted 2 rows with version 1, 2 quarantined\n"
    assert [row["x"] for row in read_csv(tmp_path / "out.csv")] == ["1", "4"]
    aside = read_csv(tmp_path / "out.csv.quarantine.csv")
    path = str(tmp_path / "new.csv")
    assert [(row["file"], row["line"], row["column"], row["row"]) for row in aside] == [
        (path, "3", "x", "two,ab"),
        (path, "4", "", "3"),
    ]
    assert aside[0]["reason"].startswith("'two' is not a number; expected one such as 5.1")


def test_predict_replaces_files_by_force(tmp_path: Path, regressors: Path) -> None:
    write_config(tmp_path, regressors, quarantine={"max_rows": 1})
    (tmp_path / "new.csv").write_text("x,word\n1,ab\ntwo,ab\n", "utf-8")
    run(tmp_path)
    (tmp_path / "new.csv").write_text("x,word\n5,ab\n", "utf-8")

    run(tmp_path, force=True)

    assert (tmp_path / "out.csv").read_text("utf-8") == "x,word,predicted\n5,ab,10\n"
    assert not (tmp_path / "out.csv.quarantine.csv").exists()


GOOD = "x,word\n1,ab\n"


@pytest.mark.parametrize(
    ("text", "arguments", "message"),
    [
        (GOOD, ["--version=3"], "there is no version 3; expected one of 9, 10"),
        (GOOD, ["--output=absent/out.csv"], "absent/out.csv: there is no folder"),
        (GOOD, ["--output=out.txt"], "out.txt: is neither .csv nor .parquet"),
        (GOOD, ["--input={}/nwe.csv"], "there is no 'nwe.csv'"),
        (GOOD, ["--output={}/new.csv", "--force"], "new.csv: is the input"),
        (GOOD, ["--output={}/config.csv"], "config.csv: exists: name another --output"),
        ("", [], "new.csv: is empty"),
        ("x,word\n", [], "new.csv: has a header and no rows"),
        (
            "x,words\n1,ab\n",
            [],
            "new.csv:1: there is no column 'word', which version 10 reads; expected it among 'x',"
            " 'words': add or rename it; did you mean 'words'?",
        ),
        ("x,word\n1,ab\ntwo,ab\n", [], "new.csv:3: x: 'two' is not a number"),
    ],
)
def test_predict_refuses_mistakes_before_it_writes(
    tmp_path: Path,
    serving: Path,
    capsys: pytest.CaptureFixture[str],
    text: str,
    arguments: list[str],
    message: str,
) -> None:
    write_config(tmp_path, serving)
    (tmp_path / "config.csv").write_text("kept", "utf-8")
    (tmp_path / "new.csv").write_text(text, "utf-8")
    before = sorted(tmp_path.iterdir())

    code = call(tmp_path, *(argument.format(tmp_path) for argument in arguments))

    assert code == 2
    assert message in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "config.csv").read_text("utf-8") == "kept"


def test_predict_needs_a_pushed_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_config(tmp_path, tmp_path / "serving")
    write_rows(tmp_path)

    assert call(tmp_path) == 2

    assert "no model of 't' has been pushed yet" in capsys.readouterr().err


def test_predict_names_signatures_of_another_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_config(tmp_path, tmp_path / "serving")
    write_rows(tmp_path)
    push(Regressor(), tmp_path / "serving", 1, has_examples=False)

    assert call(tmp_path) == 2

    error = capsys.readouterr().err
    assert "has no signature 'examples', but " in error
    assert "serving_default" in error
    assert not list(tmp_path.glob("*out.csv*"))


def test_predict_explains_why_a_model_fails(tmp_path: Path, regressors: Path) -> None:
    write_config(tmp_path, regressors)
    write_rows(tmp_path, [("1", "?")])

    with start(tmp_path) as process:
        output, error = process.communicate()

    assert (process.returncode, output) == (1, "")
    assert error.startswith("error: BatchPredictor failed: ")
    assert "no such word" in error
    log_path = Path(error.rpartition("(log: ")[2].rstrip(")\n"))
    assert "Traceback" in log_path.read_text("utf-8", "replace")
    assert not list(tmp_path.glob("*out.csv*"))


def test_predict_refuses_an_output_being_written(
    tmp_path: Path, regressors: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_config(tmp_path, regressors)
    write_rows(tmp_path)
    scratch_dir = tmp_path / ".out.csv.tmp"
    scratch_dir.mkdir()
    (scratch_dir / "block").touch()
    descriptor = os.open(scratch_dir, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)

    code = call(tmp_path)

    os.close(descriptor)
    assert code == 2
    assert "out.csv: is being written by another process" in capsys.readouterr().err
    assert (scratch_dir / "block").exists()


def test_predict_leaves_no_output_if_killed(tmp_path: Path, regressors: Path) -> None:
    write_config(tmp_path, regressors)
    write_rows(tmp_path)
    scratch_dir = tmp_path / ".out.csv.tmp"
    process = start(tmp_path)
    while not list(scratch_dir.glob("block-*")):  # before TensorFlow is imported
        assert process.poll() is None
        time.sleep(0.01)

    process.kill()
    process.communicate()

    assert not (tmp_path / "out.csv").exists()
    assert run(tmp_path) == Prediction(1, len(ROWS), 0)
    assert not scratch_dir.exists()


def test_predict_leaves_nothing_if_interrupted(tmp_path: Path, regressors: Path) -> None:
    write_config(tmp_path, regressors)
    (tmp_path / "new.csv").write_text("x,word\n" + "1.5,ab\n" * 3_000_000, "utf-8")
    process = start(tmp_path)
    while not list(tmp_path.glob(".out.csv.tmp/*.predicted")):  # the first of several blocks
        assert process.poll() is None
        time.sleep(0.01)

    process.send_signal(signal.SIGINT)
    output, error = process.communicate()

    assert (process.returncode, output, error) == (130, "", "error: interrupted\n")
    assert not list(tmp_path.glob("*out.csv*"))
