"""Inspects CSV files: how they are written, the task, and a feature for each column."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from pipeline.data.column_profile import ColumnProfile
from pipeline.data.feature_choice import Choice, choose, describe_column
from pipeline.data.file_errors import explain_read_errors
from pipeline.data.files import list_csv_files
from pipeline.data.findings import ColumnSummary, DataSummary, Finding
from pipeline.data.null_words import NULL_WORDS
from pipeline.data.table_profiler import profile_columns
from pipeline.errors import DataError
from pipeline.init.inspect_label import find_in_label, find_label, guess_positive, guess_task
from pipeline.init.sniff_dialect import sniff
from pipeline.settings.data import CsvSettings
from tabular.csv.dialect import Dialect
from tabular.csv.reader import read_batches
from trainer.settings.train import Task


@dataclass(frozen=True)
class Inspection:
    """The settings that a first configuration has.

    Attributes:
        name: Name of the pipeline.
        data: Path of the data, relative to the folder of the configuration.
        csv: Format of the files.
        label: Profile of the label's column.
        task: Whether classes or numbers are predicted.
        positive: The positive class of a binary task, None if the pipeline's default is right.
        features: Column to the feature that it becomes.
        label_findings: What the owner of the data should know of the label.
        findings: What the owner should know of whole files.
    """

    name: str
    data: str
    csv: CsvSettings
    label: ColumnProfile
    task: Task
    positive: str | None
    features: Mapping[str, Choice]
    label_findings: tuple[Finding, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def summary(self) -> DataSummary:
        """All that is found, for table and comments; the label comes first."""
        label = self.label
        columns = [ColumnSummary(label.name, describe_column(label), "label", self.label_findings)]
        columns += [choice.summarize(name) for name, choice in self.features.items()]
        return DataSummary(tuple(columns), self.findings)


def inspect_csv(data: Path, label: str, folder: Path) -> Inspection:
    """Inspects CSV files to find the settings of a first configuration.

    Args:
        data: A CSV file, or a folder of them.
        label: The column to predict.
        folder: The folder of the configuration to be.

    Raises:
        DataError: If the data cannot be read, or the label is not a column that can be learned.
        OSError: If a file cannot be read.
    """
    paths = list_csv_files(data)
    sniffed = sniff(Path(paths[0]), label)
    profiles, settings = _profile(paths, sniffed.csv)
    if not profiles:
        raise DataError(f"{data}: has a header and no rows; expected a row per example: add some")
    label_profile = profiles[find_label(data, label, list(profiles), sniffed.titles)]
    task = guess_task(data, label_profile)
    features = {
        name: choose(profile, profiles)
        for name, profile in profiles.items()
        if name != label_profile.name
    }
    if all(choice.reason for choice in features.values()):
        lines = [f"{data}: no column is left to learn from"]
        lines += [f"{data}: {n}: {c.found}: {c.reason}" for n, c in features.items()]
        raise DataError("\n".join(lines))
    return Inspection(
        name=_pipeline_name(data),
        data=os.path.relpath(data.resolve(), folder),
        csv=settings,
        label=label_profile,
        task=task,
        positive=guess_positive(label_profile) if task == "binary" else None,
        features=features,
        label_findings=tuple(find_in_label(label_profile, task)),
        findings=sniffed.findings,
    )


def _profile(
    paths: Sequence[str], settings: CsvSettings
) -> tuple[dict[str, ColumnProfile], CsvSettings]:
    """Profiles the columns; again with null values, if these hide that a column is of numbers."""
    profiles = profile_columns(_batches(paths, settings.dialect), settings.decimal)
    null_words = {
        word
        for profile in profiles.values()
        if profile.kind == "words" and profile.kind_but_null_words not in ("words", "empty")
        for word in profile.null_words
    }
    if not null_words:
        return profiles, settings
    null_values = tuple(word for word in NULL_WORDS if word in null_words)
    settings = CsvSettings.model_validate({**settings.model_dump(), "null_values": null_values})
    return profile_columns(_batches(paths, settings.dialect), settings.decimal), settings


def _batches(paths: Sequence[str], dialect: Dialect) -> Iterator[pa.RecordBatch]:
    for path in paths:
        with explain_read_errors(path, dialect):
            yield from read_batches(path, dialect)


def _pipeline_name(data: Path) -> str:
    stem = data.resolve().name.lower().partition(".")[0]
    return re.sub(r"[^a-z0-9]+", "-", stem).strip("-")[:63].strip("-") or "pipeline"
