"""Tells whether low or high values of a metric are better."""

import re
from typing import Literal

from trainer.settings.train import Best

Direction = Literal[-1, 0, 1]
_LESS = frozenset(
    {"loss", "error", "entropy", "perplexity", "rmse", "mse", "mae", "mape", "msle", "logloss"}
)
_MORE = frozenset({"accuracy", "auc", "precision", "recall", "r2", "f1", "iou", "ndcg"})
_NEITHER = frozenset({"baseline"})
"""Estimator's `accuracy_baseline` describes the data, not the model."""


def direction_of(metric: str) -> Direction:
    """Tells from its name in which direction a metric is better.

    Args:
        metric: Name of the metric, possibly from the user's model_fn; its words are separated by
            characters other than letters and digits.

    Returns:
        -1 if lower is better, as for `average_loss` and `mean_squared_error`; 1 if higher is
        better; 0 if neither is, or if the name does not tell.
    """
    words = set(re.split(r"[^a-z0-9]+", metric.lower()))
    if words & _NEITHER:
        return 0
    if words & _LESS:
        return -1
    return 1 if words & _MORE else 0


def to_best(text: str) -> Best:
    """Reads which values of a metric are best; version 0.1 wrote `least` and `greatest`."""
    return "min" if text in ("min", "least") else "max"
