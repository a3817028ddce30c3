"""What is in the files, found before examples are made: types, number of rows, rows put aside."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice

import numpy as np
from tfx.dsl.io import fileio

from tabular.csv.dialect import Dialect
from tabular.csv.quarantine import Budget
from tabular.csv.row_checks import Indices, explain_faults, read_usable
from tabular.csv.types import ColumnType, widen_types
from trainer.settings.train import TrainerSettings

_COLUMNS = ("file", "line", "column", "reason", "row")
_FAULTS_SHOWN = 5


@dataclass(frozen=True)
class Survey:
    """What is in the files.

    Attributes:
        types: Column to the type of its examples.
        rows: Number of all rows.
        quarantined: Number of those that cannot be used.
        faults: Path to what is wrong there.
    """

    types: Mapping[str, ColumnType]
    rows: int
    quarantined: int
    faults: Mapping[str, Indices]


def survey_files(
    paths: Sequence[str], settings: TrainerSettings, dialect: Dialect, budget: Budget
) -> Survey:
    """Reads the files whole.

    Raises:
        ValueError: If more rows cannot be used than the budget allows.
    """
    fixed = _fixed_types(settings)
    types: dict[str, ColumnType] = {}
    rows = quarantined = 0
    faults = {}
    for path in paths:
        of_path = []
        for block in read_usable(path, settings, dialect):
            types |= widen_types(types, block.batch, dialect.decimal, without=fixed)
            rows += len(block.batch) + block.quarantined
            quarantined += block.quarantined
            of_path.append(block.faults)
        faults[path] = np.concatenate(of_path)
    if not budget.allows(quarantined, rows):
        first = next(path for path in paths if len(faults[path]))
        shown = islice(explain_faults(first, settings, dialect, faults[first]), _FAULTS_SHOWN)
        raise ValueError(
            f"{quarantined} of {rows} rows cannot be used, more than data.quarantine allows, as"
            f" {'; '.join(f'{first}:{fault}' for fault in shown)}"
        )
    return Survey(_example_types(types, settings.label) | fixed, rows, quarantined, faults)


def _fixed_types(settings: TrainerSettings) -> dict[str, ColumnType]:
    """Gives the columns whose type does not depend on what stands in them."""
    types = {
        name: ColumnType.FLOAT if raw_type == "float" else ColumnType.BYTES
        for name, raw_type in settings.raw_types.items()
    }
    numbers = [settings.weight, settings.label if settings.task == "regression" else None]
    return types | {name: ColumnType.FLOAT for name in numbers if name is not None}


def _example_types(types: Mapping[str, ColumnType], label: str) -> dict[str, ColumnType]:
    """Takes numbers that are whole for what they are in a label, and for numbers elsewhere."""
    whole = {True: ColumnType.INT, False: ColumnType.FLOAT}
    return {
        name: whole[name == label] if kind == ColumnType.WHOLE else kind
        for name, kind in types.items()
    }


def write_quarantine(
    path: str, survey: Survey, settings: TrainerSettings, dialect: Dialect
) -> None:
    """Writes the rows that cannot be used, a line each.

    Args:
        path: The file, UTF-8 CSV of `file`, `line`, `column` and `reason`, of several wrong cells
            all, and `row`, the row as it stands; a byte that is not of the encoding is escaped.
        survey: What is in the files.
        settings: With which it was found.
        dialect: How the files are written.
    """
    with fileio.open(path, "w") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_COLUMNS)
        for source, table in survey.faults.items():
            found = explain_faults(source, settings, dialect, table)
            for _, group in groupby(found, key=lambda fault: fault.row):
                faults = list(group)
                columns = ", ".join(fault.column for fault in faults)
                reasons = "; ".join(fault.reason for fault in faults)
                row = faults[0].text.encode("utf-8", "backslashreplace").decode()
                writer.writerow([source, faults[0].line, columns, reasons, row])
