"""Executor: writes CSV files as gzipped TFRecord shards of `tf.Example`s, in splits."""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

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
from components.csv_example_gen.options import Options
from components.csv_example_gen.outcomes import (
    Outcome,
    read_outcomes,
    set_row_counts,
    write_outcome,
)
from components.csv_example_gen.splits import split_rows
from tabular.csv.casting import cast_columns
from tabular.csv.checked_files import ChangedFileError, digest_file
from tabular.csv.decoding import Utf8Stream
from tabular.csv.file_patterns import list_files
from tabular.csv.quarantine import QUARANTINE_FILE, write_quarantine
from tabular.csv.row_checks import Indices, explain_faults, read_usable
from tabular.csv.types import ColumnType
from tabular.examples.columns import write_columns
from tabular.examples.in_process import is_in_process, run_in_process

_PART_ROWS = 16_384
"""Rows to make examples of at a time: a few MB, which fit the processor's cache."""

_FAULTS_SHOWN = 5
_NO_FAULTS = np.empty((0, 2), np.int64)

_DTYPES = {
    ColumnType.UNKNOWN: "string",
    ColumnType.INT: "int64",
    ColumnType.FLOAT: "float32",
    ColumnType.BYTES: "string",
}

_File = tuple[int, tuple[str, Sequence[str]]]
"""A CSV file: its number, its path, and the paths of its shards."""


class Executor(base_beam_executor.BaseBeamExecutor):
    """Reads CSV in blocks and encodes them by column; each file is a Beam element."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the examples; each file is read once.

        Args:
            input_dict: Empty.
            output_dict: `examples`; gets a folder of shards per split.
            exec_properties: TFX's `input_base`, `input_config` (one pattern and an `output_config`
                of hash buckets per split, or a pattern per split), and `custom_config` (see
                `Options`).

        Raises:
            ChangedFileError: If a file has changed since the check.
            ValueError: If more rows cannot be used than the budget allows.
            LostRowsError: If rows are neither examples nor quarantined nor unlabeled.
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
        options = Options.from_properties(exec_properties)

        examples = artifact_utils.get_single_instance(
            output_dict[standard_component_specs.EXAMPLES_KEY]
        )
        split_names = utils.generate_output_split_names(input_config, output_config)
        examples.split_names = artifact_utils.encode_split_names(split_names)
        examples_utils.set_payload_format(examples, example_gen_pb2.FORMAT_TF_EXAMPLE)
        split_dirs = [artifact_utils.get_split_uri([examples], name) for name in split_names]
        buckets = [split.hash_buckets for split in output_config.split_config.splits]
        shards = _plan_shards(files, split_dirs, is_split=not buckets)
        outcomes_dir = os.path.join(self._get_tmp_dir(), "outcomes")
        fileio.makedirs(outcomes_dir)
        split_by = output_config.split_config.partition_feature_name or None
        write = _WriteShards(options, buckets, split_by, outcomes_dir)
        self._write(write, list(enumerate(shards)))

        outcome = read_outcomes(outcomes_dir, [path for path, _ in shards])
        if not options.budget.allows(outcome.quarantined, options.checked.rows):
            raise ValueError(_explain(outcome, options))
        folders = dict(zip(split_names, split_dirs, strict=True))
        set_row_counts(examples, outcome, options.checked.rows, folders)
        dtypes = {name: _DTYPES[kind] for name, kind in options.checked.types.items()}
        write_columns(examples.uri, dtypes)
        if outcome.quarantined:
            with fileio.open(os.path.join(examples.uri, QUARANTINE_FILE), "w") as file:
                write_quarantine(file, outcome.faults, options.rules, options.dialect)

    def _write(self, write: "_WriteShards", files: Sequence[_File]) -> None:
        """Writes the shards in this process, or by Beam's workers if there are any."""
        if is_in_process(self._beam_pipeline_args):
            deque(run_in_process(write, files), maxlen=0)
            return
        with self._make_beam_pipeline() as pipeline:
            _ = pipeline | "Files" >> beam.Create(files) | "WriteShards" >> beam.ParDo(write)


def _plan_shards(
    files: Sequence[Sequence[str]], split_dirs: Sequence[str], *, is_split: bool
) -> list[tuple[str, list[str]]]:
    """Plans the shards of each file: one in its split, or one in every split if rows are hashed.

    Args:
        files: The paths of each split's files, or of all files.
        split_dirs: The folder of each split.
        is_split: Whether the files are given by split.
    """
    shards = []
    for split, paths in enumerate(files):
        folders = [split_dirs[split]] if is_split else split_dirs
        for index, path in enumerate(paths):
            name = f"data_tfrecord-{index:05d}-of-{len(paths):05d}.gz"
            shards.append((path, [os.path.join(folder, name) for folder in folders]))
    return shards


def _explain(outcome: Outcome, options: Options) -> str:
    """Explains that the quarantine budget is exceeded, with the first faults."""
    path = next(path for path, table in outcome.faults.items() if len(table))
    shown = islice(
        explain_faults(path, options.rules, options.dialect, outcome.faults[path]), _FAULTS_SHOWN
    )
    return (
        f"{outcome.quarantined} of {options.checked.rows} rows cannot be used, more than"
        f" data.quarantine allows, as {'; '.join(f'{path}:{fault}' for fault in shown)}"
    )


class _Read(NamedTuple):
    """What is kept of a block of rows: all rows, those without a label, and faults of others."""

    rows: int
    unlabeled: int
    faults: Indices


class _WriteShards(beam.DoFn):
    """Writes the shards of a CSV file."""

    def __init__(
        self, options: Options, buckets: Sequence[int], split_by: str | None, outcomes_dir: str
    ) -> None:
        self._options = options
        self._buckets = buckets
        self._split_by = split_by
        self._outcomes_dir = outcomes_dir

    def process(self, element: _File) -> Iterator[None]:
        """Writes the shards from the beginning, so that a retried bundle has the same result."""
        index, (path, shard_paths) = element
        counts = np.zeros(len(shard_paths), dtype=int)
        read: list[_Read] = []
        for shard_path in shard_paths:
            fileio.makedirs(os.path.dirname(shard_path))
        with ExitStack() as stack:
            writers = [
                stack.enter_context(closing(GzipWriter(fileio.open(shard_path, "wb"))))
                for shard_path in shard_paths
            ]
            make = partial(self._make_parts, shards=len(writers))
            made = stack.enter_context(closing(map_ahead(make, self._read(path, read))))
            try:
                for parts, rows in made:
                    for writer, part in zip(writers, parts, strict=True):
                        writer.write(part)
                    counts += rows
            except (pa.ArrowInvalid, KeyError):  # likely as the file has changed since the check
                self._check_digest(path, digest_file(path))
                raise
        folders = map(os.path.dirname, shard_paths)
        outcome = Outcome(
            read=sum(block.rows for block in read),
            unlabeled=sum(block.unlabeled for block in read),
            examples=dict(zip(folders, counts.tolist(), strict=True)),
            faults={path: np.concatenate([_NO_FAULTS, *(block.faults for block in read)])},
        )
        write_outcome(self._outcomes_dir, index, outcome)
        yield from ()

    def _read(self, path: str, read: list["_Read"]) -> Iterator[pa.RecordBatch]:
        """Reads the rows that can be used in parts, and notes what became of the others.

        Raises:
            ChangedFileError: At the end of the file, if it has changed since the check.
        """
        text = Utf8Stream(path, self._options.dialect)
        for block in read_usable(text, self._options.rules, list(self._options.checked.types)):
            read.append(_Read(block.read, block.unlabeled, block.faults))
            for begin in range(0, len(block.batch), _PART_ROWS):
                yield block.batch[begin : begin + _PART_ROWS]
        self._check_digest(path, text.digest)

    def _check_digest(self, path: str, digest: str) -> None:
        if digest != self._options.checked.digests.get(path):
            raise ChangedFileError(path)

    def _make_parts(
        self, batch: pa.RecordBatch, shards: int
    ) -> tuple[list[Part], npt.NDArray[np.int64]]:
        """Makes examples of rows: the part of each shard, and its number of examples."""
        options = self._options
        records = to_records(cast_columns(batch, options.checked.types, options.dialect.decimal))
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
