"""Computes all metrics of an evaluation in one pass over its examples, in batches.

TFMA passes examples to each metric one by one, and picks label and prediction out of every example
for each of them, which takes most of the time of an evaluation. Here one computation counts for all
metrics. It takes whole batches if there are no slices, and collects smaller ones until they are
worth counting.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import apache_beam as beam
import numpy as np
import tensorflow_model_analysis as tfma
from numpy.typing import NDArray
from tensorflow_model_analysis.metrics import metric_types

_MAX_WAITING = 1000
_TOTALS = "_totals"

Array = NDArray[np.float64]
T = TypeVar("T")


@dataclass(frozen=True)
class Counting(Generic[T]):
    """How the totals that metrics are computed from are counted.

    Attributes:
        count: Counts at least one example: labels `[n]`, predictions `[n, k]` and weights `[n]`.
        merge: Adds up the totals of at least one part, in any order.
    """

    count: Callable[[NDArray[Any], Array, Array], T]
    merge: Callable[[Sequence[T]], T]


def derived(
    key: metric_types.MetricKey,
    eval_config: tfma.EvalConfig | None,
    counting: Counting[T],
    value: Callable[[T], Any],
) -> metric_types.MetricComputations:
    """Derives a metric from totals; TFMA computes the totals once, since their key is the same.

    Args:
        key: Key of the metric.
        eval_config: The evaluation.
        counting: How the totals are counted; the same for all metrics of an evaluation.
        value: Computes the metric from the totals.

    Returns:
        The computation of the totals, and that of the metric.
    """
    totals = key._replace(name=_TOTALS, sub_key=None)

    def result(metrics: dict[metric_types.MetricKey, Any]) -> dict[metric_types.MetricKey, Any]:
        return {key: value(metrics[totals])}

    return [
        metric_types.MetricComputation(
            keys=[totals], preprocessors=None, combiner=_Combiner(totals, eval_config, counting)
        ),
        metric_types.DerivedMetricComputation(keys=[key], result=result),
    ]


@dataclass
class _Accumulator(Generic[T]):
    """Totals, and the labels, predictions and weights that are not counted yet."""

    counted: list[T] = field(default_factory=list)
    waiting: list[tuple[NDArray[Any], Array, Array]] = field(default_factory=list)
    n_waiting: int = 0


class _Combiner(beam.CombineFn, Generic[T]):
    """Counts the totals."""

    def __init__(
        self,
        key: metric_types.MetricKey,
        eval_config: tfma.EvalConfig | None,
        counting: Counting[T],
    ) -> None:
        self._key = key
        specs = eval_config.model_specs if eval_config else []
        self._prediction_key = specs[0].prediction_key if specs else ""
        self._counting = counting

    def create_accumulator(self) -> _Accumulator[T]:
        return _Accumulator()

    def add_input(
        self, accumulator: _Accumulator[T], element: metric_types.StandardMetricInputs
    ) -> _Accumulator[T]:
        found = self._read(element)
        accumulator.waiting.append(found)
        accumulator.n_waiting += len(found[0])
        if accumulator.n_waiting >= _MAX_WAITING:
            self._count(accumulator)
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[_Accumulator[T]]) -> _Accumulator[T]:
        counted = [part for accumulator in accumulators for part in self._count(accumulator)]
        return _Accumulator([self._counting.merge(counted)] if counted else [])

    def extract_output(self, accumulator: _Accumulator[T]) -> dict[metric_types.MetricKey, T]:
        (totals,) = self._count(accumulator)
        return {self._key: totals}

    def _count(self, accumulator: _Accumulator[T]) -> list[T]:
        """Counts and merges all that is waiting; returns one total, or none without examples."""
        if accumulator.waiting:
            labels, predictions, weights = map(
                np.concatenate, zip(*accumulator.waiting, strict=True)
            )
            part = self._counting.count(labels, predictions, weights)
            accumulator.counted = [self._counting.merge([*accumulator.counted, part])]
            accumulator.waiting, accumulator.n_waiting = [], 0
        return accumulator.counted

    def _read(
        self, element: metric_types.StandardMetricInputs
    ) -> tuple[NDArray[Any], Array, Array]:
        """Reads labels, predictions and weights of a batch; a single example is a batch of one."""
        model_name = self._key.model_name
        labels = np.ravel(element.get_by_key(tfma.LABELS_KEY, model_name))
        predictions = element.get_by_key(tfma.PREDICTIONS_KEY, model_name)
        if isinstance(predictions, dict):
            predictions = predictions[self._prediction_key]
        weights = (
            element.get_by_key(tfma.EXAMPLE_WEIGHTS_KEY, model_name)
            if self._key.example_weighted
            else None
        )
        return (
            labels,
            np.reshape(predictions, (len(labels), -1)).astype(np.float64),
            np.ones(len(labels)) if weights is None else np.ravel(weights).astype(np.float64),
        )
