"""Writes the rows that cannot be used to a file, and limits their number; no TensorFlow."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import TextIO

from tabular.csv.column_rules import ColumnRules
from tabular.csv.dialect import Dialect
from tabular.csv.row_checks import Indices, explain_faults

QUARANTINE_FILE = "quarantine.csv"
"""Name of the file in the folder of the examples."""
_COLUMNS = ("file", "line", "column", "reason", "row")


@dataclass(frozen=True)
class Budget:
    """Limits the quarantined rows to the greater of a number and a share of all rows."""

    max_rows: int = 0
    max_share: float = 0

    def allows(self, quarantined: int, rows: int) -> bool:
        """Whether so many rows may be quarantined.

        Args:
            quarantined: Number of rows that cannot be used.
            rows: Number of all rows.
        """
        return quarantined <= max(self.max_rows, int(self.max_share * rows))


def write_quarantine(
    file: TextIO, faults: Mapping[str, Indices], rules: ColumnRules, dialect: Dialect
) -> None:
    """Writes the rows that cannot be used as CSV, a record each.

    The columns are `file`, `line`, `column` and `reason` (of all wrong cells), and `row`, the text
    of the row, in which a byte that is not valid in the encoding is escaped.

    Args:
        file: Where to write.
        faults: Path of each CSV file to its faults, as in `Block.faults`.
        rules: The rules that found the faults.
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
