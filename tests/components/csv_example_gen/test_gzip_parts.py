"""Gzipped files compressed in parts can be read by TensorFlow, Beam and Python."""

import gzip
import os
import threading
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from apache_beam.io.tfrecordio import ReadFromTFRecord
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that, equal_to

from components.csv_example_gen.example_records import to_records
from components.csv_example_gen.gzip_parts import GzipWriter, compress, map_ahead


def write(path: Path, *parts: bytes) -> None:
    with closing(GzipWriter(path.open("wb"))) as writer:
        for part in parts:
            writer.write(compress(part))


def write_examples(path: Path) -> list[bytes]:
    """Writes a file of parts, some of them empty, and returns its examples."""
    random = np.random.default_rng(0)
    parts, examples = [], []
    for rows in (2, 0, 20_000, 1, 0):
        numbers = pa.array(random.normal(size=rows).astype(np.float32))
        records = to_records(pa.RecordBatch.from_arrays([numbers], ["number"])).to_pylist()
        parts.append(b"".join(records))
        examples += [record[12:-4] for record in records]
    write(path, *parts)
    return examples


@pytest.mark.parametrize(
    "parts",
    [[], [b""], [b"first ", b"", b"second"], [bytes(100_000), b"abc" * 50_000]],
    ids=["none", "empty", "some", "large"],
)
def test_gzip_writer_writes_what_gzip_reads(tmp_path: Path, parts: list[bytes]) -> None:
    path = tmp_path / "text.gz"

    write(path, *parts)

    assert gzip.decompress(path.read_bytes()) == b"".join(parts)


def test_gzip_writer_writes_one_member(tmp_path: Path) -> None:
    path = tmp_path / "text.gz"
    write(path, b"first ", b"second")
    decompressor = zlib.decompressobj(zlib.MAX_WBITS + 16)

    text = decompressor.decompress(path.read_bytes())

    assert (text, decompressor.unused_data) == (b"first second", b"")


def test_gzip_writer_writes_what_tensorflow_reads(tmp_path: Path) -> None:
    expected = write_examples(tmp_path / "examples.gz")

    dataset = tf.data.TFRecordDataset(str(tmp_path / "examples.gz"), "GZIP")

    assert list(dataset.as_numpy_iterator()) == expected


def test_gzip_writer_writes_what_beam_reads(tmp_path: Path) -> None:
    expected = write_examples(tmp_path / "examples.gz")

    with beam.Pipeline(FnApiRunner(), argv=[]) as pipeline:
        examples = pipeline | ReadFromTFRecord(str(tmp_path / "examples.gz"))
        assert_that(examples, equal_to(expected))


@pytest.fixture
def two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})


@pytest.mark.usefixtures("two_processors")
def test_map_ahead_keeps_the_order() -> None:
    first_may_end = threading.Event()

    def double(number: int) -> int:
        if number == 0:
            first_may_end.wait()
        else:
            first_may_end.set()
        return 2 * number

    with closing(map_ahead(double, range(50))) as results:
        assert list(results) == list(range(0, 100, 2))


@pytest.mark.usefixtures("two_processors")
def test_map_ahead_bounds_the_items_ahead() -> None:
    taken = []

    def items() -> Iterator[int]:
        for number in range(1000):
            taken.append(number)
            yield number

    with closing(map_ahead(str, items())) as results:
        for _ in range(10):
            next(results)

    assert len(taken) <= 10 + 2 * 2


def test_map_ahead_raises_what_the_work_raises() -> None:
    with (
        closing(map_ahead(lambda number: 1 // number, [1, 0])) as results,
        pytest.raises(ZeroDivisionError),
    ):
        list(results)
