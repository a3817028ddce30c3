"""Reads the rows of CSV files of which all cells can be read, and names the other rows."""

from collections.abc import Iterator
from itertools import islice

import numpy as np
import pyarrow as pa

from pipeline.data.file_errors import FAULTS_SHOWN, data_error, explain_read_errors
from pipeline.data.findings import Finding
from tabular.csv.column_rules import ColumnRules
from tabular.csv.decoding import Utf8Stream
from tabular.csv.dialect import Dialect
from tabular.csv.row_checks import Indices, explain_faults, read_usable

MAX_BROKEN_SHARE = 0.05
"""Share of the rows that may have too many or few cells, or bytes that cannot be read."""
_NO_RULES = ColumnRules({}, {})


class WholeRows:
    """Reads files, and notes the rows that are left out.

    Attributes:
        count: Number of the rows read so far.
        broken: Number of those that are left out.
    """

    def __init__(self, dialect: Dialect) -> None:
        """Reads nothing yet.

        Args:
            dialect: How the files are written.
        """
        self.count = self.broken = 0
        self._dialect = dialect
        self._first: dict[str, Indices] = {}

    def read(self, path: str) -> Iterator[tuple[Indices, pa.RecordBatch]]:
        """Reads a file.

        Args:
            path: The file.

        Yields:
            The indices of rows in the file, int64 `[n]`, and the rows as they are written: string
            columns, null where a value is missing.

        Raises:
            DataError: If the file is not a table.
        """
        begin = 0
        first: Indices = np.empty((0, 2), np.int64)
        with explain_read_errors(path, self._dialect):
            for block in read_usable(Utf8Stream(path, self._dialect), _NO_RULES):
                rows = np.arange(begin, begin + block.read)
                begin += block.read
                self.count += block.read
                self.broken += block.quarantined
                first = np.concatenate([first, block.faults])[:FAULTS_SHOWN]
                yield np.setdiff1d(rows, block.faults[:, 0]), block.written
        self._first[path] = first

    def check(self) -> None:
        """Checks that few rows are left out.

        Raises:
            DataError: If they are more than `MAX_BROKEN_SHARE`; the message has the first ones.
        """
        if self.broken > MAX_BROKEN_SHARE * self.count:
            raise data_error(self._explain(), self.broken)

    def findings(self) -> Iterator[Finding]:
        """Yields a finding for each of the first rows that are left out."""
        for fault in islice(self._explain(), FAULTS_SHOWN):
            yield Finding(f"{fault}; its row goes to quarantine, see data.quarantine", look=True)

    def _explain(self) -> Iterator[str]:
        for path, faults in self._first.items():
            if len(faults):
                for fault in explain_faults(path, _NO_RULES, self._dialect, faults):
                    yield f"{path}:{fault}"
