"""TFMA metrics of how a class's probabilities rank and how far they can be believed.

TFMA's own plots hold a thousand confusion matrices for each class of each slice, and tell apart no
probabilities below 1/10000. Here one pass counts the probabilities of all classes, in buckets of
equal log-odds.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow_model_analysis as tfma
from numpy.typing import NDArray
from tensorflow_model_analysis.metrics import metric_types, metric_util

from components.evaluator import curves

_BUCKETS_PER_LOGIT = 256
"""At a probability of one half, a bucket is a thousandth wide."""
_MAX_LOGIT = 20.0

_N_BUCKETS = int(2 * _MAX_LOGIT * _BUCKETS_PER_LOGIT) + 1
_MAX_WAITING = 1000
"""Examples that are counted at once, which takes a fraction of the time of one after another."""

Cells = tuple[NDArray[np.int64], curves.Array]
"""Places, rising: class id times `_N_BUCKETS` plus bucket, `[n_places]`. Of each the weight of the
examples not of the class, that of those of it, and the weighted sum of their probabilities,
`[n_places, 3]`."""


@dataclass
class _Accumulator:
    """What has been counted, and class ids, probabilities and weights of examples that wait."""

    counted: Cells = field(default_factory=lambda: (np.empty(0, np.int64), np.empty((0, 3))))
    labels: list[int] = field(default_factory=list)
    probabilities: list[curves.Array] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)

    def count(self) -> Cells:
        """Counts all examples that wait."""
        if self.labels:
            counted = _count(self.labels, self.probabilities, self.weights)
            self.counted = _merged([self.counted, counted])
            self.labels, self.probabilities, self.weights = [], [], []
        return self.counted


class ClassAuc(tfma.metrics.Metric):
    """Area under the ROC curve of a class against the others; NaN where one side is missing."""

    def __init__(self, name: str = "auc") -> None:
        """Names the metric; the classes come from the metrics spec's `binarize`."""
        super().__init__(metric_util.merge_per_key_computations(_auc), name=name)


class Curves(tfma.metrics.Metric):
    """ROC and calibration of each class: a JSON array of `curves.curves_of`, by class id."""

    def __init__(self, name: str = "curves") -> None:
        """Names the metric."""
        super().__init__(metric_util.merge_per_key_computations(_curves), name=name)


def _auc(
    name: str,
    eval_config: tfma.EvalConfig | None = None,
    model_name: str = "",
    output_name: str = "",
    sub_key: metric_types.SubKey | None = None,
    example_weighted: bool = False,
) -> metric_types.MetricComputations:
    scores = _class_scores(eval_config, model_name, output_name, example_weighted)
    key = metric_types.MetricKey(
        name=name,
        model_name=model_name,
        output_name=output_name,
        sub_key=sub_key,
        example_weighted=example_weighted,
    )
    class_id = sub_key.class_id if sub_key else None

    def result(metrics: dict[metric_types.MetricKey, Any]) -> dict[metric_types.MetricKey, float]:
        return {key: curves.auc(curves.roc(metrics[scores.keys[0]][class_id]))}

    return [scores, metric_types.DerivedMetricComputation(keys=[key], result=result)]


def _curves(
    name: str,
    eval_config: tfma.EvalConfig | None = None,
    model_name: str = "",
    output_name: str = "",
    example_weighted: bool = False,
) -> metric_types.MetricComputations:
    scores = _class_scores(eval_config, model_name, output_name, example_weighted)
    key = metric_types.MetricKey(
        name=name,
        model_name=model_name,
        output_name=output_name,
        example_weighted=example_weighted,
    )

    def result(metrics: dict[metric_types.MetricKey, Any]) -> dict[metric_types.MetricKey, bytes]:
        by_class = [curves.curves_of(found) for found in metrics[scores.keys[0]]]
        return {key: json.dumps(by_class).encode()}

    return [scores, metric_types.DerivedMetricComputation(keys=[key], result=result)]


def _class_scores(
    eval_config: tfma.EvalConfig | None,
    model_name: str,
    output_name: str,
    example_weighted: bool = False,
) -> metric_types.MetricComputation:
    """Counts the scores of all classes; TFMA makes one of all computations of the same key."""
    key = metric_types.MetricKey(
        name="_class_scores",
        model_name=model_name,
        output_name=output_name,
        example_weighted=example_weighted,
    )
    combiner = _ScoresCombiner(key, eval_config)
    return metric_types.MetricComputation(keys=[key], preprocessors=None, combiner=combiner)


class _ScoresCombiner(beam.CombineFn):
    """Gives the scores of each class, as `components.evaluator.curves` takes them, by class id."""

    def __init__(self, key: metric_types.MetricKey, eval_config: tfma.EvalConfig | None) -> None:
        self._key = key
        self._eval_config = eval_config

    def create_accumulator(self) -> _Accumulator:
        return _Accumulator()

    def add_input(
        self, accumulator: _Accumulator, element: metric_types.StandardMetricInputs
    ) -> _Accumulator:
        label, probabilities, weight = next(
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
        accumulator.labels.append(label.item())
        accumulator.probabilities.append(probabilities)
        accumulator.weights.append(weight.item())
        if len(accumulator.labels) == _MAX_WAITING:
            accumulator.count()
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[_Accumulator]) -> _Accumulator:
        return _Accumulator(_merged([accumulator.count() for accumulator in accumulators]))

    def extract_output(
        self, accumulator: _Accumulator
    ) -> dict[metric_types.MetricKey, list[curves.Array]]:
        places, cells = accumulator.count()
        class_ids = places // _N_BUCKETS
        starts = class_ids.searchsorted(np.arange(1, class_ids[-1] + 1))
        return {self._key: np.split(cells, starts)}


def _count(
    labels: Sequence[int], probabilities: Sequence[curves.Array], weights: Sequence[float]
) -> Cells:
    """Counts examples: class id, `[n_classes]` probabilities and weight of each."""
    # Rounding gives a little more than 1; NaN ranks last, and fails no evaluation.
    values = np.nan_to_num(np.stack(probabilities).astype(np.float64)).clip(0, 1)
    with np.errstate(divide="ignore"):
        logits = np.log(values) - np.log1p(-values)
    buckets = np.rint((logits.clip(-_MAX_LOGIT, _MAX_LOGIT) + _MAX_LOGIT) * _BUCKETS_PER_LOGIT)
    class_ids = np.arange(values.shape[1])
    places = class_ids * _N_BUCKETS + buckets.astype(np.int64)
    is_of = np.array(labels)[:, np.newaxis] == class_ids
    cells = (
        np.stack([~is_of, is_of, values], axis=-1) * np.array(weights)[:, np.newaxis, np.newaxis]
    )
    return places.ravel(), cells.reshape(-1, 3)


def _merged(parts: Sequence[Cells]) -> Cells:
    """Sums the cells of each place."""
    places, where = np.unique(np.concatenate([part[0] for part in parts]), return_inverse=True)
    columns = np.concatenate([part[1] for part in parts]).T
    return places, np.column_stack([np.bincount(where, column) for column in columns])
