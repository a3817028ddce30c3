"""Examples read in batches are the same as by tfx_bsl's own source."""

import re
import tempfile
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.proto import example_gen_pb2
from tfx_bsl.tfxio.tf_example_record import TFExampleRecord

from tabular.examples.columns import write_columns
from tabular.examples.reading import ExamplesFileError, make_parse, read_batches
from tabular.examples.tfxio import BulkExamples, split_tfxio, with_defaults
from tests.helpers.example_files import (
    COLUMNS,
    ROWS,
    SHARDS,
    cut,
    make_schema,
    serialize,
    write_files,
)

RAW = "raw"


def read(tfxio: TFExampleRecord, *batch_size: int) -> list[pa.RecordBatch]:
    with tempfile.TemporaryDirectory() as folder:

        def keep(batch: pa.RecordBatch) -> None:
            path = f"{folder}/{uuid.uuid4()}"
            with pa.OSFile(path, "wb") as file, pa.ipc.new_file(file, batch.schema) as writer:
                writer.write(batch)

        with beam.Pipeline() as pipeline:
            _ = pipeline | tfxio.BeamSource(*batch_size) | beam.Map(keep)
        return [pa.ipc.open_file(path.read_bytes()).get_batch(0) for path in Path(folder).iterdir()]


def rows_of(batches: Sequence[pa.RecordBatch]) -> list[str]:
    """Lists the rows without missing values: without a schema, a batch may lack their columns."""
    return sorted(
        repr(sorted(item for item in row.items() if item[1] is not None))
        for batch in batches
        for row in batch.to_pylist()
    )


@pytest.mark.parametrize("columns", [None, ["word", "label"], ["gaps"]])
@pytest.mark.parametrize("raw", [None, RAW])
def test_bulk_examples_are_those_of_tfx(
    columns: list[str] | None, raw: str | None, tmp_path: Path
) -> None:
    examples = write_files(tmp_path, {"train": SHARDS})
    bulk: Any = split_tfxio([examples], "train", with_defaults(make_schema()), raw)
    stock: Any = TFExampleRecord(
        str(tmp_path / "Split-train" / "*"), schema=make_schema(), raw_record_column_name=raw
    )
    if columns:
        bulk, stock = bulk.Project(columns), stock.Project(columns)

    found, expected = read(bulk), read(stock)

    assert rows_of(found) == rows_of(expected)
    assert sum(map(len, found)) == len(ROWS)
    assert bulk.ArrowSchema() == stock.ArrowSchema()
    assert all(batch.schema == bulk.ArrowSchema() for batch in found)
    lenient: Any = TFExampleRecord("*", schema=with_defaults(make_schema()))
    lenient = lenient.Project(columns) if columns else lenient
    found_reading, expected_reading = (
        {name: str(how) for name, how in tfxio.TensorRepresentations().items()}  # NaN is not NaN
        for tfxio in (bulk, lenient)
    )
    assert found_reading == expected_reading


def test_bulk_examples_need_a_schema(tmp_path: Path) -> None:
    examples = write_files(tmp_path, {"train": SHARDS})

    with pytest.raises(ValueError, match="examples are read by a schema"):
        split_tfxio([examples], "train").BeamSource()


def test_bulk_examples_have_the_batch_size(tmp_path: Path) -> None:
    examples = write_files(tmp_path, {"train": SHARDS})

    found = read(split_tfxio([examples], "train", make_schema()), 10)

    assert sorted(map(len, found)) == [5, 5, 10, 10, 10]


def test_split_tfxio_reads_all_artifacts(tmp_path: Path) -> None:
    first = write_files(tmp_path / "first", {"train": [ROWS[:3]]})
    second = write_files(tmp_path / "second", {"train": [ROWS[3:10]]})

    assert sum(map(len, read(split_tfxio([first, second], "train", make_schema())))) == 10


def test_split_tfxio_refuses_what_are_no_examples(tmp_path: Path) -> None:
    examples = write_files(tmp_path, {"train": SHARDS})
    name = example_gen_pb2.PayloadFormat.Name(example_gen_pb2.FORMAT_PROTO)
    examples.set_string_custom_property("payload_format", name)

    with pytest.raises(ValueError, match=r"holds FORMAT_PROTO, not tf\.Examples"):
        split_tfxio([examples], "train")


def test_bulk_examples_refuse_missing_files(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=f"no examples match {tmp_path}"):
        BulkExamples(str(tmp_path / "*"), schema=make_schema()).BeamSource()


@pytest.mark.parametrize("n_bytes_cut", [1, 8, 20, 500])
def test_read_batches_names_a_truncated_file(n_bytes_cut: int, tmp_path: Path) -> None:
    write_files(tmp_path, {"train": [ROWS * 100]})
    (path,) = (tmp_path / "Split-train").iterdir()
    cut(path, n_bytes_cut)

    with pytest.raises(ExamplesFileError, match=f"^{re.escape(str(path))}"):
        list(read_batches(str(path), COLUMNS, batch_examples=1000))


def test_read_batches_says_how_many_could_be_read(tmp_path: Path) -> None:
    path = str(tmp_path / "words.gz")
    with tf.io.TFRecordWriter(path, "GZIP") as writer:
        for row in ROWS[:10]:
            writer.write(serialize(row))
        writer.write(b"no example")

    with pytest.raises(
        ExamplesFileError, match=f"^{re.escape(path)}: no examples can be read after the first 10: "
    ):
        list(read_batches(path, COLUMNS, batch_examples=10))


def test_read_batches_refuses_other_types(tmp_path: Path) -> None:
    write_files(tmp_path, {"train": [ROWS]})
    (path,) = map(str, (tmp_path / "Split-train").iterdir())

    with pytest.raises(
        ExamplesFileError, match=rf"^{re.escape(path)}: no examples .* the first 0: .*label"
    ):
        list(read_batches(path, {**COLUMNS, "label": "float32"}))


@pytest.mark.parametrize("n_columns", [1, 50])
def test_make_parse_has_two_outputs_for_each_type(n_columns: int) -> None:
    columns = {
        f"{dtype}-{index}": dtype for dtype in ("float32", "string") for index in range(n_columns)
    }
    traced = tf.function(make_parse(columns)).get_concrete_function(
        tf.TensorSpec([None], tf.string)
    )
    assert len(traced.outputs) == 4


def test_defaults_stand_for_missing_values_of_required_columns(tmp_path: Path) -> None:
    schema = make_schema()
    name = schema.feature.add(name="name", type=schema_pb2.BYTES)
    name.presence.min_fraction = 1
    name.shape.dim.add(size=1)
    examples = write_files(tmp_path, {"eval": [[{"label": 1}]]})
    write_columns(str(tmp_path), {**COLUMNS, "name": "string"})
    tfxio: Any = split_tfxio([examples], "eval", with_defaults(schema))

    (batch,) = read(tfxio)

    tensors = tfxio.TensorAdapter().ToBatchTensors(batch)
    assert np.isnan(tensors["x"].numpy()).tolist() == [[True]]
    assert tensors["name"].numpy().tolist() == [[b""]]
    assert tensors["label"].numpy().tolist() == [[1]]


def test_defaults_leave_the_schema_as_it_is() -> None:
    schema = make_schema()

    lenient = with_defaults(schema)

    assert schema == make_schema()
    assert str(with_defaults(lenient)) == str(lenient)
    lenient.ClearField("tensor_representation_group")
    assert lenient == schema
