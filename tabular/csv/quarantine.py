"""Rows that cannot be used: how many may be put aside, and the file they go to; no TensorFlow."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import TextIO

from tabular.csv.column_rules import ColumnRules
from tabular.csv.dialect import Dialect
from tabular.csv.row_checks import Indices, explain_faults

QUARANTINE_FILE = "quarantine.csv"
"""In the folder of the examples, beside those of the splits."""
_COLUMNS = ("file", "line", "column", "reason", "row")


@dataclass(frozen=True)
class Budget:
    """The greater of a number of rows and a share of all."""

    max_rows: int = 0
    max_share: float = 0

    def allows(self, quarantined: int, rows: int) -> bool:
        """Whether so many out of all rows may be put aside."""
        return quarantined <= max(self.max_rows, int(self.max_share * rows))


def write_quarantine(
    file: TextIO, faults: Mapping[str, Indices], rules: ColumnRules, dialect: Dialect
) -> None:
    """Writes the rows that cannot be used, a line each.

    Args:
        file: Where to write CSV of `file`, `line`, `column` and `reason` (of several wrong cells
            all), and `row`, the row as it stands; a byte that is not of the encoding is escaped.
        faults: Path of each CSV file to what is wrong there.
        rules: Those by which the faults were found.
        dialect: How the CSV files are written.
    """
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for path, table in faults.items():
        found = explain_faults(path, rules, dialect, table)
        for _, group in groupby(found, key=lambda fault: fault.row):
            of_row = list(group)
            columns = ", ".join(fault.column for fault in of_row)
            reasons = "; ".join(fault.reason for fault in of_row)
            row = of_row[0].text.encode("utf-8", "backslashreplace").decode()
            writer.writerow([path, of_row[0].line, columns, reasons, row])
