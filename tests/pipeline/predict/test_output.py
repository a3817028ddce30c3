"""Predictions written as CSV and Parquet."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipeline.predict.output import free_names, write_csv
from tabular.csv.dialect import Dialect
from tabular.csv.reader import read_batches


def batch(**columns: list[str | None]) -> pa.RecordBatch:
    arrays = [pa.array(cells, pa.string()) for cells in columns.values()]
    return pa.RecordBatch.from_arrays(arrays, list(columns))


def floats(*values: float) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array(values, pa.float32())], ["p"])


@pytest.mark.parametrize(
    ("names", "taken", "free"),
    [
        (["p", "q"], ["a"], ["p", "q"]),
        (["p", "q"], ["p"], ["p_2", "q"]),
        (["p"], ["p", "p_2"], ["p_3"]),
        (["p", "p_2"], ["p"], ["p_2", "p_2_2"]),
    ],
)
def test_free_names_numbers_those_that_are_taken(
    names: list[str], taken: list[str], free: list[str]
) -> None:
    assert free_names(names, taken) == free


@pytest.mark.parametrize(
    "dialect",
    [
        Dialect(),
        Dialect(separator=";", decimal=",", quote="'", comment="#"),
        Dialect(decimal=",", encoding="utf-16"),
        Dialect(separator="\t", encoding="latin-1"),
    ],
)
def test_write_csv_is_read_by_the_same_dialect(tmp_path: Path, dialect: Dialect) -> None:
    cells: list[str | None] = ["a,b", "a;b", 'say "a"', "it's", "two\nlines", "a\tb", "#1", None]
    values = np.float32([0.1, 1e-8, 1 / 3, 1.0, 3.4e38, -2.5, 0, 123456789]).tolist()
    path = tmp_path / "p.csv"

    assert (
        write_csv(path, ["a", "b;,'\"", "p"], [(batch(a=cells, b=cells), floats(*values))], dialect)
        == 8
    )

    (read,) = read_batches(path, dialect)
    assert read.schema.names == ["a", "b;,'\"", "p"]
    assert read[0].to_pylist() == read[1].to_pylist() == cells
    texts = [text.replace(dialect.decimal, ".") for text in read["p"].to_pylist()]
    assert np.float32(texts).tolist() == values


def test_write_csv_quotes_only_where_needed(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"

    write_csv(path, ["a", "p"], [(batch(a=["x", 'a "b", c']), floats(0.5, 2))], Dialect())

    assert path.read_text("utf-8") == 'a,p\nx,0.5\n"a ""b"", c",2\n'
