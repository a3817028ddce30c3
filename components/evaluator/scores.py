"""What the metrics of a classification follow from: confusions, losses, and how probabilities rank.

TFMA's own plots hold a thousand confusion matrices for each class of each slice, and tell apart no
probabilities below 1/10000. Here the probabilities of all classes are counted in buckets of equal
log-odds.
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
"""The loss of an example is that of this probability at most, as Keras has it."""

_N_BUCKETS = int(2 * _MAX_LOGIT * _BUCKETS_PER_LOGIT) + 1

Cells = tuple[NDArray[np.int64], Array]
"""Places, rising, `[n_places]`, and what is summed up at each, `[n_places, k]`."""


@dataclass(frozen=True)
class Totals:
    """What is counted of examples; `w` is an example's weight.

    Attributes:
        n_classes: Number of classes.
        examples: Number of examples.
        weight: Sum of w.
        loss: Sum of w times the loss, -log of the true class's probability.
        confusions: By class id times `n_classes` plus id of the predicted class, the sum of w.
            Examples whose label is none of the classes are left out.
        scores: By class id times `_N_BUCKETS` plus bucket, the weight of the examples not of the
            class, that of those of it, and the weighted sum of their probabilities.
    """

    n_classes: int
    examples: int
    weight: float
    loss: float
    confusions: Cells
    scores: Cells

    @cached_property
    def scores_by_class(self) -> list[Array]:
        """Gives the scores of each class, as `components.evaluator.curves` takes them."""
        places, cells = self.scores
        return np.split(cells, (places // _N_BUCKETS).searchsorted(np.arange(1, self.n_classes)))

    @cached_property
    def confusion_matrix(self) -> Array:
        """Gives the weight of examples by true (row) and predicted class."""
        matrix = np.zeros((self.n_classes, self.n_classes))
        places, weights = self.confusions
        matrix.flat[places] = weights[:, 0]
        return matrix


def count(labels: NDArray[np.int64], probabilities: Array, weights: Array) -> Totals:
    """Counts examples.

    Args:
        labels: Class ids, `[n]`, negative where a label is none of the classes.
        probabilities: Of each class, `[n, n_classes]`.
        weights: Of each example, `[n]`.

    Returns:
        What is counted.
    """
    n_classes = probabilities.shape[1]
    # Rounding gives a little more than 1; NaN ranks last, and fails no evaluation.
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
    """Adds parts, of which there is one at least."""
    return Totals(
        n_classes=parts[0].n_classes,
        examples=sum(part.examples for part in parts),
        weight=sum(part.weight for part in parts),
        loss=sum(part.loss for part in parts),
        confusions=_merged([part.confusions for part in parts]),
        scores=_merged([part.scores for part in parts]),
    )


def _scores(values: Array, is_of: NDArray[np.bool_], weights: Array) -> Cells:
    """Gives place and cell of each example and class."""
    with np.errstate(divide="ignore"):
        logits = np.log(values) - np.log1p(-values)
    buckets = np.rint((logits.clip(-_MAX_LOGIT, _MAX_LOGIT) + _MAX_LOGIT) * _BUCKETS_PER_LOGIT)
    places = np.arange(values.shape[1]) * _N_BUCKETS + buckets.astype(np.int64)
    cells = np.stack([~is_of, is_of, values], axis=-1) * weights[:, np.newaxis, np.newaxis]
    return places.ravel(), cells.reshape(-1, 3)


def _merged(parts: Sequence[Cells]) -> Cells:
    """Sums the cells of each place."""
    places, where = np.unique(np.concatenate([part[0] for part in parts]), return_inverse=True)
    columns = np.concatenate([part[1] for part in parts]).T
    return places, np.column_stack([np.bincount(where, column) for column in columns])
