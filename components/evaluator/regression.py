"""TFMA metrics of a regression, all from one pass over the examples.

TFMA's own take a pass each, and know no share of explained variance other than the squared
correlation, which is 1 for predictions that are twice the labels.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.metrics import metric_types, metric_util

from components.evaluator import histograms
from components.evaluator.histograms import Array, Histogram

ACTUAL_PREDICTED, PREDICTED_RESIDUAL = "actual_predicted", "predicted_residual"
_MAX_WAITING = 1000
"""Examples that are counted at once, which takes a fraction of the time of one after another."""


@dataclass(frozen=True)
class Totals:
    """What all metrics follow from; `w` is an example's weight, a residual is label - prediction.

    Attributes:
        weight: Sum of w.
        label: Mean label, sum(w label) / sum(w).
        prediction: Mean prediction.
        label_squares: Sum of w (label - mean label)².
        squares: Sum of w residual².
        absolutes: Sum of w |residual|.
        least: Least label.
        greatest: Greatest label.
        histograms: Of label and prediction, and of prediction and residual, where all are finite.
    """

    weight: float
    label: float
    prediction: float
    label_squares: float
    squares: float
    absolutes: float
    least: float
    greatest: float
    histograms: tuple[Histogram, ...]


def total(labels: Array, predictions: Array, weights: Array) -> Totals:
    """Sums up examples, of which there is one at least: all `[n_examples]`."""
    residuals = labels - predictions
    weight = float(weights.sum())
    label = _mean(labels, weights)
    finite = np.isfinite(residuals) & (weights > 0)
    pairs = np.stack([[labels, predictions], [predictions, residuals]])[:, :, finite]
    return Totals(
        weight=weight,
        label=label,
        prediction=_mean(predictions, weights),
        label_squares=float(weights @ (labels - label) ** 2),
        squares=float(weights @ residuals**2),
        absolutes=float(weights @ np.abs(residuals)),
        least=float(labels.min()),
        greatest=float(labels.max()),
        histograms=tuple(
            histograms.count(pair.T, weights[finite]) for pair in pairs if finite.any()
        ),
    )


def merge(parts: Sequence[Totals]) -> Totals:
    """Sums up parts, of which there is one at least.

    The squares about the mean of all are those about each part's mean and those of the parts'
    means, which loses no digits where the mean is large.
    """
    weights = np.array([part.weight for part in parts])
    labels = np.array([part.label for part in parts])
    label = _mean(labels, weights)
    between = np.where(weights > 0, weights * (labels - label) ** 2, 0)
    found = [part.histograms for part in parts if part.histograms]
    return Totals(
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
    """Gives sum(w x) / sum(w), 0 where nothing weighs anything."""
    weighs = weights > 0
    return float(np.average(values[weighs], weights=weights[weighs])) if weighs.any() else 0.0


def _r2(totals: Totals) -> float:
    """Gives 1 - sum(w residual²) / sum(w (label - mean label)²); NaN if all labels are the same."""
    if totals.least == totals.greatest or totals.label_squares == 0:
        return math.nan
    return 1 - totals.squares / totals.label_squares


METRICS: Mapping[str, Callable[[Totals], float]] = {
    "rmse": lambda totals: math.sqrt(totals.squares / totals.weight),
    "mse": lambda totals: totals.squares / totals.weight,
    "mae": lambda totals: totals.absolutes / totals.weight,
    "r2": _r2,
    "mean_label": lambda totals: totals.label,
    "mean_prediction": lambda totals: totals.prediction,
}
"""Metrics by name, of examples that weigh something."""


class RegressionMetric(tfma.metrics.Metric):
    """One of `METRICS`, by its name; NaN where it is undefined."""

    def __init__(self, name: str) -> None:
        """Names the metric."""
        super().__init__(metric_util.merge_per_key_computations(_metric), name=name)


class Histograms(tfma.metrics.Metric):
    """The histograms of `Totals`: a JSON object of `Histogram.to_json`; empty if there are none."""

    def __init__(self, name: str = "histograms") -> None:
        """Names the metric."""
        super().__init__(metric_util.merge_per_key_computations(_histograms), name=name)


def _metric(
    name: str,
    eval_config: tfma.EvalConfig | None = None,
    model_name: str = "",
    output_name: str = "",
    example_weighted: bool = False,
) -> metric_types.MetricComputations:
    def value(totals: Totals) -> float:
        return METRICS[name](totals) if totals.weight > 0 else math.nan

    return _derived(name, value, eval_config, model_name, output_name, example_weighted)


def _histograms(
    name: str,
    eval_config: tfma.EvalConfig | None = None,
    model_name: str = "",
    output_name: str = "",
    example_weighted: bool = False,
) -> metric_types.MetricComputations:
    def value(totals: Totals) -> bytes:
        names = (ACTUAL_PREDICTED, PREDICTED_RESIDUAL)
        found = zip(names, totals.histograms, strict=False)
        return json.dumps({name: histogram.to_json() for name, histogram in found}).encode()

    return _derived(name, value, eval_config, model_name, output_name, example_weighted)


def _derived(
    name: str, value: Callable[[Totals], Any], eval_config: tfma.EvalConfig | None, *of: Any
) -> metric_types.MetricComputations:
    """Computes from the totals; TFMA makes one of all computations of the same key."""
    model_name, output_name, example_weighted = of
    totals_key, key = (
        metric_types.MetricKey(
            name=each,
            model_name=model_name,
            output_name=output_name,
            example_weighted=example_weighted,
        )
        for each in ("_totals", name)
    )

    def result(metrics: dict[metric_types.MetricKey, Any]) -> dict[metric_types.MetricKey, Any]:
        return {key: value(metrics[totals_key])}

    return [
        metric_types.MetricComputation(
            keys=[totals_key],
            preprocessors=None,
            combiner=_TotalsCombiner(totals_key, eval_config),
        ),
        metric_types.DerivedMetricComputation(keys=[key], result=result),
    ]


@dataclass
class _Accumulator:
    """What has been summed up, and label, prediction and weight of examples that wait for it."""

    counted: list[Totals] = field(default_factory=list)
    waiting: list[tuple[float, float, float]] = field(default_factory=list)

    def count(self) -> list[Totals]:
        """Sums up all examples that wait; at most one total comes out."""
        if self.waiting:
            found = total(*np.array(self.waiting, np.float64).T)
            self.counted, self.waiting = [merge([*self.counted, found])], []
        return self.counted


class _TotalsCombiner(beam.CombineFn):
    """Gives the `Totals`."""

    def __init__(self, key: metric_types.MetricKey, eval_config: tfma.EvalConfig | None) -> None:
        self._key = key
        self._eval_config = eval_config

    def create_accumulator(self) -> _Accumulator:
        return _Accumulator()

    def add_input(
        self, accumulator: _Accumulator, element: metric_types.StandardMetricInputs
    ) -> _Accumulator:
        values = next(
            metric_util.to_label_prediction_example_weight(
                element,
                eval_config=self._eval_config,
                model_name=self._key.model_name,
                output_name=self._key.output_name,
                example_weighted=bool(self._key.example_weighted),
                flatten=False,
                require_single_example_weight=True,
            )
        )
        label, prediction, weight = (float(value.item()) for value in values)
        accumulator.waiting.append((label, prediction, weight))
        if len(accumulator.waiting) == _MAX_WAITING:
            accumulator.count()
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[_Accumulator]) -> _Accumulator:
        counted = [part for accumulator in accumulators for part in accumulator.count()]
        return _Accumulator([merge(counted)] if counted else [])

    def extract_output(self, accumulator: _Accumulator) -> dict[metric_types.MetricKey, Totals]:
        (totals,) = accumulator.count()
        return {self._key: totals}
