"""Inspects CSV files: how they are written, the task, and a feature for each column."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.data.check import check_width
from pipeline.data.column_profile import ColumnProfile
from pipeline.data.feature_choice import Choice, choose, leave_out
from pipeline.data.files import list_csv_files, quote_names
from pipeline.data.findings import DataSummary, Finding
from pipeline.errors import DataError, did_you_mean
from pipeline.init.inspect_label import by_class, choose_task, guess_positive, summarize_label
from pipeline.init.profile_table import profile_table
from pipeline.init.sniff_dialect import sniff
from pipeline.settings.data import CsvSettings
from tabular.csv.column_rules import quote
from tabular.csv.reader import read_header
from trainer.settings.train import Task


@dataclass(frozen=True)
class Wishes:
    """What the user of `init` has decided.

    Attributes:
        label: The column to predict, by its title in the file or its name in the configuration.
        task: The task; None if the label decides.
        ignored: Columns to leave out, by their titles or names.
    """

    label: str
    task: Task | None = None
    ignored: Sequence[str] = ()


@dataclass(frozen=True)
class Inspection:
    """The settings that a first configuration has.

    Attributes:
        name: Name of the pipeline.
        data: Path of the data, relative to the folder of the configuration.
        csv: Format of the files.
        label: Profile of the label's column.
        task: Whether classes or numbers are predicted.
        positive: The positive class of a binary task, None in others.
        features: Column to the feature that it becomes.
        label_findings: What the owner should know of how labels are written.
        findings: What the owner should know of whole files.
        quarantined: The most rows that cannot be used, since a cell is not of the column's kind, or
            since they have too many or few cells.
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
    quarantined: int = 0

    @property
    def summary(self) -> DataSummary:
        """All that is found, for table and comments; the label comes first."""
        label = summarize_label(self.label, self.task, self.label_findings)
        columns = (label, *(choice.summary for choice in self.features.values()))
        return DataSummary(columns, self.findings)

    def with_findings(self, checked: DataSummary) -> "Inspection":
        """Returns a copy with what a check by the configuration found further."""
        further = {column.name: column.findings for column in checked.columns}
        features = {
            name: replace(choice, summary=choice.summary.with_findings(further.get(name, ())))
            for name, choice in self.features.items()
        }
        in_label = (*self.label_findings, *further.get(self.label.name, ()))
        findings = tuple(dict.fromkeys([*self.findings, *checked.findings]))
        return replace(self, features=features, label_findings=in_label, findings=findings)


def inspect_csv(data: Path, wishes: Wishes, folder: Path) -> Inspection:
    """Inspects CSV files to find the settings of a first configuration.

    Args:
        data: A CSV file, or a folder of them.
        wishes: What the user has decided.
        folder: The folder of the configuration to be.

    Raises:
        DataError: If the data cannot be read, lacks a column of the wishes, or has a label that
            cannot be learned.
        OSError: If a file cannot be read.
    """
    paths = list_csv_files(data)
    sniffed = sniff(Path(paths[0]), wishes.label)
    header = read_header(paths[0], sniffed.csv.dialect)
    check_width(paths[0], header)
    name_of = _Names(data, header, sniffed.titles)
    label_name = name_of(wishes.label, "--label")
    table = profile_table(paths, sniffed.csv, label_name)
    profiles = table.profiles
    if not profiles:
        raise DataError(f"{data}: has a header and no rows; expected a row per example: add some")
    label = by_class(profiles[label_name], table.settings.decimal)
    task = choose_task(data, label, wishes.task)
    ignored = [name_of(column, "--ignore") for column in wishes.ignored]
    if label.name in ignored:
        raise DataError(f"{data}: {label.name}: is the label; expected another column in --ignore")
    features = {
        name: leave_out(profile, "as --ignore asks")
        if name in ignored
        else choose(profile).told(*table.findings.get(name, ()))
        for name, profile in profiles.items()
        if name != label.name
    }
    if all(choice.reason for choice in features.values()):
        lines = [f"{data}: no column is left to learn from"]
        lines += [f"{data}: {n}: {c.found}: {c.reason}" for n, c in features.items()]
        raise DataError("\n".join(lines))
    return Inspection(
        name=_pipeline_name(data),
        data=os.path.relpath(data.resolve(), folder),
        csv=table.settings,
        quarantined=table.broken
        + sum(
            count
            for name, count in table.misfits.items()
            if name == label.name or not features[name].reason
        ),
        label=label,
        task=task,
        positive=guess_positive(label) if task == "binary" else None,
        features=features,
        findings=(*sniffed.findings, *table.row_findings),
        label_findings=table.findings.get(label.name, ()),
    )


class _Names:
    """Finds the name of a column by that name, or by its title in the file."""

    def __init__(self, data: Path, names: Sequence[str], titles: Sequence[str]) -> None:
        self._data = data
        self._names = names
        self._titles = titles

    def __call__(self, column: str, option: str) -> str:
        """Finds the name of a column that an option of the command names.

        Raises:
            DataError: If there is no such column.
        """
        if column in self._names:
            return column
        if column in self._titles:
            return self._names[self._titles.index(column)]
        fix = did_you_mean(column, [*self._names, *self._titles])
        headerless = "; its first line is not a header, so its columns are numbered"
        raise DataError(
            f"{self._data}: there is no column {quote(column)}; expected one of"
            f" {quote_names(self._names)}: correct {option}{fix}{headerless * (not self._titles)}"
        )


def _pipeline_name(data: Path) -> str:
    stem = data.resolve().name.lower().partition(".")[0]
    return re.sub(r"[^a-z0-9]+", "-", stem).strip("-")[:63].strip("-") or "pipeline"
