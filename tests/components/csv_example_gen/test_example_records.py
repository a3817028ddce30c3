"""TFRecords equal those of TensorFlow, byte by byte or as its reader sees them."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from components.csv_example_gen.example_records import to_records

INT64 = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.integers(1, 9).flatmap(  # around the sizes where a length takes another byte
        lambda count: st.integers(2 ** (7 * count) - 1, min(2 ** (7 * count), 2**63 - 1))
    ),
)
FLOAT32 = st.floats(width=32, allow_nan=False)
COLUMNS = st.one_of(
    st.tuples(st.just(pa.int64()), st.just(INT64)),
    st.tuples(st.just(pa.float32()), st.just(FLOAT32)),
    st.tuples(st.just(pa.binary()), st.just(st.binary(max_size=300))),
)


@st.composite
def batches(draw: st.DrawFn) -> pa.RecordBatch:
    count = draw(st.integers(1, 6))
    names = draw(st.lists(st.text(min_size=1, max_size=200), min_size=1, max_size=4, unique=True))
    columns = []
    for _ in names:
        arrow_type, cells = draw(COLUMNS)
        may_be_missing = draw(st.booleans())
        values = st.lists(
            st.none() | cells if may_be_missing else cells, min_size=count, max_size=count
        )
        columns.append(pa.array(draw(values), arrow_type))
    begin = draw(st.integers(0, count - 1))
    return pa.RecordBatch.from_arrays(columns, names)[begin:]


def make_example(row: dict[str, Any]) -> bytes:
    """Makes the example of a row with TensorFlow."""
    example = tf.train.Example()
    for name, value in row.items():
        feature = example.features.feature[name]
        if isinstance(value, int):
            feature.int64_list.value.append(value)
        elif isinstance(value, float):
            feature.float_list.value.append(value)
        elif value is not None:
            feature.bytes_list.value.append(value)
    return bytes(example.SerializeToString(deterministic=True))


def read(records: pa.BinaryArray, path: Path) -> list[bytes]:
    """Reads records with TensorFlow, which verifies the checksums."""
    path.write_bytes(b"".join(records.to_pylist()))
    return list(tf.data.TFRecordDataset(str(path)).as_numpy_iterator())


@settings(deadline=None, max_examples=200)
@given(batch=batches())
def test_to_records_equals_tensorflow(
    tmp_path_factory: pytest.TempPathFactory, batch: pa.RecordBatch
) -> None:
    path = tmp_path_factory.getbasetemp() / "records"

    found = read(to_records(batch), path)

    assert found == [make_example(row) for row in batch.to_pylist()]


def test_to_records_writes_long_values(tmp_path: Path) -> None:
    values = [bytes(size) for size in (0, 127, 128, 16_383, 16_384, 2_097_152)]
    batch = pa.RecordBatch.from_arrays([pa.array(values, pa.binary())], ["word"])

    found = read(to_records(batch), tmp_path / "records")

    assert found == [make_example({"word": value}) for value in values]


def test_to_records_keeps_the_bits_of_floats(tmp_path: Path) -> None:
    numbers = np.array([np.nan, np.inf, -0.0, 1e-45], dtype=np.float32)
    batch = pa.RecordBatch.from_arrays([pa.array(numbers)], ["number"])

    found = read(to_records(batch), tmp_path / "records")

    values = [tf.train.Example.FromString(each).features.feature["number"] for each in found]
    assert [struct.pack("<f", value.float_list.value[0]) for value in values] == [
        number.tobytes() for number in numbers
    ]


def test_to_records_makes_none_of_no_rows() -> None:
    batch = pa.RecordBatch.from_arrays([pa.array([], pa.float32())], ["number"])

    assert to_records(batch) == pa.array([], pa.binary())


def test_to_records_refuses_other_types() -> None:
    batch = pa.RecordBatch.from_arrays([pa.array([1.0], pa.float64())], ["number"])

    with pytest.raises(TypeError, match="a feature cannot hold values of double"):
        to_records(batch)
