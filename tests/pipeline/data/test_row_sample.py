"""A sample of rows, drawn while a table is read."""

import numpy as np
import pyarrow as pa
import pytest

from pipeline.data.row_sample import MAX_ROWS, RowSample


def batches(rows: int, size: int = 7_000) -> list[pa.RecordBatch]:
    numbers = np.arange(rows)
    return [
        pa.RecordBatch.from_arrays([pa.array(part), pa.array(part % 2)], ["row", "odd"])
        for part in np.split(numbers, range(size, rows, size))
    ]


def sample_of(rows: int, size: int = 7_000) -> RowSample:
    sample = RowSample()
    for batch in batches(rows, size):
        sample.add(batch, "all")
    return sample


def drawn(sample: RowSample, column: str = "row") -> np.ndarray:
    return np.concatenate([batch[column].to_numpy() for _, batch in sample.batches])


@pytest.mark.parametrize("rows", [1, MAX_ROWS])
def test_sample_keeps_all_rows_of_a_small_table(rows: int) -> None:
    sample = sample_of(rows)
    assert drawn(sample).tolist() == list(range(rows))
    assert sample.one_in == 1


def test_sample_is_spread_evenly_and_in_order() -> None:
    sample = sample_of(10 * MAX_ROWS)

    rows = drawn(sample)
    assert MAX_ROWS // 2 * 0.95 <= len(rows) <= MAX_ROWS
    assert sample.one_in == 16
    assert (np.diff(rows) > 0).all()
    per_tenth = np.bincount(rows // MAX_ROWS)
    assert per_tenth.min() > 0.9 * per_tenth.max()
    assert 0.45 < drawn(sample, "odd").mean() < 0.55


def test_sample_does_not_depend_on_batches() -> None:
    assert drawn(sample_of(50_000, 700)).tolist() == drawn(sample_of(50_000)).tolist()


def test_sample_keeps_the_split_of_each_batch() -> None:
    sample = RowSample()
    first, second = batches(14_000)
    sample.add(first, "train")
    sample.add(second, "eval")
    assert [(split, batch["row"][0].as_py()) for split, batch in sample.batches] == [
        ("train", 0),
        ("eval", 7_000),
    ]


def test_sample_of_many_columns_has_fewer_rows() -> None:
    names = [f"x{n}" for n in range(1_000)]
    column = pa.array(np.arange(5_000))
    sample = RowSample()
    sample.add(pa.RecordBatch.from_arrays([column] * len(names), names), "all")
    assert 900 < len(drawn(sample, "x0")) <= 2_000
