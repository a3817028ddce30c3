"""Conversions between Arrow and NumPy."""

import numpy as np
import pyarrow as pa
import pytest

from tabular.csv.arrow_numpy import filter_rows


@pytest.mark.parametrize("count", [0, 1, 8, 9, 1000])
def test_filter_rows_keeps_what_arrow_keeps(count: int) -> None:
    mask = np.random.default_rng(count).random(count) < 0.5
    batch = pa.RecordBatch.from_pydict(
        {"a": list(range(count)), "b": [None if n % 3 else str(n) for n in range(count)]},
        pa.schema({"a": pa.int64(), "b": pa.string()}),
    )
    assert filter_rows(batch, mask).equals(batch.filter(pa.array(mask, pa.bool_())))
