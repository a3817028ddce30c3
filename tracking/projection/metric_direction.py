"""Whether a small or a great value of a metric is good, by what the metric is called."""

import re
from typing import Literal

Direction = Literal[-1, 0, 1]
_LESS = frozenset(
    {"loss", "error", "entropy", "perplexity", "rmse", "mse", "mae", "mape", "msle", "logloss"}
)
_MORE = frozenset({"accuracy", "auc", "precision", "recall", "r2", "f1", "iou", "ndcg"})
_NEITHER = frozenset({"baseline"})
"""Estimator's `accuracy_baseline` is a property of the data."""


def direction_of(metric: str) -> Direction:
    """Tells in which direction a metric is better.

    Args:
        metric: Its name, be it one of a `model_fn`'s own: words apart from each other.

    Returns:
        -1 if less is better, as of `average_loss` or `mean_squared_error`, 1 if more is, and 0 if
        there is no better and worse, or the name does not say.
    """
    words = set(re.split(r"[^a-z0-9]+", metric.lower()))
    if words & _NEITHER:
        return 0
    if words & _LESS:
        return -1
    return 1 if words & _MORE else 0
