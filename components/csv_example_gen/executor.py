"""Executor: CSV files to gzipped TFRecord shards of `tf.Example`s, split by split."""

import json
import os
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from functools import partial
from itertools import chain
from typing import Any

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from google.protobuf import json_format
from tfx import types
from tfx.components.example_gen import utils
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_beam_executor
from tfx.dsl.io import fileio
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils, standard_component_specs

from components.csv_example_gen.example_records import to_records
from components.csv_example_gen.gzip_parts import GzipWriter, Part, compress, map_ahead
from components.csv_example_gen.splits import split_rows
from components.csv_example_gen.survey import (
    Survey,
    survey_files,
    write_quarantine,
)
from tabular.csv.casting import to_columns
from tabular.csv.dialect import Dialect
from tabular.csv.file_patterns import list_files
from tabular.csv.quarantine import QUARANTINE_FILE, Budget
from tabular.csv.row_checks import read_usable
from tabular.csv.types import ColumnType
from tabular.examples.columns import write_columns
from tabular.examples.in_process import is_in_process, work_here
from trainer.settings.train import TrainerSettings

_PART_ROWS = 16_384
"""Rows of which examples are made at a time: a few MB, which stay in the processor's cache."""

_DTYPES = {
    ColumnType.UNKNOWN: "string",
    ColumnType.INT: "int64",
    ColumnType.FLOAT: "float32",
    ColumnType.BYTES: "string",
}

_File = tuple[int, tuple[str, Sequence[str]]]
"""Its number, its path, and those of its shards."""


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
        write = _WriteShards(
            survey.types,
            buckets,
            output_config.split_config.partition_feature_name or None,
            settings,
            dialect,
            counts_dir,
        )
        self._write(write, list(enumerate(shards)))
        _account(examples, survey, split_dirs, split_names, _read_counts(counts_dir, len(shards)))
        write_columns(examples.uri, {name: _DTYPES[kind] for name, kind in survey.types.items()})
        if survey.quarantined:
            path = os.path.join(examples.uri, QUARANTINE_FILE)
            write_quarantine(path, survey, settings, dialect)

    def _write(self, write: "_WriteShards", files: Sequence[_File]) -> None:
        """Writes the files here, or has the workers of Beam do so where there are any."""
        if is_in_process(self._beam_pipeline_args):
            deque(work_here(write, files), maxlen=0)
            return
        with self._make_beam_pipeline() as pipeline:
            _ = pipeline | "Files" >> beam.Create(files) | "WriteShards" >> beam.ParDo(write)


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

    def process(self, element: _File) -> Iterator[None]:
        """Overwrites its files whole, so that a retried bundle leaves the same."""
        index, (path, shard_paths) = element
        counts = np.zeros(len(shard_paths), dtype=int)
        for shard_path in shard_paths:
            fileio.makedirs(os.path.dirname(shard_path))
        with ExitStack() as stack:
            writers = [
                stack.enter_context(closing(GzipWriter(fileio.open(shard_path, "wb"))))
                for shard_path in shard_paths
            ]
            make = partial(self._make_parts, shards=len(writers))
            made = stack.enter_context(closing(map_ahead(make, self._read(path))))
            for parts, rows in made:
                for writer, part in zip(writers, parts, strict=True):
                    writer.write(part)
                counts += rows
        with fileio.open(os.path.join(self._counts_dir, f"{index}.json"), "w") as file:
            folders = map(os.path.dirname, shard_paths)
            json.dump(dict(zip(folders, counts.tolist(), strict=True)), file)
        yield from ()

    def _read(self, path: str) -> Iterator[pa.RecordBatch]:
        """Reads the rows to make examples of, few at a time."""
        for block in read_usable(path, self._settings, self._dialect):
            for begin in range(0, len(block.batch), _PART_ROWS):
                yield block.batch[begin : begin + _PART_ROWS]

    def _make_parts(
        self, batch: pa.RecordBatch, shards: int
    ) -> tuple[list[Part], npt.NDArray[np.int64]]:
        """Makes examples of rows: what they add to each shard, and how many of them."""
        records = to_records(to_columns(batch, self._column_types, self._dialect.decimal))
        shard_of_row = np.array(self._shards_of_rows(batch))
        parts = []
        for shard in range(shards):
            _, _, data = records.filter(pa.array(shard_of_row == shard)).buffers()
            parts.append(compress(memoryview(data or b"")))
        return parts, np.bincount(shard_of_row, minlength=shards)

    def _shards_of_rows(self, batch: pa.RecordBatch) -> list[int]:
        if not self._buckets:
            return [0] * len(batch)
        return split_rows(batch, self._buckets, self._split_by)
