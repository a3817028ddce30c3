"""A TFXIO whose Beam source reads examples in batches.

TFX's own makes a Beam element of each example and then batches them again, which takes most of the
time of a node that reads examples. Here, each Beam element is a batch from the beginning.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import apache_beam as beam
import pyarrow as pa
import tensorflow as tf
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx import types
from tfx.components.util import tfxio_utils
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils
from tfx.utils import io_utils
from tfx_bsl.tfxio import tensor_representation_util
from tfx_bsl.tfxio.tf_example_record import TFExampleRecord

from tabular.examples.columns import Columns, columns_of
from tabular.examples.reading import BATCH_EXAMPLES, read_batches


class BulkExamples(TFExampleRecord):
    """Gzipped TFRecord files of examples, read in batches, each file by one Beam worker."""

    @property
    def paths(self) -> list[str]:
        """The files. Raises FileNotFoundError if a pattern matches none."""
        return [path for pattern in self._file_pattern for path in _list_files(pattern)]

    def BeamSource(self, batch_size: int | None = None) -> beam.PTransform:
        """Makes the source of record batches.

        Args:
            batch_size: Examples per batch; the last of a file may have fewer. None takes
                `BATCH_EXAMPLES`.

        Raises:
            FileNotFoundError: If no file matches a pattern.
            ValueError: If this was made without a schema.
        """
        schema = self._GetSchemaForDecoding()
        if schema is None:
            raise ValueError("examples are read by a schema")
        read = _Read(columns_of(schema), self.raw_record_column_name, batch_size or BATCH_EXAMPLES)
        return _Source(self.paths, read)

    def _ProjectImpl(self, tensor_names: list[str]) -> "BulkExamples":
        return BulkExamples(
            self._file_pattern,
            schema=tensor_representation_util.ProjectTensorRepresentationsInSchema(
                self._schema, tensor_names
            ),
            raw_record_column_name=self.raw_record_column_name,
            telemetry_descriptors=self.telemetry_descriptors,
        )


def with_defaults(schema: schema_pb2.Schema) -> schema_pb2.Schema:
    """Lets columns be missing that a schema requires, so that any example can be read.

    A column is required if no example lacked it when the schema was inferred. Its values are read
    as a dense tensor; a missing one is then NaN, or the empty string, as in a served model. Whole
    numbers have no such value and stay as they are.

    Args:
        schema: Not changed.

    Returns:
        A copy that says how each column is read.
    """
    lenient = schema_pb2.Schema()
    lenient.CopyFrom(schema)
    read = tensor_representation_util.InferTensorRepresentationsFromMixedSchema(schema)
    types = {feature.name: feature.type for feature in schema.feature}
    for name, representation in read.items():
        kept = lenient.tensor_representation_group[""].tensor_representation[name]
        kept.CopyFrom(representation)
        if representation.HasField("dense_tensor"):
            if types.get(name) == schema_pb2.FLOAT:
                kept.dense_tensor.default_value.float_value = math.nan
            elif types.get(name) == schema_pb2.BYTES:
                kept.dense_tensor.default_value.bytes_value = b""
    return lenient


def split_tfxio(
    examples: Sequence[types.Artifact],
    split: str,
    schema: schema_pb2.Schema | None = None,
    raw_record_column_name: str | None = None,
) -> BulkExamples:
    """Makes the TFXIO of a split.

    Args:
        examples: Artifacts that have the split.
        split: Its name.
        schema: Columns to decode, with their types; None is enough to list `paths`.
        raw_record_column_name: Name of a column for the serialized examples; None for none.

    Raises:
        ValueError: If the artifacts are not of gzipped TFRecord files of examples.
    """
    payload_format, _ = tfxio_utils.resolve_payload_format_and_data_view_uri(list(examples))
    if payload_format != example_gen_pb2.FORMAT_TF_EXAMPLE:
        name = example_gen_pb2.PayloadFormat.Name(payload_format)
        raise ValueError(f"{examples[0].uri} holds {name}, not tf.Examples")
    uris = artifact_utils.get_split_uris(list(examples), split)
    return BulkExamples(
        [io_utils.all_files_pattern(uri) for uri in uris],
        schema=schema,
        raw_record_column_name=raw_record_column_name,
    )


def _list_files(pattern: str) -> list[str]:
    paths: list[str] = sorted(tf.io.gfile.glob(pattern))
    if not paths:
        raise FileNotFoundError(f"no examples match {pattern}")
    return paths


class _Source(beam.PTransform):
    """Distributes the files over Beam's workers, which read them."""

    def __init__(self, paths: Sequence[str], read: "_Read") -> None:
        super().__init__()
        self._paths = list(paths)
        self._read = read

    def expand(self, pipeline: Any) -> beam.PCollection[pa.RecordBatch]:
        return (
            pipeline
            | "Files" >> beam.Create(self._paths)
            | "Read" >> beam.ParDo(self._read).with_output_types(pa.RecordBatch)
        )


class _Read(beam.DoFn):
    """Reads the batches of a file."""

    def __init__(self, columns: Columns, raw_record_column: str | None, batch_size: int) -> None:
        self._columns = columns
        self._raw_record_column = raw_record_column
        self._batch_size = batch_size

    def process(self, path: str) -> Iterator[pa.RecordBatch]:
        return read_batches(path, self._columns, self._raw_record_column, self._batch_size)
