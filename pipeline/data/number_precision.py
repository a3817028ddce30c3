"""Tells of numbers that float32, in which models compute, cannot tell apart."""

import numpy as np

from pipeline.data.findings import Finding
from pipeline.data.label_leaks import Floats

EXACT_TO = 2**24
"""float32 holds every whole number up to this one."""
_MAX_MERGED = 0.01
"""Share of the distinct numbers that may become equal to others without a word."""


def tell_merged(numbers: Floats) -> Finding | None:
    """Tells how many of the distinct numbers of a column are left in float32.

    Args:
        numbers: The numbers, NaN where one is missing, float64 `[n]`.

    Returns:
        The finding; None if nearly all stay different, or if none is beyond `EXACT_TO`, where
        numbers so close together are not whole.
    """
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers) or np.abs(numbers).max() <= EXACT_TO:
        return None
    distinct = np.unique(numbers)
    with np.errstate(over="ignore"):
        left = len(np.unique(distinct.astype(np.float32)))
    if left >= (1 - _MAX_MERGED) * len(distinct):
        return None
    return Finding(
        f"{len(distinct):,} different numbers are {left:,} in float32, which holds whole numbers"
        f" up to {EXACT_TO:,} only: make it categorical if they are codes, else subtract a constant"
        " from all",
        look=True,
    )
