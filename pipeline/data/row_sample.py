"""Keeps a sample of the rows while a table is read, spread evenly over all of it."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tabular.csv.arrow_numpy import filter_rows

MAX_ROWS = 15_000
"""A larger sample is halved."""
_MAX_CELLS = 2_000_000
_MIN_ROWS = 500
_KEYS = 2**32
_GOLDEN = 2_654_435_761
"""2**32 by the golden ratio. Source: multiplicative hashing, D. Knuth, TAOCP 3, 6.4."""

_Piece = tuple[str, npt.NDArray[np.uint32], pa.RecordBatch]


class RowSample:
    """A sample of rows, chosen by a hash of their numbers; half as dense whenever it is too large.

    A hash, since rows may alternate in any period, and since files may be in any order.
    """

    def __init__(self) -> None:
        """Starts without rows."""
        self._below = _KEYS
        self._seen = 0
        self._pieces: list[_Piece] = []

    def add(self, batch: pa.RecordBatch, split: str) -> None:
        """Draws from further rows.

        Args:
            batch: The rows. The more columns they have, the fewer rows are kept.
            split: The split of their file, or `all`.
        """
        numbers = np.arange(self._seen, self._seen + len(batch), dtype=np.uint64)
        self._seen += len(batch)
        keys = (numbers * _GOLDEN).astype(np.uint32)
        max_rows = max(min(MAX_ROWS, _MAX_CELLS // max(batch.num_columns, 1)), _MIN_ROWS)
        kept = np.concatenate([*(keys for _, keys, _ in self._pieces), keys])
        below = self._below
        while np.count_nonzero(kept < below) > max_rows:
            below //= 2
        if below < self._below:
            self._below = below
            self._pieces = [_thin(piece, below) for piece in self._pieces]
        self._pieces.append(_thin((split, keys, batch), below))

    @property
    def batches(self) -> Sequence[tuple[str, pa.RecordBatch]]:
        """The sample in the order of the rows, each batch with its split."""
        return [(split, batch) for split, _, batch in self._pieces if len(batch)]

    @property
    def one_in(self) -> int:
        """How many rows there are for each of the sample."""
        return _KEYS // self._below


def _thin(piece: _Piece, below: int) -> _Piece:
    split, keys, batch = piece
    mask = keys < below
    return piece if mask.all() else (split, keys[mask], filter_rows(batch, mask))
