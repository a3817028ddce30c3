"""ROC curve and calibration of a class, from its scores.

The scores of a class are a float64 array `[n_buckets, 3]`, with a row for each bucket of similar
probabilities, lowest first. Its columns are the weight of the examples that are not of the class,
the weight of those that are, and the weighted sum of the probabilities of both. Without weights,
every example weighs 1.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_ROC_POINTS = 200
CALIBRATION_BINS = 10
_DECIMALS = 6

Array = NDArray[np.float64]


def curves_of(scores: Array) -> dict[str, Any]:
    """Makes the curves of a class for the summary.

    Args:
        scores: Scores of the class, from at least one example.

    Returns:
        `roc` with at most `MAX_ROC_POINTS` points, `auc` and `calibration`; points are rounded to
        six decimals. `roc` and `auc` are absent unless there are examples both of the class and of
        other classes.
    """
    curves: dict[str, Any] = {"calibration": calibration(scores).round(_DECIMALS).tolist()}
    points = roc(scores)
    if points is not None:
        curves |= {"roc": _thinned(points).round(_DECIMALS).tolist(), "auc": auc(points)}
    return curves


def roc(scores: Array) -> Array | None:
    """Computes the ROC curve.

    Args:
        scores: Scores of the class.

    Returns:
        False and true positive rate `[n_points, 2]` by falling threshold, from (0, 0) to (1, 1),
        without points inside horizontal and vertical segments; None unless there are examples both
        of the class and of other classes.
    """
    counts = scores[::-1, :2]
    totals = counts.sum(axis=0)
    if not totals.all():
        return None
    points = np.vstack([np.zeros(2), counts.cumsum(axis=0) / totals])
    is_still = np.diff(points, axis=0) == 0
    is_inside = (is_still[:-1] & is_still[1:]).any(axis=1)
    return np.vstack([points[0], points[1:-1][~is_inside], points[-1]])


def auc(points: Array | None) -> float:
    """Computes the area under a ROC curve by the trapezoidal rule; NaN without a curve."""
    if points is None:
        return math.nan
    widths, heights = np.diff(points[:, 0]), points[1:, 1] + points[:-1, 1]
    return float(widths @ heights / 2)


def _thinned(points: Array) -> Array:
    """Keeps at most `MAX_ROC_POINTS` points, spread evenly along the curve."""
    if len(points) <= MAX_ROC_POINTS:
        return points
    way = points.sum(axis=1) / 2
    kept = np.unique(way.searchsorted(np.linspace(0, way[-1], MAX_ROC_POINTS)))
    return np.asarray(points[kept], np.float64)


def calibration(scores: Array) -> Array:
    """Compares predicted probabilities with observed shares, in ten bins of equal width.

    Args:
        scores: Scores of the class.

    Returns:
        Mean probability, share of the examples that are of the class, and weight of the examples
        for each bin that is not empty, `[n_bins, 3]`. A bucket belongs to the bin of its mean
        probability.
    """
    scores = scores[scores[:, :2].any(axis=1)]
    counts, sums = scores[:, :2].sum(axis=1), scores[:, 2]
    bins = np.minimum((sums / counts * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    examples, positives, probabilities = (
        np.bincount(bins, weights, CALIBRATION_BINS) for weights in (counts, scores[:, 1], sums)
    )
    some = examples > 0
    return np.column_stack(
        [
            probabilities[some] / examples[some],
            positives[some] / examples[some],
            examples[some],
        ]
    )
