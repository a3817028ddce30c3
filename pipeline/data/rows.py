"""Reads the rows of the CSV files, block by block, and counts those that cannot be used."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import pyarrow as pa

from components.csv_example_gen.splits import hash_buckets, split_rows
from pipeline.data import file_errors
from pipeline.data.file_errors import FAULTS_SHOWN, data_error
from pipeline.data.labels import Labels, make_labels
from pipeline.errors import DataError
from pipeline.settings.config import Config
from tabular.csv.file_patterns import ALL
from tabular.csv.row_checks import Indices, explain_faults, read_usable

SplitOfRows = Callable[[pa.RecordBatch], list[int]]


@dataclass
class _Counts:
    """What has been found so far: rows, those that cannot be used, and the wrong cells in them."""

    rows: int = 0
    quarantined: int = 0
    faults: int = 0


def read_rows(config: Config, files: Mapping[str, Sequence[str]]) -> tuple[Labels, int]:
    """Reads all files and checks the rows.

    Args:
        config: The configuration.
        files: Split, or `all`, to its files, which share a header that has all columns of the
            configuration.

    Returns:
        The labels, split as the pipeline will split the rows, and the number of rows that cannot be
        used.

    Raises:
        DataError: If a file is no table, more rows than allowed cannot be used, or the label has
            too many words.
    """
    labels = make_labels(config, tuple(chain.from_iterable(files.values())))
    counts = _Counts()
    shown: list[str] = []
    for path, split in ((path, split) for split, paths in files.items() for path in paths):
        try:
            first = _read_file(config, path, _splitter(config, split), labels, counts)
            if len(first) and len(shown) < FAULTS_SHOWN:
                dialect = config.data.csv.dialect
                found = explain_faults(path, config.trainer_settings, dialect, first)
                shown += (f"{path}:{fault}" for fault in found)
        except pa.ArrowInvalid as error:
            raise file_errors.explain(path, config.data.csv.dialect, error) from None
    budget = config.data.quarantine.budget
    if not budget.allows(counts.quarantined, counts.rows):
        raise data_error(shown, counts.faults, _say_budget(config, counts))
    if counts.quarantined == counts.rows:
        raise data_error(shown, counts.faults, "no row can be used")
    return labels, counts.quarantined


def _say_budget(config: Config, counts: _Counts) -> str:
    """Says by how much a budget is exceeded; nothing where there is none."""
    settings = config.data.quarantine
    if not (settings.max_rows or settings.max_share):
        return ""
    allowed = max(settings.max_rows, int(settings.max_share * counts.rows))
    return (
        f"{counts.quarantined:,} of {counts.rows:,} rows cannot be used; expected at most"
        f" {allowed:,}: correct these, or raise data.quarantine"
    )


def _splitter(config: Config, split: str) -> SplitOfRows:
    """Makes what gives the index of each row's split, for the files of a split or of all."""
    if split != ALL:
        index = config.data.splits.index(split)
        return lambda batch: [index] * len(batch)
    settings = config.data.split
    buckets = list(hash_buckets(settings.shares).values())
    return lambda batch: split_rows(batch, buckets, settings.by)


def _read_file(
    config: Config, path: str, split_of_rows: SplitOfRows, labels: Labels, counts: _Counts
) -> Indices:
    """Adds the labels and counts of a file; gives the first of its faults."""
    before = counts.rows
    first: Indices = np.empty((0, 2), dtype=np.int64)
    for block in read_usable(path, config.trainer_settings, config.data.csv.dialect):
        if len(block.batch):
            labels.add(block.batch[config.data.label], split_of_rows(block.batch))
        counts.rows += len(block.batch) + block.quarantined
        counts.quarantined += block.quarantined
        counts.faults += len(block.faults)
        first = np.concatenate([first, block.faults])[:FAULTS_SHOWN]
    if counts.rows == before:
        raise DataError(file_errors.says_no_rows(path))
    return first
