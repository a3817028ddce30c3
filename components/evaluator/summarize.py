"""Writes `summary.json` from TFMA's results."""

import base64
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import tensorflow_model_analysis as tfma
from tfx.dsl.io import fileio

from components.evaluator.summary import SUMMARY_FILE

CONFUSION_MATRIX = "confusion_matrix"
CURVES = "curves"
_DIFFERENCE = "_diff"
"""TFMA's ending of a metric that is the difference to the baseline, whose own stands beside it."""

Metrics = dict[str, float]


def write_summary(
    evaluation_dir: str, classes: Sequence[str], eval_config: tfma.EvalConfig, *, has_baseline: bool
) -> None:
    """Writes the summary beside TFMA's own files.

    Args:
        evaluation_dir: Folder of TFMA's output.
        classes: Word of each class id.
        eval_config: The metrics and thresholds that were evaluated.
        has_baseline: Whether a baseline was evaluated too.
    """
    candidate = _load(evaluation_dir, tfma.CANDIDATE_KEY if has_baseline else "")
    baseline = _load(evaluation_dir, tfma.BASELINE_KEY) if has_baseline else {}
    slices = [
        {
            "slice": dict(key),
            "metrics": _defined(values_of(results, classes)),
            "baseline": _defined(values_of(baseline[key], classes)) if key in baseline else None,
        }
        for key, results in sorted(candidate.items(), key=lambda item: (len(item[0]), item[0]))
    ]
    checks = make_checks(
        values_of(candidate[()], classes), values_of(baseline.get((), {}), classes), eval_config
    )
    summary = {
        "classes": list(classes),
        "slices": slices,
        CONFUSION_MATRIX: _confusion_matrix(candidate[()], len(classes)),
        CURVES: dict(zip(classes, _curves(candidate[()]), strict=True)),
        "checks": list(checks),
    }
    with fileio.open(os.path.join(evaluation_dir, SUMMARY_FILE), "w") as file:
        file.write(json.dumps(summary, indent=1))


def _load(evaluation_dir: str, model_name: str) -> dict[tuple[Any, ...], Any]:
    """Loads one model's metrics by slice key, as TFMA nests them: sub key, metric, value."""
    result = tfma.load_eval_result(evaluation_dir, model_name=model_name)
    return {key: outputs[""] for key, outputs in result.slicing_metrics}


def values_of(results: Mapping[str, Any], classes: Sequence[str]) -> Metrics:
    """Names the metrics of a slice: `accuracy`, `precision/setosa`; NaN where one is undefined."""
    metrics = {}
    for sub_key, values in results.items():
        suffix = f"/{classes[int(sub_key.removeprefix('classId:'))]}" if sub_key else ""
        for name, value in values.items():
            if "doubleValue" in value and not name.endswith(_DIFFERENCE):
                metrics[f"{name}{suffix}"] = float(value["doubleValue"])
    return metrics


def _defined(metrics: Metrics) -> Metrics:
    return {name: value for name, value in metrics.items() if math.isfinite(value)}


def _confusion_matrix(results: Mapping[str, Any], n_classes: int) -> list[list[int]]:
    """Counts examples by true class (row) and predicted class (column)."""
    matrix = [[0] * n_classes for _ in range(n_classes)]
    (at_threshold,) = results[""][CONFUSION_MATRIX]["multiClassConfusionMatrixAtThresholds"][
        "matrices"
    ]
    for entry in at_threshold["entries"]:
        row, column = entry.get("actualClassId", 0), entry.get("predictedClassId", 0)
        matrix[row][column] = int(entry.get("numWeightedExamples", 0))
    return matrix


def _curves(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Reads the curves of each class, by class id."""
    found: list[dict[str, Any]] = json.loads(base64.b64decode(results[""][CURVES]["bytesValue"]))
    return found


def make_checks(
    metrics: Metrics, baseline: Metrics, eval_config: tfma.EvalConfig
) -> Iterator[dict[str, Any]]:
    """Holds the whole split's metrics against every threshold, as TFMA does for the blessing.

    Args:
        metrics: Metrics of the candidate, NaN where one is undefined.
        baseline: The same of the baseline; empty if there is none.
        eval_config: The thresholds.

    Yields:
        The checks of the summary.
    """
    for name, threshold in thresholds_of(eval_config):
        for metric, value in metrics.items():
            if metric.split("/")[0] == name:
                yield from _bounds(metric, value, baseline.get(metric), threshold)


def thresholds_of(eval_config: tfma.EvalConfig) -> Iterator[tuple[str, tfma.MetricThreshold]]:
    """Lists the metrics that have a threshold, with it."""
    for spec in eval_config.metrics_specs:
        for metric in spec.metrics:
            for per_slice in metric.per_slice_thresholds:
                yield json.loads(metric.config)["name"], per_slice.threshold


def _bounds(
    metric: str, value: float, baseline: float | None, threshold: tfma.MetricThreshold
) -> Iterator[dict[str, Any]]:
    """Checks one metric; TFMA lets no bound hold of NaN, and no change against a baseline of 0."""
    fixed, change = threshold.value_threshold, threshold.change_threshold
    if fixed.HasField("lower_bound"):
        limit = fixed.lower_bound.value
        yield _check(metric, "min", limit, value, margin=value - limit)
    if fixed.HasField("upper_bound"):
        limit = fixed.upper_bound.value
        yield _check(metric, "max", limit, value, margin=limit - value)
    if change.HasField("absolute") and baseline is not None:
        limit, difference = change.absolute.value, value - baseline
        lower_is_better = change.direction == tfma.MetricDirection.LOWER_IS_BETTER
        margin = limit - difference if lower_is_better else difference - limit
        yield _check(metric, "change", limit, difference, margin=margin if baseline else math.nan)


def _check(metric: str, bound: str, limit: float, value: float, margin: float) -> dict[str, Any]:
    """Makes a check of the summary; the margin is NaN where the bound cannot hold."""
    return {
        "metric": metric,
        "bound": bound,
        "limit": limit,
        "value": value,
        "holds": margin >= 0,
        "margin": margin if math.isfinite(margin) else None,
    }
