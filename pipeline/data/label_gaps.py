"""Finds the columns that have a value exactly where the label has one."""

from collections import Counter

import pyarrow as pa

_MIN_UNLABELED = 5
"""Rows without a label that it takes to tell."""


class LabelGaps:
    """Counts the missing values of each column in rows with a label, and in rows without."""

    def __init__(self) -> None:
        """Starts without rows."""
        self._missing: Counter[str] = Counter()
        self._filled: Counter[str] = Counter()
        self._labeled = self._unlabeled = 0

    def add(self, labeled: pa.RecordBatch, unlabeled: pa.RecordBatch) -> None:
        """Adds rows with a label, and rows without; their columns may be in another order."""
        self._labeled += len(labeled)
        self._unlabeled += len(unlabeled)
        for name, column in zip(labeled.schema.names, labeled.columns, strict=True):
            self._missing[name] += column.null_count
        for name, column in zip(unlabeled.schema.names, unlabeled.columns, strict=True):
            self._filled[name] += len(column) - column.null_count

    def find(self) -> frozenset[str]:
        """Finds the columns that have a value exactly where the label has one.

        Returns:
            The columns, with that of the label; none if too few rows lack a label.
        """
        if self._unlabeled < _MIN_UNLABELED or not self._labeled:
            return frozenset()
        return frozenset(
            name
            for name, missing in self._missing.items()
            if missing == 0 and self._filled[name] == 0
        )
