"""The metrics of an evaluation, by their names.

In TFMA's precision and recall, a class is predicted if its probability is above one half, so that
no class is predicted if all are below; here, the predicted class is the one with the highest
probability. For regressions, TFMA has the squared correlation, which is 1 for predictions that are
twice the labels; here, R² is the share of explained variance.
"""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.metrics import metric_types, metric_util

from components.evaluator import curves, regression, scores
from components.evaluator.combining import Counting, derived

_CLASSIFICATION = Counting(scores.count, scores.merge)
_REGRESSION = Counting(regression.count, regression.merge)


def _accuracy(totals: scores.Totals) -> float:
    return _share(totals.confusion_matrix.trace(), totals.weight)


def _precision(totals: scores.Totals, class_id: int) -> float:
    matrix = totals.confusion_matrix
    return _share(matrix[class_id, class_id], matrix[:, class_id].sum())


def _recall(totals: scores.Totals, class_id: int) -> float:
    matrix = totals.confusion_matrix
    return _share(matrix[class_id, class_id], matrix[class_id].sum())


def _auc(totals: scores.Totals, class_id: int) -> float:
    return curves.auc(curves.roc(totals.scores_by_class[class_id]))


def _share(part: float, whole: float) -> float:
    """Divides; NaN if the whole is 0."""
    return float(part / whole) if whole > 0 else math.nan


def _as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


OVERALL: Mapping[str, Callable[[scores.Totals], Any]] = {
    "accuracy": _accuracy,
    "cross_entropy": lambda totals: _share(totals.loss, totals.weight),
    "example_count": lambda totals: float(totals.examples),
    "confusion_matrix": lambda totals: _as_json(totals.confusion_matrix.tolist()),
    "curves": lambda totals: _as_json([curves.curves_of(c) for c in totals.scores_by_class]),
}
"""Metrics of all classes together. The last two are JSON: `Totals.confusion_matrix`, and a list of
`curves.curves_of` by class id."""
OF_A_CLASS: Mapping[str, Callable[[scores.Totals, int], float]] = {
    "precision": _precision,
    "recall": _recall,
    "auc": _auc,
}
"""Metrics of one class against all others; NaN if undefined."""
REGRESSION: Mapping[str, Callable[[regression.Totals], Any]] = {
    **regression.METRICS,
    "example_count": lambda totals: float(totals.examples),
    "histograms": lambda totals: _as_json(regression.histograms_of(totals)),
}
"""Metrics of a regression; NaN if undefined. The last is JSON: `regression.histograms_of`."""


class Metric(tfma.metrics.Metric):
    """A metric of `OVERALL`, or one of `OF_A_CLASS` if the metrics spec has `binarize`."""

    def __init__(self, name: str) -> None:
        """Makes the metric of this name in `OVERALL` or `OF_A_CLASS`."""
        super().__init__(metric_util.merge_per_key_computations(_of_classes), name=name)


class RegressionMetric(tfma.metrics.Metric):
    """A metric of `REGRESSION`."""

    def __init__(self, name: str) -> None:
        """Makes the metric of this name in `REGRESSION`."""
        super().__init__(metric_util.merge_per_key_computations(_of_numbers), name=name)


def _of_classes(
    name: str,
    eval_config: tfma.EvalConfig | None = None,
    model_name: str = "",
    output_name: str = "",
    sub_key: metric_types.SubKey | None = None,
    example_weighted: bool = False,
) -> metric_types.MetricComputations:
    def value(totals: scores.Totals) -> Any:
        if sub_key is None:
            return OVERALL[name](totals)
        return OF_A_CLASS[name](totals, sub_key.class_id)

    key = metric_types.MetricKey(
        name, model_name, output_name, sub_key, example_weighted=example_weighted
    )
    return derived(key, eval_config, _CLASSIFICATION, value)


def _of_numbers(
    name: str,
    eval_config: tfma.EvalConfig | None = None,
    model_name: str = "",
    output_name: str = "",
    example_weighted: bool = False,
) -> metric_types.MetricComputations:
    key = metric_types.MetricKey(name, model_name, output_name, example_weighted=example_weighted)
    return derived(key, eval_config, _REGRESSION, REGRESSION[name])
