"""Executor: CSV files to gzipped TFRecord shards of `tf.Example`s, split by split."""

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
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

from components.csv_example_gen.budget import QUARANTINE_FILE, Budget
from components.csv_example_gen.dialect import Dialect
from components.csv_example_gen.inputs import list_files
from components.csv_example_gen.reader import ColumnType, split_rows
from components.csv_example_gen.survey import (
    Survey,
    survey_files,
    write_quarantine,
)
from components.csv_example_gen.usable import read_usable
from components.csv_example_gen.values import to_values
from trainer.config import TrainerSettings


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
                (`settings`, `dialect` and `budget` as JSON).

        Raises:
            ValueError: If more rows cannot be used than the budget allows.
            RuntimeError: If rows are neither examples nor put aside.
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
        settings, dialect, budget = _read_options(exec_properties)
        survey = survey_files(list(chain.from_iterable(files)), settings, dialect, budget)

        examples = artifact_utils.get_single_instance(
            output_dict[standard_component_specs.EXAMPLES_KEY]
        )
        split_names = utils.generate_output_split_names(input_config, output_config)
        examples.split_names = artifact_utils.encode_split_names(split_names)
        examples_utils.set_payload_format(examples, example_gen_pb2.FORMAT_TF_EXAMPLE)
        split_dirs = [artifact_utils.get_split_uri([examples], name) for name in split_names]
        buckets = [split.hash_buckets for split in output_config.split_config.splits]
        shards = _plan_shards(files, split_dirs, is_split=not buckets)
        counts_dir = os.path.join(self._get_tmp_dir(), "counts")
        fileio.makedirs(counts_dir)
        with self._make_beam_pipeline() as pipeline:
            _ = (
                pipeline
                | "Files" >> beam.Create(list(enumerate(shards)))
                | "WriteShards"
                >> beam.ParDo(
                    _WriteShards(
                        survey.types,
                        buckets,
                        output_config.split_config.partition_feature_name or None,
                        settings,
                        dialect,
                        counts_dir,
                    )
                )
            )
        _account(examples, survey, split_dirs, split_names, _read_counts(counts_dir, len(shards)))
        if survey.quarantined:
            path = os.path.join(examples.uri, QUARANTINE_FILE)
            write_quarantine(path, survey, settings, dialect)


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


def _read_options(exec_properties: Mapping[str, Any]) -> tuple[TrainerSettings, Dialect, Budget]:
    custom_config = json_format.Parse(
        exec_properties[standard_component_specs.CUSTOM_CONFIG_KEY],
        example_gen_pb2.CustomConfig(),
    )
    options = json_format.MessageToDict(custom_config.custom_config)["value"]
    return (
        TrainerSettings.model_validate_json(options["settings"]),
        Dialect.from_json(options["dialect"]),
        Budget(**json.loads(options["budget"])),
    )


def _read_counts(counts_dir: str, files: int) -> dict[str, int]:
    """Adds up what the workers have counted: folder of a split to its number of examples."""
    counts: Counter[str] = Counter()
    for index in range(files):
        with fileio.open(os.path.join(counts_dir, f"{index}.json")) as file:
            counts.update(json.load(file))
    return counts


def _account(
    examples: types.Artifact,
    survey: Survey,
    split_dirs: Sequence[str],
    split_names: Sequence[str],
    counts: Mapping[str, int],
) -> None:
    """Writes to the artifact what became of the rows, if that is all of them."""
    if sum(counts.values()) + survey.quarantined != survey.rows:
        raise RuntimeError(
            f"{survey.rows} rows were read, but {sum(counts.values())} are examples and"
            f" {survey.quarantined} are put aside: have the files been changed meanwhile?"
        )
    examples.set_int_custom_property("rows", survey.rows)
    examples.set_int_custom_property("quarantined", survey.quarantined)
    for name, folder in zip(split_names, split_dirs, strict=True):
        examples.set_int_custom_property(f"examples_{name}", counts.get(folder, 0))


class _WriteShards(beam.DoFn):
    """Writes the shards of each CSV file, given as its path and theirs."""

    def __init__(
        self,
        column_types: Mapping[str, ColumnType],
        buckets: Sequence[int],
        split_by: str | None,
        settings: TrainerSettings,
        dialect: Dialect,
        counts_dir: str,
    ) -> None:
        self._column_types = dict(column_types)
        self._buckets = buckets
        self._split_by = split_by
        self._settings = settings
        self._dialect = dialect
        self._counts_dir = counts_dir

    def process(self, element: tuple[int, tuple[str, Sequence[str]]]) -> Iterator[None]:
        """Overwrites its files whole, so that a retried bundle leaves the same."""
        index, (path, shard_paths) = element
        counts = np.zeros(len(shard_paths), dtype=int)
        writers = []
        for shard_path in shard_paths:
            fileio.makedirs(os.path.dirname(shard_path))
            writers.append(tf.io.TFRecordWriter(shard_path, "GZIP"))
        encoder = RecordBatchToExamplesEncoder()
        for block in read_usable(path, self._settings, self._dialect):
            examples = encoder.encode(
                to_values(block.batch, self._column_types, self._dialect.decimal)
            )
            shards = self._shards_of_rows(block.batch)
            for shard, example in zip(shards, examples, strict=True):
                writers[shard].write(example)
            counts += np.bincount(shards, minlength=len(counts))
        for writer in writers:
            writer.close()
        with fileio.open(os.path.join(self._counts_dir, f"{index}.json"), "w") as file:
            folders = map(os.path.dirname, shard_paths)
            json.dump(dict(zip(folders, counts.tolist(), strict=True)), file)
        yield from ()

    def _shards_of_rows(self, batch: pa.RecordBatch) -> list[int]:
        if not self._buckets:
            return [0] * len(batch)
        return split_rows(batch, self._buckets, self._split_by)
