"""Collects what became of the rows of each file, over a folder that all workers share."""

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from tfx import types
from tfx.dsl.io import fileio

from tabular.csv.row_checks import Indices
from tabular.csv.row_counts import LostRowsError, RowCounts


@dataclass(frozen=True)
class Outcome:
    """What became of the rows of some files.

    Attributes:
        read: Number of all rows.
        unlabeled: Number of rows that were left out since their label is missing.
        examples: Folder of a split to its number of examples.
        faults: Path of each CSV file to its faults, as in `Block.faults`.
    """

    read: int
    unlabeled: int
    examples: Mapping[str, int]
    faults: Mapping[str, Indices]

    @property
    def quarantined(self) -> int:
        """Number of rows that cannot be used."""
        return sum(len(np.unique(table[:, 0])) for table in self.faults.values())

    @property
    def counts(self) -> RowCounts:
        """The numbers of rows of all files and splits."""
        examples = sum(self.examples.values())
        return RowCounts(self.read, examples, self.quarantined, self.unlabeled)


def write_outcome(folder: str, index: int, outcome: Outcome) -> None:
    """Writes the outcome of one file, of a given number."""
    numbers = {
        "read": outcome.read,
        "unlabeled": outcome.unlabeled,
        "examples": outcome.examples,
    }
    with fileio.open(os.path.join(folder, f"{index}.json"), "w") as file:
        json.dump(numbers, file)
    (faults,) = outcome.faults.values()
    with fileio.open(os.path.join(folder, f"{index}.npy"), "wb") as file:
        np.save(file, faults)


def read_outcomes(folder: str, paths: Sequence[str]) -> Outcome:
    """Reads the outcomes of all files, whose numbers are their indices, as one."""
    read = unlabeled = 0
    examples: Counter[str] = Counter()
    faults = {}
    for index, path in enumerate(paths):
        with fileio.open(os.path.join(folder, f"{index}.json")) as file:
            numbers = json.load(file)
        read += numbers["read"]
        unlabeled += numbers["unlabeled"]
        examples.update(numbers["examples"])
        with fileio.open(os.path.join(folder, f"{index}.npy"), "rb") as file:
            faults[path] = np.load(file)
    return Outcome(read, unlabeled, examples, faults)


def set_row_counts(
    examples: types.Artifact,
    outcome: Outcome,
    rows: int,
    folders: Mapping[str, str],
) -> None:
    """Sets the numbers of rows as properties of the artifact, if they add up.

    Args:
        examples: The artifact.
        outcome: What became of the rows of all files.
        rows: Number of rows that the check before the run has read.
        folders: Split name to the folder of its examples.

    Raises:
        LostRowsError: If the numbers do not add up.
    """
    counts = outcome.counts
    counts.check()
    if counts.read != rows:
        raise LostRowsError(f"{counts}, where the check before the run has read {rows:,}")
    examples.set_int_custom_property("rows", counts.read)
    examples.set_int_custom_property("quarantined", counts.quarantined)
    examples.set_int_custom_property("unlabeled", counts.unlabeled)
    for name, folder in folders.items():
        examples.set_int_custom_property(f"examples_{name}", outcome.examples.get(folder, 0))
