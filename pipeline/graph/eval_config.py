"""What the Evaluator measures, and the thresholds that decide whether a model is blessed."""

import json
from collections.abc import Iterator, Mapping

import tensorflow_model_analysis as tfma

from components.evaluator import metrics
from components.evaluator.thresholds import Bounds
from pipeline.settings.config import Config
from pipeline.settings.run_sections import LOWER_IS_BETTER, Threshold
from trainer.settings.train import Task
from trainer.signatures import EXAMPLES_SIGNATURE

_PREDICTION_KEYS: Mapping[Task, str] = {
    "multiclass": "probabilities",
    "binary": "probabilities",
    "regression": "predictions",
}
"""The output of the model that is compared with the label."""


def make_eval_config(config: Config) -> tfma.EvalConfig:
    """Makes TFMA's configuration: every metric of the task, over the whole split and per slice.

    Args:
        config: The configuration.

    Returns:
        The evaluation without thresholds. All metrics but `example_count` are weighted if the
        examples have weights. The specs of class metrics have `binarize` without class ids, which
        are known only once the model is.
    """
    is_regression = config.task == "regression"
    return tfma.EvalConfig(
        model_specs=[
            tfma.ModelSpec(
                model_type=tfma.constants.TF_GENERIC,
                signature_name=EXAMPLES_SIGNATURE,
                prediction_key=_PREDICTION_KEYS[config.task],
                label_key=config.data.label,
                example_weight_key=config.data.weight or "",
            )
        ],
        slicing_specs=[
            tfma.SlicingSpec(),
            *(tfma.SlicingSpec(feature_keys=columns) for columns in config.evaluation.slices),
        ],
        metrics_specs=list(_regression_specs() if is_regression else _classification_specs()),
    )


def _classification_specs() -> Iterator[tfma.MetricsSpec]:
    """Yields the metrics of all classes together, then those of single classes."""
    yield tfma.MetricsSpec(metrics=[_metric(metrics.Metric, name) for name in metrics.OVERALL])
    yield tfma.MetricsSpec(
        metrics=[_metric(metrics.Metric, name) for name in metrics.OF_A_CLASS],
        binarize=tfma.BinarizationOptions(),
    )


def _regression_specs() -> Iterator[tfma.MetricsSpec]:
    yield tfma.MetricsSpec(
        metrics=[_metric(metrics.RegressionMetric, name) for name in metrics.REGRESSION]
    )


def _metric(metric: type[tfma.metrics.Metric], name: str) -> tfma.MetricConfig:
    return tfma.MetricConfig(
        class_name=metric.__name__, module=metric.__module__, config=json.dumps({"name": name})
    )


def make_thresholds(config: Config) -> dict[str, Bounds]:
    """Makes the bounds of each metric that has thresholds, in the order of the metrics."""
    thresholds = config.evaluation.thresholds
    names = (
        metrics.REGRESSION
        if config.task == "regression"
        else [*metrics.OVERALL, *metrics.OF_A_CLASS]
    )
    return {name: _bounds(name, thresholds[name]) for name in names if name in thresholds}


def _bounds(name: str, threshold: Threshold) -> Bounds:
    """Makes bounds; a metric that gets worse rises if lower is better, and falls otherwise."""
    worsening = threshold.max_worsening
    if name in LOWER_IS_BETTER:
        return Bounds(threshold.min, threshold.max, max_change=worsening)
    min_change = None if worsening is None else -worsening
    return Bounds(threshold.min, threshold.max, min_change=min_change)
