"""The Beam stage that transforms one file of examples.

Transformed examples are Parquet, as TFX's Transform can write them: gzipped TFRecords take fifteen
times as long to write, and twenty-five times as long to read.
"""

import os
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import pyarrow as pa
import tensorflow as tf
import tensorflow_transform as tft
from apache_beam.io.filesystems import FileSystems
from pyarrow import parquet
from tensorflow_transform.impl_helper import make_tensor_to_arrow_converter
from tfx.dsl.io import fileio

from tabular.examples.reading import (
    ExamplesFileError,
    check_complete,
    count_bytes,
    read_ahead,
)


@dataclass(frozen=True)
class File:
    """A file of examples, and the transformed file to write for it."""

    source: str
    target: str


class TransformFiles(beam.DoFn):
    """Transforms whole files, so that a retried bundle writes the same files."""

    def __init__(self, graph_dir: str, columns: Sequence[str]) -> None:
        """Prepares the stage; the graph is loaded with the first file.

        Args:
            graph_dir: Folder of the transform graph, which must exist when the first file comes.
            columns: The raw columns that the graph uses.
        """
        self._graph_dir = graph_dir
        self._columns = list(columns)
        self._transformer: _Transformer | None = None

    def process(self, file: File, unused_written: Any = None) -> Iterator[None]:
        """Transforms in another thread ahead of this one, which writes.

        Args:
            file: The file to transform.
            unused_written: Side input that makes the stage wait for the transform graph.

        Yields:
            Nothing.

        Raises:
            ExamplesFileError: If the file cannot be read or transformed.
        """
        if self._transformer is None:
            self._transformer = _Transformer(self._graph_dir, self._columns)
        fileio.makedirs(os.path.dirname(file.target))
        with (
            FileSystems.create(file.target) as target,
            parquet.ParquetWriter(
                target, self._transformer.arrow_schema, use_dictionary=False, write_statistics=False
            ) as writer,
        ):
            try:
                for batch in self._transformer.transform(file.source):
                    writer.write_batch(batch)
            except tf.errors.OpError as error:
                reason = error.message.partition("\n")[0]
                raise ExamplesFileError(f"{file.source} cannot be transformed: {reason}") from error
        yield from ()


class _Transformer:
    """The transform graph, loaded."""

    def __init__(self, graph_dir: str, columns: Sequence[str]) -> None:
        learned = tft.TFTransformOutput(graph_dir)
        raw_spec = learned.raw_feature_spec()
        self._spec = {name: raw_spec[name] for name in columns}
        self._layer = learned.transform_features_layer()
        self._converter = make_tensor_to_arrow_converter(learned.transformed_metadata.schema)
        self.arrow_schema = self._converter.arrow_schema()
        # Tracing takes longer than transforming a small file, and a dataset would trace per file.
        self._step = tf.function(
            tf.autograph.experimental.do_not_convert(self._parse_and_transform),
            input_signature=[tf.TensorSpec([None], tf.string)],
        )

    def transform(self, path: str) -> Iterator[pa.RecordBatch]:
        """Yields the transformed examples of a file in batches, the next one in the making."""
        n_bytes = 0
        with ThreadPoolExecutor(1) as pool:
            waiting: deque[Any] = deque()
            for serialized in read_ahead(path):
                waiting.append(pool.submit(self._step, serialized))
                if len(waiting) > 1:
                    n_bytes += yield from self._convert(waiting.popleft())
            for future in waiting:
                n_bytes += yield from self._convert(future)
        check_complete(path, n_bytes)

    def _convert(self, future: Any) -> Generator[pa.RecordBatch, None, int]:
        transformed, n_bytes = future.result()
        yield self._converter.convert(transformed)
        return int(n_bytes)

    def _parse_and_transform(self, serialized: tf.Tensor) -> tuple[dict[str, Any], tf.Tensor]:
        transformed = self._layer(tf.io.parse_example(serialized, self._spec))
        return transformed, count_bytes(serialized)
