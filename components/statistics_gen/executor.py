"""Executor: computes TFDV's statistics, one file of examples at a time.

`tfdv.GenerateStatistics` consists of dozens of Beam stages, which take longer than the computation
on small data, and counts words one by one. Here, TFDV's generators for data in memory are called
directly; they count words in batches and in bounded memory. If a column has more than `_WORDS`
different words, the number of words and the lowest counts are estimates.
"""

import os
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
import pyarrow as pa
import tensorflow_data_validation as tfdv
from tensorflow_data_validation.statistics import stats_impl
from tensorflow_data_validation.statistics.generators import (
    top_k_uniques_sketch_stats_generator as top_k,
)
from tfx import types
from tfx.components.statistics_gen.executor import DEFAULT_FILE_NAME
from tfx.dsl.components.base import base_beam_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils, standard_component_specs

from components.statistics_gen.histograms import fast_histograms
from tabular.examples.columns import Columns, read_columns
from tabular.examples.in_process import is_in_process, run_in_process
from tabular.examples.reading import read_batches
from tabular.examples.tfxio import split_tfxio

_WORDS = 2**17

_Accumulators = list[Any]


class Executor(base_beam_executor.BaseBeamExecutor):
    """Computes statistics of each file, and merges them by split."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the statistics.

        Args:
            input_dict: `examples` from CsvExampleGen.
            output_dict: `statistics`, one file per split.
            exec_properties: TFX's `stats_options_json`.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        examples = artifact_utils.get_single_instance(
            input_dict[standard_component_specs.EXAMPLES_KEY]
        )
        statistics = artifact_utils.get_single_instance(
            output_dict[standard_component_specs.STATISTICS_KEY]
        )
        statistics.split_names, statistics.span = examples.split_names, examples.span
        options_json = exec_properties[standard_component_specs.STATS_OPTIONS_JSON_KEY]
        files = [
            (artifact_utils.get_split_uri([statistics], split), path)
            for split in artifact_utils.decode_split_names(examples.split_names)
            for path in split_tfxio([examples], split).paths
        ]
        measure = _Measure(options_json, read_columns(examples.uri))
        write = _Write(options_json)
        if is_in_process(self._beam_pipeline_args):
            by_split = defaultdict(list)
            for folder, accumulators in run_in_process(measure, files):
                by_split[folder].append(accumulators)
            deque(run_in_process(write, by_split.items()), maxlen=0)
            return
        with self._make_beam_pipeline() as pipeline:
            _ = (
                pipeline
                | "Files" >> beam.Create(files)
                | "Measure" >> beam.ParDo(measure)
                | "BySplit" >> beam.GroupByKey()
                | "Write" >> beam.ParDo(write)
            )


class _Generating(beam.DoFn):
    """A DoFn with TFDV's generators."""

    def __init__(self, options_json: str) -> None:
        self._options_json = options_json

    def setup(self) -> None:
        self._generators = _make_generators(tfdv.StatsOptions.from_json(self._options_json))
        for generator in self._generators:
            generator.setup()


def _make_generators(options: tfdv.StatsOptions) -> list[Any]:
    """Makes TFDV's generators; word counts stay exact for more words than by default."""
    sketch = top_k.TopKUniquesSketchStatsGenerator(
        schema=options.schema,
        num_top_values=options.num_top_values,
        num_rank_histogram_buckets=options.num_rank_histogram_buckets,
        frequency_threshold=options.frequency_threshold,
        num_misragries_buckets=_WORDS,
        num_kmv_buckets=_WORDS,
    )
    return [
        sketch if isinstance(generator, top_k.TopKUniquesSketchStatsGenerator) else generator
        for generator in stats_impl.get_generators(options, in_memory=True)
    ]


class _Measure(_Generating):
    """Computes the accumulators of a file."""

    def __init__(self, options_json: str, columns: Columns) -> None:
        super().__init__(options_json)
        self._columns = columns

    def process(self, file: tuple[str, str]) -> Iterator[tuple[str, _Accumulators]]:
        """Yields the folder of the split's statistics with the accumulators."""
        folder, path = file
        accumulators = [generator.create_accumulator() for generator in self._generators]
        for batch in map(_as_found, read_batches(path, self._columns)):
            accumulators = [
                generator.add_input(accumulator, batch)
                for generator, accumulator in zip(self._generators, accumulators, strict=True)
            ]
        yield folder, accumulators


def _as_found(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Gives columns without values the type null, as TFDV does."""
    columns = [
        pa.nulls(len(column)) if column.null_count == len(column) else column
        for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, batch.schema.names)


class _Write(_Generating):
    """Merges the accumulators of a split, and writes its statistics."""

    def process(self, measured: tuple[str, Iterable[_Accumulators]]) -> Iterator[None]:
        """Writes the file, replacing an older one."""
        folder, of_files = measured
        merged = [
            generator.merge_accumulators(accumulators)
            for generator, accumulators in zip(
                self._generators, zip(*of_files, strict=True), strict=True
            )
        ]
        with fast_histograms():
            statistics = stats_impl.extract_statistics_output(merged, self._generators)
        fileio.makedirs(folder)
        with fileio.open(os.path.join(folder, DEFAULT_FILE_NAME), "wb") as file:
            file.write(statistics.SerializeToString())
        yield from ()
