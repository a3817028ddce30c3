"""How many rows may be put aside, and where they go; no TensorFlow."""

from dataclasses import dataclass

QUARANTINE_FILE = "quarantine.csv"
"""In the folder of the examples, beside those of the splits."""


@dataclass(frozen=True)
class Budget:
    """The greater of a number of rows and a share of all."""

    max_rows: int = 0
    max_share: float = 0

    def allows(self, quarantined: int, rows: int) -> bool:
        """Whether so many out of all rows may be put aside."""
        return quarantined <= max(self.max_rows, int(self.max_share * rows))
