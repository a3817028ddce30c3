"""ROC and calibration of a class, from its scores.

The scores of a class are an array `[n_buckets, 3]` of float64: of each bucket of alike
probabilities, lowest first, the weight of the examples not of the class, that of those of it, and
the weighted sum of their probabilities. Examples weigh 1 where they have no weights.
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
    """Gives what the summary holds of a class.

    Args:
        scores: Scores of the class, of one example at least.

    Returns:
        `roc`, of at most `MAX_ROC_POINTS`, `auc` and `calibration`, points to six decimals; the
        first two only where there are examples of the class and others.
    """
    curves: dict[str, Any] = {"calibration": calibration(scores).round(_DECIMALS).tolist()}
    points = roc(scores)
    if points is not None:
        curves |= {"roc": _thinned(points).round(_DECIMALS).tolist(), "auc": auc(points)}
    return curves


def roc(scores: Array) -> Array | None:
    """Gives the ROC curve.

    Args:
        scores: Scores of the class.

    Returns:
        False and true positive rate `[n_points, 2]` by falling threshold, from (0, 0) to (1, 1),
        without the points inside level and upright stretches; None if there are no examples of the
        class, or no others.
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
    """Gives the area under a ROC curve, by trapezoids; NaN if there is none."""
    if points is None:
        return math.nan
    widths, heights = np.diff(points[:, 0]), points[1:, 1] + points[:-1, 1]
    return float(widths @ heights / 2)


def _thinned(points: Array) -> Array:
    """Leaves out points, evenly along the curve, where there are too many to draw."""
    if len(points) <= MAX_ROC_POINTS:
        return points
    way = points.sum(axis=1) / 2
    kept = np.unique(way.searchsorted(np.linspace(0, way[-1], MAX_ROC_POINTS)))
    return np.asarray(points[kept], np.float64)


def calibration(scores: Array) -> Array:
    """Compares probabilities with what came true, in bins of equal width.

    Args:
        scores: Scores of the class.

    Returns:
        Mean probability, share of the examples that are of the class, and weight of the examples,
        of each bin that has any: `[n_bins, 3]`. A bucket is in the bin of its mean probability.
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
