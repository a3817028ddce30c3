"""Executor: CSV files to gzipped TFRecord shards of `tf.Example`s, split by split."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import tensorflow as tf
from google.protobuf import json_format
from tfx import types
from tfx.components.example_gen import utils
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_beam_executor
from tfx.dsl.io import fileio
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils, standard_component_specs
from tfx_bsl.coders.example_coder import RecordBatchToExamplesEncoder

from components.csv_example_gen.reader import ColumnType, infer_types, read_batches, split_rows

_ARROW_TYPES = {
    ColumnType.UNKNOWN: pa.binary(),
    ColumnType.INT: pa.int64(),
    ColumnType.FLOAT: pa.float32(),
    ColumnType.BYTES: pa.binary(),
}


class Executor(base_beam_executor.BaseBeamExecutor):
    """Reads CSV by Arrow in blocks and encodes by batch of columns, one Beam element per file."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the examples.

        Args:
            input_dict: Empty.
            output_dict: `examples`, filled with a folder of shards per split.
            exec_properties: TFX's `input_base`, `input_config` (one pattern), `output_config` (hash
                buckets per split) and `custom_config` (`float_columns`).
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        input_config = json_format.Parse(
            exec_properties[standard_component_specs.INPUT_CONFIG_KEY], example_gen_pb2.Input()
        )
        output_config = json_format.Parse(
            exec_properties[standard_component_specs.OUTPUT_CONFIG_KEY], example_gen_pb2.Output()
        )
        pattern = os.path.join(
            exec_properties[standard_component_specs.INPUT_BASE_KEY],
            input_config.splits[0].pattern,
        )
        paths = sorted(fileio.glob(pattern))
        column_types = infer_types(paths)
        for name in _float_columns(exec_properties):
            column_types[name] = max(column_types[name], ColumnType.FLOAT)

        examples = artifact_utils.get_single_instance(
            output_dict[standard_component_specs.EXAMPLES_KEY]
        )
        split_names = utils.generate_output_split_names(input_config, output_config)
        examples.split_names = artifact_utils.encode_split_names(split_names)
        examples_utils.set_payload_format(examples, example_gen_pb2.FORMAT_TF_EXAMPLE)
        with self._make_beam_pipeline() as pipeline:
            _ = (
                pipeline
                | "Files" >> beam.Create(list(enumerate(paths)))
                | "WriteShards"
                >> beam.ParDo(
                    _WriteShards(
                        column_types,
                        [split.hash_buckets for split in output_config.split_config.splits],
                        [artifact_utils.get_split_uri([examples], name) for name in split_names],
                        len(paths),
                    )
                )
            )


def _float_columns(exec_properties: Mapping[str, Any]) -> list[str]:
    """Reads the columns that hold numbers whatever this file's cells look like."""
    custom_config = json_format.Parse(
        exec_properties[standard_component_specs.CUSTOM_CONFIG_KEY],
        example_gen_pb2.CustomConfig(),
    )
    return list(json_format.MessageToDict(custom_config.custom_config)["value"]["float_columns"])


class _WriteShards(beam.DoFn):
    """Writes one shard per split from each `(index, path)` of a CSV file."""

    def __init__(
        self,
        column_types: Mapping[str, ColumnType],
        buckets: Sequence[int],
        split_dirs: Sequence[str],
        shard_count: int,
    ) -> None:
        self._column_types = dict(column_types)
        self._buckets = buckets
        self._split_dirs = split_dirs
        self._shard_count = shard_count

    def process(self, element: tuple[int, str]) -> Iterator[None]:
        """Overwrites its shards whole, so that a retried bundle leaves the same files."""
        index, path = element
        shard = f"data_tfrecord-{index:05d}-of-{self._shard_count:05d}.gz"
        writers = []
        for split_dir in self._split_dirs:
            fileio.makedirs(split_dir)
            writers.append(tf.io.TFRecordWriter(os.path.join(split_dir, shard), "GZIP"))
        encoder = RecordBatchToExamplesEncoder()
        for batch in read_batches(path):
            examples = encoder.encode(_typed(batch, self._column_types))
            for split, example in zip(split_rows(batch, self._buckets), examples, strict=True):
                writers[split].write(example)
        for writer in writers:
            writer.close()
        yield from ()


def _typed(batch: pa.RecordBatch, column_types: Mapping[str, ColumnType]) -> pa.RecordBatch:
    """Casts text columns to lists of their type: one value per cell, an empty cell no value."""
    columns = []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        is_valid = pc.is_valid(column).to_numpy(zero_copy_only=False)
        offsets = np.concatenate([[0], np.cumsum(is_valid)]).astype(np.int32)
        values = pc.cast(column.drop_null(), _ARROW_TYPES[column_types[name]])
        columns.append(pa.ListArray.from_arrays(pa.array(offsets), values))
    return pa.RecordBatch.from_arrays(columns, batch.schema.names)
