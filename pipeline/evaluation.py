"""What TFMA is asked to measure, and the bounds that bless a model."""

import json
from collections.abc import Iterator, Mapping

import tensorflow_model_analysis as tfma

from components.evaluator import metrics, regression, scores
from components.evaluator.tasks import PREDICTION_KEYS
from pipeline.config import Config
from pipeline.sections import LOWER_IS_BETTER, Threshold
from trainer.signatures import EXAMPLES_SIGNATURE

_Metric = type[tfma.metrics.Metric]
_POSITIVE = 1
"""Class id of the positive class in a binary task."""
_OVERALL = {
    "accuracy": "SparseCategoricalAccuracy",
    "cross_entropy": "SparseCategoricalCrossentropy",
}
_OF_A_CLASS: Mapping[str, _Metric] = {
    "precision": metrics.ClassPrecision,
    "recall": metrics.ClassRecall,
    "auc": scores.ClassAuc,
}


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
        metrics_specs=[
            *(_regression_specs(config) if is_regression else _classification_specs(config)),
            tfma.MetricsSpec(
                metrics=[_metric("ExampleCount", "example_count", config)],
                example_weights=tfma.ExampleWeightOptions(unweighted=True),
            ),
        ],
    )


def _classification_specs(config: Config) -> Iterator[tfma.MetricsSpec]:
    """Gives the metrics of all classes, and those of one: the positive, or each, to be filled in.

    Which classes there are is known only when the model is.
    """
    matrix = tfma.MetricConfig(
        class_name="MultiClassConfusionMatrixAtThresholds",
        config=json.dumps({"name": "confusion_matrix", "thresholds": [0.0]}),
    )
    overall = (_metric(class_name, name, config) for name, class_name in _OVERALL.items())
    yield tfma.MetricsSpec(metrics=[*overall, matrix, _metric(scores.Curves, "curves", config)])
    class_ids = [_POSITIVE] if config.task == "binary" else []
    yield tfma.MetricsSpec(
        metrics=[_metric(metric, name, config) for name, metric in _OF_A_CLASS.items()],
        binarize=tfma.BinarizationOptions(class_ids={"values": class_ids}),
    )


def _regression_specs(config: Config) -> Iterator[tfma.MetricsSpec]:
    values = [_metric(regression.RegressionMetric, name, config) for name in regression.METRICS]
    yield tfma.MetricsSpec(metrics=[*values, _metric(regression.Histograms, "histograms", config)])


def _metric(metric: _Metric | str, name: str, config: Config) -> tfma.MetricConfig:
    """Names a metric, TFMA's own or one of ours, and its bounds."""
    result = tfma.MetricConfig(
        class_name=metric if isinstance(metric, str) else metric.__name__,
        module="" if isinstance(metric, str) else metric.__module__,
        config=json.dumps({"name": name}),
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
