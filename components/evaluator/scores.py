"""Totals from which the metrics of a classification are computed.

TFMA's plots hold a thousand confusion matrices for each class of each slice, and do not separate
probabilities below 1/10000. Here, the probabilities of all classes are counted in buckets that are
equally wide in log-odds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from components.evaluator.curves import Array

_BUCKETS_PER_LOGIT = 256
"""At a probability of one half, a bucket is a thousandth wide."""
_MAX_LOGIT = 20.0
_LEAST_PROBABILITY = 1e-7
"""Lower probabilities are raised to this one before the loss is computed, as in Keras."""

_N_BUCKETS = int(2 * _MAX_LOGIT * _BUCKETS_PER_LOGIT) + 1

Cells = tuple[NDArray[np.int64], Array]
"""Sparse sums: places `[n_places]` in rising order, and the sums at each, `[n_places, k]`."""


@dataclass(frozen=True)
class Totals:
    """Totals of examples; `w` is the weight of an example.

    Attributes:
        n_classes: Number of classes.
        examples: Number of examples.
        weight: Sum of w.
        loss: Sum of w times the loss, which is -log of the probability of the true class.
        confusions: Sum of w at the place class id times `n_classes` plus id of the predicted class.
            Examples whose label is not one of the classes are left out.
        scores: At the place class id times `_N_BUCKETS` plus bucket, the weight of the examples
            that are not of the class, the weight of those that are, and the weighted sum of the
            probabilities of both.
    """

    n_classes: int
    examples: int
    weight: float
    loss: float
    confusions: Cells
    scores: Cells

    @cached_property
    def scores_by_class(self) -> list[Array]:
        """Scores by class id, as described in `components.evaluator.curves`."""
        places, cells = self.scores
        return np.split(cells, (places // _N_BUCKETS).searchsorted(np.arange(1, self.n_classes)))

    @cached_property
    def confusion_matrix(self) -> Array:
        """Weight of examples by true class (row) and predicted class (column)."""
        matrix = np.zeros((self.n_classes, self.n_classes))
        places, weights = self.confusions
        matrix.flat[places] = weights[:, 0]
        return matrix


def count(labels: NDArray[np.int64], probabilities: Array, weights: Array) -> Totals:
    """Counts examples.

    Args:
        labels: Class ids `[n]`, negative if the label is not one of the classes.
        probabilities: Probability of each class, `[n, n_classes]`.
        weights: Weight of each example, `[n]`.

    Returns:
        The totals.
    """
    n_classes = probabilities.shape[1]
    # Rounding can give a little more than 1. NaN counts as 0, so that it ranks last.
    values = np.nan_to_num(probabilities).clip(0, 1)
    is_of = labels[:, np.newaxis] == np.arange(n_classes)
    true = np.where(is_of, values, 0).sum(axis=1).clip(min=_LEAST_PROBABILITY)
    known = labels >= 0
    places = labels[known] * n_classes + values[known].argmax(axis=1)
    return Totals(
        n_classes=n_classes,
        examples=len(labels),
        weight=float(weights.sum()),
        loss=float(-np.log(true) @ weights),
        confusions=_merged([(places, weights[known, np.newaxis])]),
        scores=_merged([_scores(values, is_of, weights)]),
    )


def merge(parts: Sequence[Totals]) -> Totals:
    """Adds up the totals of at least one part."""
    return Totals(
        n_classes=parts[0].n_classes,
        examples=sum(part.examples for part in parts),
        weight=sum(part.weight for part in parts),
        loss=sum(part.loss for part in parts),
        confusions=_merged([part.confusions for part in parts]),
        scores=_merged([part.scores for part in parts]),
    )


def _scores(values: Array, is_of: NDArray[np.bool_], weights: Array) -> Cells:
    """Computes place and cell of each example and class."""
    with np.errstate(divide="ignore"):
        logits = np.log(values) - np.log1p(-values)
    buckets = np.rint((logits.clip(-_MAX_LOGIT, _MAX_LOGIT) + _MAX_LOGIT) * _BUCKETS_PER_LOGIT)
    places = np.arange(values.shape[1]) * _N_BUCKETS + buckets.astype(np.int64)
    cells = np.stack([~is_of, is_of, values], axis=-1) * weights[:, np.newaxis, np.newaxis]
    return places.ravel(), cells.reshape(-1, 3)


def _merged(parts: Sequence[Cells]) -> Cells:
    """Adds up the cells of each place."""
    places, where = np.unique(np.concatenate([part[0] for part in parts]), return_inverse=True)
    columns = np.concatenate([part[1] for part in parts]).T
    return places, np.column_stack([np.bincount(where, column) for column in columns])
