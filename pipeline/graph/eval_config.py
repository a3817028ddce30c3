"""What TFMA is asked to measure, and the bounds that bless a model."""

import json
from collections.abc import Iterator

import tensorflow_model_analysis as tfma

from components.evaluator import metrics
from components.evaluator.tasks import PREDICTION_KEYS
from pipeline.settings.config import Config
from pipeline.settings.run_sections import LOWER_IS_BETTER, Threshold
from trainer.signatures import EXAMPLES_SIGNATURE

_POSITIVE = 1
"""Class id of the positive class in a binary task."""


def make_eval_config(config: Config) -> tfma.EvalConfig:
    """Makes the evaluation: every metric overall and per slice, with the configured bounds.

    Args:
        config: The configuration.

    Returns:
        TFMA's configuration, whose task `components.evaluator.tasks` tells. All metrics are
        weighted, if examples have weights, but for the number of examples.
    """
    is_regression = config.task == "regression"
    return tfma.EvalConfig(
        model_specs=[
            tfma.ModelSpec(
                model_type=tfma.constants.TF_GENERIC,
                signature_name=EXAMPLES_SIGNATURE,
                prediction_key=PREDICTION_KEYS[config.task],
                label_key=config.data.label,
                example_weight_key=config.data.weight or "",
            )
        ],
        slicing_specs=[
            tfma.SlicingSpec(),
            *(tfma.SlicingSpec(feature_keys=columns) for columns in config.evaluation.slices),
        ],
        metrics_specs=list(
            _regression_specs(config) if is_regression else _classification_specs(config)
        ),
    )


def _classification_specs(config: Config) -> Iterator[tfma.MetricsSpec]:
    """Gives the metrics of all classes, and those of one: the positive, or each, to be filled in.

    Which classes there are is known only when the model is.
    """
    yield tfma.MetricsSpec(
        metrics=[_metric(metrics.Metric, name, config) for name in metrics.OVERALL]
    )
    class_ids = [_POSITIVE] if config.task == "binary" else []
    yield tfma.MetricsSpec(
        metrics=[_metric(metrics.Metric, name, config) for name in metrics.OF_A_CLASS],
        binarize=tfma.BinarizationOptions(class_ids={"values": class_ids}),
    )


def _regression_specs(config: Config) -> Iterator[tfma.MetricsSpec]:
    yield tfma.MetricsSpec(
        metrics=[_metric(metrics.RegressionMetric, name, config) for name in metrics.REGRESSION]
    )


def _metric(metric: type[tfma.metrics.Metric], name: str, config: Config) -> tfma.MetricConfig:
    """Names a metric, and its bounds."""
    result = tfma.MetricConfig(
        class_name=metric.__name__, module=metric.__module__, config=json.dumps({"name": name})
    )
    for bounded, threshold in config.evaluation.thresholds.items():
        if bounded == name:
            result.per_slice_thresholds.add(
                slicing_specs=[tfma.SlicingSpec()], threshold=_threshold(name, threshold)
            )
    return result


def _threshold(name: str, threshold: Threshold) -> tfma.MetricThreshold:
    """Translates bounds: fixed ones, and the change to the baseline, worse being less or more."""
    result = tfma.MetricThreshold()
    if threshold.min is not None:
        result.value_threshold.lower_bound.value = threshold.min
    if threshold.max is not None:
        result.value_threshold.upper_bound.value = threshold.max
    if threshold.max_worsening is not None:
        change = result.change_threshold
        if name in LOWER_IS_BETTER:
            change.direction = tfma.MetricDirection.LOWER_IS_BETTER
            change.absolute.value = threshold.max_worsening
        else:
            change.direction = tfma.MetricDirection.HIGHER_IS_BETTER
            change.absolute.value = -threshold.max_worsening
    return result
