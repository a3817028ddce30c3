"""Writes `summary.json` from TFMA's results."""

import base64
import json
import math
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import tensorflow_model_analysis as tfma
from tfx.dsl.io import fileio

from components.evaluator.summary import SUMMARY_FILE
from trainer.settings.train import Task

CONFUSION_MATRIX = "confusion_matrix"
CURVES = "curves"
HISTOGRAMS = "histograms"
_DIFFERENCE = "_diff"
"""TFMA's ending of a metric that is the difference to the baseline, whose own stands beside it."""

NO_EXAMPLES = "the split has no examples of the class"
NO_BASELINE = "undefined for the baseline"
"""Why a check is not made."""

Metrics = dict[str, float]


def write_summary(
    evaluation_dir: str,
    task: Task,
    classes: Sequence[str],
    eval_config: tfma.EvalConfig,
    *,
    has_baseline: bool,
) -> bool:
    """Writes the summary beside TFMA's own files.

    Args:
        evaluation_dir: Folder of TFMA's output.
        task: What was evaluated.
        classes: Word of each class id; empty in a regression.
        eval_config: The metrics and thresholds that were evaluated.
        has_baseline: Whether a baseline was evaluated too.

    Returns:
        Whether every check holds that can be made.
    """
    candidate = _load(evaluation_dir, tfma.CANDIDATE_KEY if has_baseline else "")
    baseline = _load(evaluation_dir, tfma.BASELINE_KEY) if has_baseline else {}
    # In a binary task only the positive class has metrics of its own.
    words = [] if task == "binary" else classes
    slices = [
        {
            "slice": dict(key),
            "metrics": _defined(values_of(results, words)),
            "baseline": _defined(values_of(baseline[key], words)) if key in baseline else None,
        }
        for key, results in sorted(candidate.items(), key=lambda item: (len(item[0]), item[0]))
    ]
    figures = _drawn(candidate[()], task, classes)
    matrix = figures.get(CONFUSION_MATRIX, [])
    absent = {word for word, row in zip(words, matrix, strict=False) if not any(row)}
    checks = list(
        make_checks(
            values_of(candidate[()], words),
            values_of(baseline.get((), {}), words),
            eval_config,
            absent,
        )
    )
    summary = {"task": task, "slices": slices, **figures, "checks": checks}
    with fileio.open(os.path.join(evaluation_dir, SUMMARY_FILE), "w") as file:
        file.write(json.dumps(summary))
    return all(check["holds"] for check in checks)


def _drawn(results: Mapping[str, Any], task: Task, classes: Sequence[str]) -> dict[str, Any]:
    """Gives what figures are drawn from."""
    if task == "regression":
        return {HISTOGRAMS: _read_json(results, HISTOGRAMS)}
    curves = zip(classes, _read_json(results, CURVES), strict=True)
    return {
        "classes": list(classes),
        CONFUSION_MATRIX: _confusion_matrix(results),
        CURVES: dict(list(curves)[-1:] if task == "binary" else curves),
    }


def _load(evaluation_dir: str, model_name: str) -> dict[tuple[Any, ...], Any]:
    """Loads one model's metrics by slice key, as TFMA nests them: sub key, metric, value."""
    result = tfma.load_eval_result(evaluation_dir, model_name=model_name)
    return {key: outputs[""] for key, outputs in result.slicing_metrics}


def values_of(results: Mapping[str, Any], classes: Sequence[str]) -> Metrics:
    """Names the metrics of a slice: `accuracy`, `precision/setosa`; NaN where one is undefined.

    Metrics of a class have no class in their name if `classes` is empty.
    """
    metrics = {}
    for sub_key, values in results.items():
        is_named = sub_key and classes
        suffix = f"/{classes[int(sub_key.removeprefix('classId:'))]}" if is_named else ""
        for name, value in values.items():
            if "doubleValue" in value and not name.endswith(_DIFFERENCE):
                metrics[f"{name}{suffix}"] = float(value["doubleValue"])
    return metrics


def _defined(metrics: Metrics) -> Metrics:
    return {name: value for name, value in metrics.items() if math.isfinite(value)}


def _confusion_matrix(results: Mapping[str, Any]) -> list[list[float]]:
    """Reads the weights of examples by true class (row) and predicted class, whole ones as int."""
    matrix: list[list[float]] = _read_json(results, CONFUSION_MATRIX)
    return [
        [int(weight) if weight.is_integer() else round(weight, 6) for weight in row]
        for row in matrix
    ]


def _read_json(results: Mapping[str, Any], name: str) -> Any:
    """Reads a metric that is JSON as bytes."""
    return json.loads(base64.b64decode(results[""][name]["bytesValue"]))


def make_checks(
    metrics: Metrics,
    baseline: Metrics,
    eval_config: tfma.EvalConfig,
    absent: Collection[str] = (),
) -> Iterator[dict[str, Any]]:
    """Holds the whole split's metrics against every threshold.

    Args:
        metrics: Metrics of the candidate, NaN where one is undefined.
        baseline: The same of the baseline; empty if there is none.
        eval_config: The thresholds.
        absent: Classes that have no examples in the split.

    Yields:
        The checks of the summary.
    """
    for name, threshold in thresholds_of(eval_config):
        for metric, value in metrics.items():
            kind, _, word = metric.partition("/")
            if kind == name:
                is_absent = math.isnan(value) and word in absent
                skipped = NO_EXAMPLES if is_absent else None
                yield from _bounds(metric, value, baseline.get(metric), threshold, skipped)


def thresholds_of(eval_config: tfma.EvalConfig) -> Iterator[tuple[str, tfma.MetricThreshold]]:
    """Lists the metrics that have a threshold, with it."""
    for spec in eval_config.metrics_specs:
        for metric in spec.metrics:
            for per_slice in metric.per_slice_thresholds:
                yield json.loads(metric.config)["name"], per_slice.threshold


def _bounds(
    metric: str,
    value: float,
    baseline: float | None,
    threshold: tfma.MetricThreshold,
    skipped: str | None,
) -> Iterator[dict[str, Any]]:
    """Checks one metric; no bound holds of what is undefined, unless it is skipped."""
    fixed, change = threshold.value_threshold, threshold.change_threshold
    if fixed.HasField("lower_bound"):
        limit = fixed.lower_bound.value
        yield _check(metric, "min", limit, value, value - limit, skipped)
    if fixed.HasField("upper_bound"):
        limit = fixed.upper_bound.value
        yield _check(metric, "max", limit, value, limit - value, skipped)
    if change.HasField("absolute") and baseline is not None:
        limit, difference = change.absolute.value, value - baseline
        lower_is_better = change.direction == tfma.MetricDirection.LOWER_IS_BETTER
        margin = limit - difference if lower_is_better else difference - limit
        if math.isnan(baseline):
            skipped = skipped or NO_BASELINE
        yield _check(metric, "change", limit, difference, margin, skipped)


def _check(
    metric: str, bound: str, limit: float, value: float, margin: float, skipped: str | None
) -> dict[str, Any]:
    """Makes a check of the summary; the margin is NaN where the bound cannot hold."""
    return {
        "metric": metric,
        "bound": bound,
        "limit": limit,
        "value": value,
        "holds": margin >= 0 or skipped is not None,
        "margin": margin if math.isfinite(margin) else None,
        "skipped": skipped,
    }
