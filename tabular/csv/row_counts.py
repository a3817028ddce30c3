"""Counts what becomes of the rows of CSV files, so that none is lost unseen; no TensorFlow."""

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Any


class LostRowsError(Exception):
    """Raised if the numbers of rows do not add up."""

    def __init__(self, found: str) -> None:
        """Makes the message.

        Args:
            found: The numbers, and where they are from.
        """
        super().__init__(
            f"{found}: the numbers of rows do not add up; expected all that were read to be"
            " examples, quarantined or unlabeled: run again with --set cache=false, and report it"
            " if it happens again"
        )


@dataclass(frozen=True)
class RowCounts:
    """What became of the rows that were read: each is in one of the other numbers.

    Attributes:
        read: Number of all rows.
        examples: Number of rows that the pipeline learns from or judges by.
        quarantined: Number of rows that cannot be used.
        unlabeled: Number of rows that are left out since their label is missing.
    """

    read: int = 0
    examples: int = 0
    quarantined: int = 0
    unlabeled: int = 0

    def __add__(self, other: "RowCounts") -> "RowCounts":
        """Counts further rows too."""
        return RowCounts(*map(sum, zip(astuple(self), astuple(other), strict=True)))

    def __str__(self) -> str:
        """The sum, for people."""
        return (
            f"{self.read:,} read = {self.examples:,} examples + {self.quarantined:,} quarantined +"
            f" {self.unlabeled:,} unlabeled"
        )

    def check(self) -> None:
        """Checks that every row is counted once.

        Raises:
            LostRowsError: If the numbers do not add up.
        """
        if self.read != self.examples + self.quarantined + self.unlabeled:
            raise LostRowsError(str(self))

    @classmethod
    def from_properties(cls, properties: Mapping[str, Any]) -> "RowCounts":
        """Reads the numbers from the properties that CsvExampleGen sets on its examples."""
        examples = (n for name, n in properties.items() if name.startswith("examples_"))
        return cls(
            int(properties["rows"]),
            sum(map(int, examples)),
            int(properties["quarantined"]),
            int(properties.get("unlabeled", 0)),  # missing in artifacts of version 0.2
        )
