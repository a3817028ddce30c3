"""Inspects CSV files: how they are written, the task, and a feature for each column."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from pipeline.data.column_profile import ColumnProfile
from pipeline.data.feature_choice import (
    MAX_DISTINCT_SHARE,
    Choice,
    choose,
    describe_column,
    is_few_integers,
)
from pipeline.data.files import list_csv_files
from pipeline.data.labels import MAX_CLASSES
from pipeline.data.null_words import NULL_WORDS
from pipeline.data.table_profiler import profile_columns
from pipeline.errors import DataError, did_you_mean
from pipeline.init.sniff_dialect import sniff
from pipeline.settings.data import CsvSettings
from tabular.csv.column_rules import quote
from tabular.csv.dialect import Dialect
from tabular.csv.reader import read_batches
from trainer.classes import class_order
from trainer.settings.features import Boolean
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
    """

    name: str
    data: str
    csv: CsvSettings
    label: ColumnProfile
    task: Task
    positive: str | None
    features: Mapping[str, Choice]


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
    settings, titles = sniff(Path(paths[0]), label)
    profiles, settings = _profile(paths, settings)
    if not profiles:
        raise DataError(f"{data}: has a header and no rows; expected a row per example: add some")
    label_profile = profiles[_find_label(data, label, list(profiles), titles)]
    task = _guess_task(data, label_profile)
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
        positive=_guess_positive(label_profile) if task == "binary" else None,
        features=features,
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
        try:
            yield from read_batches(path, dialect)
        except pa.ArrowInvalid as error:
            first = next(iter(str(error).splitlines()), "")
            raise DataError(f"{path}: is not a table: {first}") from None


def _find_label(data: Path, label: str, names: Sequence[str], titles: Sequence[str]) -> str:
    if label in names:
        return label
    if label in titles:
        return names[list(titles).index(label)]
    fix = did_you_mean(label, [*names, *titles])
    headerless = "" if titles else "; its first line is not a header, so its columns are numbered"
    raise DataError(
        f"{data}: there is no column {quote(label)}; expected one of"
        f" {', '.join(map(quote, names))}: correct --label{fix}{headerless}"
    )


def _guess_task(data: Path, label: ColumnProfile) -> Task:
    """Guesses the task from the values of the label."""
    place = f"{data}: {label.name}"
    if label.missing:
        raise DataError(
            f"{place}: the label is empty in {label.missing:,} of {label.rows:,} rows; expected one"
            " in each: fill them in, or remove these rows"
        )
    if label.distinct < 2:
        raise DataError(
            f"{place}: every row has the label {quote(next(iter(label.values or ())))}; expected at"
            " least 2: add rows of another, or name another column with --label"
        )
    is_whole = label.kind == "integer" or all(map(_is_whole, label.values or ["0.5"]))
    if label.kind == "number" and not is_whole:
        return "regression"
    if label.distinct == 2:
        return "binary"
    if label.kind in ("integer", "number") and not is_few_integers(label):
        return "regression"
    if label.distinct > MAX_CLASSES or label.distinct_share > MAX_DISTINCT_SHARE:
        raise DataError(
            f"{place}: {describe_column(label)} in {label.rows:,} rows are too many for classes:"
            " name another column with --label"
        )
    return "multiclass"


def _is_whole(word: str) -> bool:
    """Whether a word is a whole number, perhaps with a decimal point, such as 1.0."""
    return re.fullmatch(r"-?[0-9]+([.,]0*)?", word) is not None


def _guess_positive(label: ColumnProfile) -> str | None:
    """Returns the word for yes, else the last in order, or None if that is a number like 1.0."""
    words = sorted(label.values or (), key=lambda word: class_order(word.encode()))
    true = [
        word for word in words if label.kind == "boolean" and word.lower() in Boolean().true_words
    ]
    word = (true or words)[-1]
    if _is_whole(word):
        return str(int(word)) if word.lstrip("-").isdecimal() else None
    return word


def _pipeline_name(data: Path) -> str:
    stem = data.resolve().name.lower().partition(".")[0]
    return re.sub(r"[^a-z0-9]+", "-", stem).strip("-")[:63].strip("-") or "pipeline"
