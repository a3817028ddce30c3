"""Totals from which the metrics of a regression are computed."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluator import histograms
from components.evaluator.histograms import Array, Histogram

ACTUAL_PREDICTED, PREDICTED_RESIDUAL = "actual_predicted", "predicted_residual"


@dataclass(frozen=True)
class Totals:
    """Totals of examples; `w` is the weight of an example, its residual is label - prediction.

    Attributes:
        examples: Number of examples.
        weight: Sum of w.
        label: Mean label, sum(w label) / sum(w).
        prediction: Mean prediction.
        label_squares: Sum of w (label - mean label)².
        squares: Sum of w residual².
        absolutes: Sum of w |residual|.
        least: Lowest label.
        greatest: Highest label.
        histograms: Histogram of label and prediction, and of prediction and residual, over the
            examples whose residual is finite; empty if there are none.
    """

    examples: int
    weight: float
    label: float
    prediction: float
    label_squares: float
    squares: float
    absolutes: float
    least: float
    greatest: float
    histograms: tuple[Histogram, ...]


def count(labels: NDArray[Any], predictions: Array, weights: Array) -> Totals:
    """Counts examples.

    Args:
        labels: Numbers `[n]`, at least one.
        predictions: Numbers `[n, 1]`.
        weights: Weight of each example, `[n]`.

    Returns:
        The totals.
    """
    labels, predictions = labels.astype(np.float64), predictions[:, 0]
    residuals = labels - predictions
    weight = float(weights.sum())
    label = _mean(labels, weights)
    finite = np.isfinite(residuals) & (weights > 0)
    pairs = np.stack([[labels, predictions], [predictions, residuals]])[:, :, finite]
    return Totals(
        examples=len(labels),
        weight=weight,
        label=label,
        prediction=_mean(predictions, weights),
        label_squares=float(np.where(weights > 0, weights * (labels - label) ** 2, 0).sum()),
        squares=float(weights @ residuals**2),
        absolutes=float(weights @ np.abs(residuals)),
        least=float(labels.min()),
        greatest=float(labels.max()),
        histograms=tuple(
            histograms.count(pair.T, weights[finite]) for pair in pairs if finite.any()
        ),
    )


def merge(parts: Sequence[Totals]) -> Totals:
    """Adds up the totals of at least one part.

    The sum of squares about the mean of all examples is the sum of squares about the mean of each
    part, plus the weighted squares of the parts' means about the mean of all. This loses no digits
    if the mean is large.
    """
    weights = np.array([part.weight for part in parts])
    labels = np.array([part.label for part in parts])
    label = _mean(labels, weights)
    between = np.where(weights > 0, weights * (labels - label) ** 2, 0)
    found = [part.histograms for part in parts if part.histograms]
    return Totals(
        examples=sum(part.examples for part in parts),
        weight=float(weights.sum()),
        label=label,
        prediction=_mean(np.array([part.prediction for part in parts]), weights),
        label_squares=float(sum(part.label_squares for part in parts) + between.sum()),
        squares=sum(part.squares for part in parts),
        absolutes=sum(part.absolutes for part in parts),
        least=min(part.least for part in parts),
        greatest=max(part.greatest for part in parts),
        histograms=tuple(histograms.merge(each) for each in zip(*found, strict=True)),
    )


def _mean(values: Array, weights: Array) -> float:
    """Computes sum(w x) / sum(w); NaN if all weights are 0."""
    weighs = weights > 0
    return float(np.average(values[weighs], weights=weights[weighs])) if weighs.any() else math.nan


def _r2(totals: Totals) -> float:
    """Computes 1 - sum(w residual²) / sum(w (label - mean label)²); NaN if all labels are equal."""
    if totals.least == totals.greatest or totals.label_squares == 0:
        return math.nan
    return 1 - totals.squares / totals.label_squares


def _mean_of(total: float, totals: Totals) -> float:
    return total / totals.weight if totals.weight > 0 else math.nan


METRICS: Mapping[str, Callable[[Totals], float]] = {
    "rmse": lambda totals: math.sqrt(_mean_of(totals.squares, totals)),
    "mse": lambda totals: _mean_of(totals.squares, totals),
    "mae": lambda totals: _mean_of(totals.absolutes, totals),
    "r2": _r2,
    "mean_label": lambda totals: totals.label,
    "mean_prediction": lambda totals: totals.prediction,
}
"""Metrics by name; NaN if undefined."""


def histograms_of(totals: Totals) -> dict[str, Any]:
    """Makes the histograms for the summary, by name; empty if no prediction is finite."""
    names = (ACTUAL_PREDICTED, PREDICTED_RESIDUAL)
    found = zip(names, totals.histograms, strict=False)
    return {name: histogram.to_json() for name, histogram in found}
