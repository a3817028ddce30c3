"""Checks the labels of a regression."""

import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from pipeline.data.file_errors import data_error
from pipeline.data.labels import Labels, SplitsOf
from pipeline.errors import DataError
from pipeline.settings.config import Config
from tabular.csv.arrow_numpy import to_numpy
from tabular.csv.types import ColumnType, cast_numbers


class NumberLabels(Labels):
    """The labels of a regression."""

    def __init__(self, config: Config, paths: Sequence[str], *, count_splits: bool) -> None:
        """Starts without rows; the arguments are those of `Labels`."""
        super().__init__(config, paths, count_splits=count_splits)
        self._least = dict.fromkeys(self.counts, math.inf)
        self._greatest = dict.fromkeys(self.counts, -math.inf)

    def add(self, labels: pa.Array, splits_of: SplitsOf) -> None:
        """Adds numbers; those of a batch are not looked at if all is known."""
        if not self._count_splits and self._is_learnable():
            return
        splits = splits_of()
        cast = cast_numbers(labels, self._dialect.decimal, pa.float32())
        numbers = to_numpy(cast, null=math.nan)
        for index, split in enumerate(self.counts):
            of_split = numbers[np.equal(splits, index)]
            self.counts[split] += len(of_split)
            if len(of_split):
                self._least[split] = min(self._least[split], float(of_split.min()))
                self._greatest[split] = max(self._greatest[split], float(of_split.max()))

    def check(self) -> tuple[str, ...]:
        """Checks that every split has rows, and that numbers of the train split differ."""
        least = min(self._least.values())
        if least == max(self._greatest.values()):
            raise DataError(
                f"{self._place}: every row has the number {least:g}; expected numbers that differ:"
                " add rows with others, or name another column in data.label"
            )
        faults = [
            self._split_fault(split, self._no_row, "some rows")
            for split, count in self.counts.items()
            if not count
        ]
        if not faults and self._least["train"] == self._greatest["train"]:
            found = f"the number {self._least['train']:g} only"
            faults = [self._split_fault("train", found, "numbers that differ")]
        if faults:
            raise data_error(faults)
        return ()

    @property
    def column_type(self) -> ColumnType:
        """Numbers, whatever they look like."""
        return ColumnType.FLOAT

    def _is_learnable(self) -> bool:
        """Whether every split has rows, and the train split has two distinct numbers."""
        return all(self.counts.values()) and self._least["train"] < self._greatest["train"]
