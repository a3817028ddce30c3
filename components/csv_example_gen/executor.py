"""Executor: CSV files to gzipped TFRecord shards of `tf.Example`s, split by split."""

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
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

from components.csv_example_gen.inputs import list_files
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
            exec_properties: TFX's `input_base`, `input_config` (one pattern and an `output_config`
                of hash buckets per split, or a pattern per split), and `custom_config`
                (`float_columns`).
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        input_config = json_format.Parse(
            exec_properties[standard_component_specs.INPUT_CONFIG_KEY], example_gen_pb2.Input()
        )
        output_config = json_format.Parse(
            exec_properties[standard_component_specs.OUTPUT_CONFIG_KEY], example_gen_pb2.Output()
        )
        input_base = exec_properties[standard_component_specs.INPUT_BASE_KEY]
        files = [
            list_files(os.path.join(input_base, split.pattern), fileio.glob)
            for split in input_config.splits
        ]
        column_types = infer_types(list(chain.from_iterable(files)))
        for name in _float_columns(exec_properties):
            column_types[name] = max(column_types[name], ColumnType.FLOAT)

        examples = artifact_utils.get_single_instance(
            output_dict[standard_component_specs.EXAMPLES_KEY]
        )
        split_names = utils.generate_output_split_names(input_config, output_config)
        examples.split_names = artifact_utils.encode_split_names(split_names)
        examples_utils.set_payload_format(examples, example_gen_pb2.FORMAT_TF_EXAMPLE)
        split_dirs = [artifact_utils.get_split_uri([examples], name) for name in split_names]
        buckets = [split.hash_buckets for split in output_config.split_config.splits]
        shards = _plan_shards(files, split_dirs, is_split=not buckets)
        with self._make_beam_pipeline() as pipeline:
            _ = (
                pipeline
                | "Files" >> beam.Create(shards)
                | "WriteShards"
                >> beam.ParDo(
                    _WriteShards(
                        column_types,
                        buckets,
                        output_config.split_config.partition_feature_name or None,
                    )
                )
            )


def _plan_shards(
    files: Sequence[Sequence[str]], split_dirs: Sequence[str], *, is_split: bool
) -> list[tuple[str, list[str]]]:
    """Gives each file its shards: one in its own split, or one in every split if not split yet."""
    shards = []
    for split, paths in enumerate(files):
        folders = [split_dirs[split]] if is_split else split_dirs
        for index, path in enumerate(paths):
            name = f"data_tfrecord-{index:05d}-of-{len(paths):05d}.gz"
            shards.append((path, [os.path.join(folder, name) for folder in folders]))
    return shards


def _float_columns(exec_properties: Mapping[str, Any]) -> list[str]:
    """Reads the columns that hold numbers whatever this file's cells look like."""
    custom_config = json_format.Parse(
        exec_properties[standard_component_specs.CUSTOM_CONFIG_KEY],
        example_gen_pb2.CustomConfig(),
    )
    return list(json_format.MessageToDict(custom_config.custom_config)["value"]["float_columns"])


class _WriteShards(beam.DoFn):
    """Writes the shards of each CSV file, given as its path and theirs."""

    def __init__(
        self,
        column_types: Mapping[str, ColumnType],
        buckets: Sequence[int],
        split_by: str | None,
    ) -> None:
        self._column_types = dict(column_types)
        self._buckets = buckets
        self._split_by = split_by

    def process(self, element: tuple[str, Sequence[str]]) -> Iterator[None]:
        """Overwrites its shards whole, so that a retried bundle leaves the same files."""
        path, shard_paths = element
        writers = []
        for shard_path in shard_paths:
            fileio.makedirs(os.path.dirname(shard_path))
            writers.append(tf.io.TFRecordWriter(shard_path, "GZIP"))
        encoder = RecordBatchToExamplesEncoder()
        for batch in read_batches(path):
            examples = encoder.encode(_typed(batch, self._column_types))
            for shard, example in zip(self._shards_of_rows(batch), examples, strict=True):
                writers[shard].write(example)
        for writer in writers:
            writer.close()
        yield from ()

    def _shards_of_rows(self, batch: pa.RecordBatch) -> list[int]:
        if not self._buckets:
            return [0] * len(batch)
        return split_rows(batch, self._buckets, self._split_by)


def _typed(batch: pa.RecordBatch, column_types: Mapping[str, ColumnType]) -> pa.RecordBatch:
    """Casts text columns to lists of their type: one value per cell, an empty cell no value."""
    columns = []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        is_valid = pc.is_valid(column).to_numpy(zero_copy_only=False)
        offsets = np.concatenate([[0], np.cumsum(is_valid)]).astype(np.int32)
        values = pc.cast(column.drop_null(), _ARROW_TYPES[column_types[name]])
        columns.append(pa.ListArray.from_arrays(pa.array(offsets), values))
    return pa.RecordBatch.from_arrays(columns, batch.schema.names)
