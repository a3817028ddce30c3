"""Collects the labels of the rows, and checks that they can be learned."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.data.findings import Finding
from pipeline.data.label_findings import BlankFinder
from pipeline.settings.config import Config
from tabular.csv.types import ColumnType

SplitsOf = Callable[..., npt.NDArray[np.int64]]
"""Gives the index of the split of each row, or of those that a mask selects: `RowSplits.of`."""


class Labels:
    """The labels of all rows by split.

    Attributes:
        column: The column of the label.
        counts: Split name to its number of rows, as far as splits were computed.
        blanks: The labels that have blanks around them.
        unlabeled: Number of rows that are left out since their label is missing.
    """

    def __init__(self, config: Config, paths: Sequence[str], *, count_splits: bool) -> None:
        """Starts without rows.

        Args:
            config: The configuration.
            paths: The files, which have the same columns.
            count_splits: Whether the split of every row is computed; else only of rows whose label
                is not yet known in every split.
        """
        self.column = config.data.label
        self.counts = dict.fromkeys(config.data.splits, 0)
        self.unlabeled = 0
        self._count_splits = count_splits
        self._config = config
        self._dialect = config.data.csv.dialect
        self._paths = paths
        self.blanks = BlankFinder()

    def add(self, labels: pa.Array, splits_of: SplitsOf) -> None:
        """Adds the labels of a batch of rows that can be used.

        Args:
            labels: Strings.
            splits_of: Gives the splits of the rows.

        Raises:
            DataError: If there are now too many different labels.
        """
        raise NotImplementedError

    def check(self) -> tuple[str, ...]:
        """Checks the labels once all are added.

        Returns:
            The classes by class id; empty in a regression.

        Raises:
            DataError: If they cannot be learned.
        """
        raise NotImplementedError

    @property
    def column_type(self) -> ColumnType:
        """The type of the column's values, decided by all labels."""
        raise NotImplementedError

    def findings(self) -> Iterator[Finding]:
        """Yields what a person should check in labels that can be learned."""
        yield from self.blanks.findings()

    def explain_no_label(self) -> str:
        """Explains that all rows are left out."""
        return (
            f"{self._place}: the label is missing in all {self.unlabeled:,} rows; expected labels:"
            " fill them in, or name another column in data.label"
        )

    @property
    def _no_row(self) -> str:
        """Says that a split has no row, and why it may be so."""
        left_out = f" ({self.unlabeled:,} rows are left out as they have none)"
        return f"no row with a label{left_out}" if self.unlabeled else "no row"

    @property
    def _place(self) -> str:
        return f"{self._paths[0]}: {self.column}"

    def _split_fault(self, split: str, found: str, expected: str) -> str:
        return (
            f"{self._place}: the {split} split ({self.counts[split]} of"
            f" {sum(self.counts.values())} rows) has {found}; expected {expected}: add rows, or"
            f" enlarge its share (data.split.{split}; data.files.{split} where files are given)"
        )
