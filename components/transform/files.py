"""The Beam stage that transforms a file of examples into one of transformed examples."""

import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc
import tensorflow as tf
import tensorflow_transform as tft
from tensorflow_transform.impl_helper import make_tensor_to_arrow_converter
from tfx.dsl.io import fileio
from tfx_bsl.coders.example_coder import RecordBatchToExamplesEncoder

from components.bulk_examples.reading import (
    ExamplesFileError,
    check_complete,
    count_bytes,
    read_ahead,
)
from components.bulk_examples.records import frame, to_records
from components.bulk_examples.writing import GzipWriter, compress, map_ahead


@dataclass(frozen=True)
class File:
    """A file of examples, and what is written for it."""

    source: str
    target: str


class TransformFiles(beam.DoFn):
    """Transforms files, each whole, so that a retried bundle leaves the same."""

    def __init__(self, graph_dir: str, columns: Sequence[str]) -> None:
        """Takes what is learned.

        Args:
            graph_dir: The transform graph, there once the first file is.
            columns: Raw columns that it reads.
        """
        self._graph_dir = graph_dir
        self._columns = list(columns)
        self._transformer: _Transformer | None = None

    def process(self, file: File, unused_written: Any = None) -> Iterator[None]:
        """Transforms ahead and compresses in other threads, while this one encodes and writes.

        Raises:
            ExamplesFileError: If the file cannot be read or transformed.
        """
        if self._transformer is None:
            self._transformer = _Transformer(self._graph_dir, self._columns)
        fileio.makedirs(os.path.dirname(file.target))
        records = self._transformer.transform(file.source)
        with (
            closing(GzipWriter(fileio.open(file.target, "wb"))) as writer,
            closing(map_ahead(compress, records)) as parts,
        ):
            try:
                for part in parts:
                    writer.write(part)
            except tf.errors.OpError as error:
                reason = error.message.partition("\n")[0]
                raise ExamplesFileError(f"{file.source} cannot be transformed: {reason}") from error
        yield from ()


class _Transformer:
    """What is learned, loaded."""

    def __init__(self, graph_dir: str, columns: Sequence[str]) -> None:
        learned = tft.TFTransformOutput(graph_dir)
        raw_spec = learned.raw_feature_spec()
        self._spec = {name: raw_spec[name] for name in columns}
        self._layer = learned.transform_features_layer()
        schema = learned.transformed_metadata.schema
        self._converter = make_tensor_to_arrow_converter(schema)
        self._encoder = RecordBatchToExamplesEncoder(schema)

    def transform(self, path: str) -> Iterator[memoryview]:
        """Yields the transformed examples of a file as TFRecords, by the batch."""
        step = tf.autograph.experimental.do_not_convert(self._parse_and_transform)
        n_bytes = 0
        for transformed, n_bytes_of_batch in read_ahead(path).map(step).prefetch(1):
            batch = self._converter.convert(transformed)
            cells = _to_cells(batch)
            records = frame(self._encoder.encode(batch)) if cells is None else to_records(cells)
            yield memoryview(records.buffers()[-1])
            n_bytes += int(n_bytes_of_batch)
        check_complete(path, n_bytes)

    def _parse_and_transform(self, serialized: tf.Tensor) -> tuple[dict[str, Any], tf.Tensor]:
        transformed = self._layer(tf.io.parse_example(serialized, self._spec))
        return transformed, count_bytes(serialized)


def _to_cells(batch: pa.RecordBatch) -> pa.RecordBatch | None:
    """Gives the values of columns of one value each, which are encoded in half the time."""
    lengths = [pc.min_max(pc.list_value_length(column)) for column in batch.columns]
    if any(column.null_count for column in batch.columns) or any(
        (length["min"].as_py(), length["max"].as_py()) != (1, 1) for length in lengths
    ):
        return None
    columns = [column.flatten() for column in batch.columns]
    columns = [
        column.cast(pa.binary()) if pa.types.is_large_binary(column.type) else column
        for column in columns
    ]
    return pa.RecordBatch.from_arrays(columns, batch.schema.names)
