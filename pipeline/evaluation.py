"""What TFMA is asked to measure, and the bounds that bless a model."""

import json

import tensorflow_model_analysis as tfma

from components.evaluator import metrics, scores
from pipeline.config import Config
from pipeline.sections import LOWER_IS_BETTER, Metric, Threshold
from trainer.signatures import EXAMPLES_SIGNATURE

_CLASSES = {
    "accuracy": "SparseCategoricalAccuracy",
    "cross_entropy": "SparseCategoricalCrossentropy",
    "precision": metrics.ClassPrecision.__name__,
    "recall": metrics.ClassRecall.__name__,
}
_PER_CLASS: tuple[Metric, ...] = ("precision", "recall")


def make_eval_config(config: Config) -> tfma.EvalConfig:
    """Makes the evaluation: every metric overall and per slice, with the configured bounds.

    Args:
        config: The configuration.

    Returns:
        TFMA's configuration. The metrics of a single class stand in the second metrics spec, whose
        class ids are known, and set, only when the model is.
    """
    overall = [
        _metric("accuracy", config),
        _metric("cross_entropy", config),
        tfma.MetricConfig(class_name="ExampleCount", config=json.dumps({"name": "example_count"})),
        tfma.MetricConfig(
            class_name="MultiClassConfusionMatrixAtThresholds",
            config=json.dumps({"name": "confusion_matrix", "thresholds": [0.0]}),
        ),
        _scores(scores.Curves, "curves"),
    ]
    per_class = [*(_metric(name, config) for name in _PER_CLASS), _scores(scores.ClassAuc, "auc")]
    return tfma.EvalConfig(
        model_specs=[
            tfma.ModelSpec(
                model_type=tfma.constants.TF_GENERIC,
                signature_name=EXAMPLES_SIGNATURE,
                prediction_key="probabilities",
                label_key=config.data.label,
            )
        ],
        slicing_specs=[
            tfma.SlicingSpec(),
            *(tfma.SlicingSpec(feature_keys=columns) for columns in config.evaluation.slices),
        ],
        metrics_specs=[
            tfma.MetricsSpec(metrics=overall),
            tfma.MetricsSpec(metrics=per_class),
        ],
    )


def _scores(metric: type[tfma.metrics.Metric], name: str) -> tfma.MetricConfig:
    return tfma.MetricConfig(
        class_name=metric.__name__, module=scores.__name__, config=json.dumps({"name": name})
    )


def _metric(name: Metric, config: Config) -> tfma.MetricConfig:
    metric = tfma.MetricConfig(
        class_name=_CLASSES[name],
        module=metrics.__name__ if name in _PER_CLASS else "",
        config=json.dumps({"name": name}),
    )
    threshold = config.evaluation.thresholds.get(name)
    if threshold:
        metric.per_slice_thresholds.add(
            slicing_specs=[tfma.SlicingSpec()], threshold=_threshold(name, threshold)
        )
    return metric


def _threshold(name: Metric, threshold: Threshold) -> tfma.MetricThreshold:
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
