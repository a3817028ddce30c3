"""Precision and recall of a class, by the class of highest probability.

TFMA's own take a class for predicted where its probability is above one half, so that an example of
which no class is that sure counts as predicted to be none.
"""

import math
from typing import Any

import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.metrics import metric_types, metric_util
from tensorflow_model_analysis.metrics.multi_class_confusion_matrix_metrics import (
    multi_class_confusion_matrices,
)

_ARGMAX = 0.0
"""The threshold above which the highest probability always is."""


class ClassPrecision(tfma.metrics.Metric):
    """Of the examples predicted to be of a class, the share that is; NaN where there are none."""

    def __init__(self, name: str = "precision") -> None:
        """Names the metric; the classes come from the metrics spec's `binarize`."""
        super().__init__(
            metric_util.merge_per_key_computations(_share_of_class), name=name, given="predicted"
        )


class ClassRecall(tfma.metrics.Metric):
    """Of the examples of a class, the share predicted to be; NaN where there are none."""

    def __init__(self, name: str = "recall") -> None:
        """Names the metric; the classes come from the metrics spec's `binarize`."""
        super().__init__(
            metric_util.merge_per_key_computations(_share_of_class), name=name, given="actual"
        )


def _share_of_class(
    name: str,
    given: str,
    eval_config: tfma.EvalConfig | None = None,
    model_name: str = "",
    output_name: str = "",
    sub_key: metric_types.SubKey | None = None,
    example_weighted: bool = False,
) -> metric_types.MetricComputations:
    """Computes, from the confusion matrix, the share of right ones among those of a class."""
    computations = multi_class_confusion_matrices(
        thresholds=[_ARGMAX],
        eval_config=eval_config,
        model_name=model_name,
        output_name=output_name,
        example_weighted=example_weighted,
    )
    matrices_key = computations[-1].keys[-1]
    key = metric_types.MetricKey(
        name=name,
        model_name=model_name,
        output_name=output_name,
        sub_key=sub_key,
        example_weighted=example_weighted,
    )
    class_id = sub_key.class_id if sub_key else None

    def result(metrics: dict[metric_types.MetricKey, Any]) -> dict[metric_types.MetricKey, float]:
        matrix = metrics[matrices_key][_ARGMAX]
        among = {
            entry: count
            for entry, count in matrix.items()
            if getattr(entry, f"{given}_class_id") == class_id
        }
        right = sum(
            count
            for entry, count in among.items()
            if entry.actual_class_id == entry.predicted_class_id
        )
        total = sum(among.values())
        return {key: right / total if total else math.nan}

    return [*computations, metric_types.DerivedMetricComputation(keys=[key], result=result)]
