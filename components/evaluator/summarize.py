"""Writes `summary.json` from the results that TFMA wrote."""

import base64
import json
import math
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import tensorflow_model_analysis as tfma
from tfx.dsl.io import fileio

from components.evaluator.summary import SUMMARY_FILE
from components.evaluator.thresholds import Bounds, Thresholds
from trainer.settings.train import Task

CONFUSION_MATRIX = "confusion_matrix"
CURVES = "curves"
HISTOGRAMS = "histograms"
_DIFFERENCE = "_diff"
"""Ending of the metric names under which TFMA gives differences to the baseline."""

NO_EXAMPLES = "the split has no examples of the class"
NO_BASELINE = "undefined for the baseline"
"""Why a check is skipped."""

Metrics = dict[str, float]


def write_summary(
    evaluation_dir: str,
    task: Task,
    classes: Sequence[str],
    thresholds: Thresholds,
    *,
    has_baseline: bool,
    obstacle: str | None = None,
) -> bool:
    """Writes the summary beside TFMA's files, and tells whether the model is to be blessed.

    Args:
        evaluation_dir: Folder that TFMA wrote to.
        task: What the model predicts.
        classes: Word of each class id; empty in a regression.
        thresholds: Bounds by metric.
        has_baseline: Whether a baseline was evaluated too.
        obstacle: Why a baseline that there is was not; None otherwise.

    Returns:
        Whether all checks hold; skipped ones count as holding.
    """
    candidate = _load(evaluation_dir, tfma.CANDIDATE_KEY if has_baseline else "")
    baseline = _load(evaluation_dir, tfma.BASELINE_KEY) if has_baseline else {}
    # In a binary task the class metrics are those of the positive class, and not named after it.
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
            thresholds,
            absent,
            obstacle,
        )
    )
    summary = {
        "task": task,
        "slices": slices,
        **figures,
        "checks": checks,
        "baseline_obstacle": obstacle,
    }
    with fileio.open(os.path.join(evaluation_dir, SUMMARY_FILE), "w") as file:
        file.write(json.dumps(summary))
    return all(check["holds"] for check in checks)


def _drawn(results: Mapping[str, Any], task: Task, classes: Sequence[str]) -> dict[str, Any]:
    """Reads the parts of the summary that figures are drawn from."""
    if task == "regression":
        return {HISTOGRAMS: _read_json(results, HISTOGRAMS)}
    curves = zip(classes, _read_json(results, CURVES), strict=True)
    return {
        "classes": list(classes),
        CONFUSION_MATRIX: _confusion_matrix(results),
        CURVES: dict(list(curves)[-1:] if task == "binary" else curves),
    }


def _load(evaluation_dir: str, model_name: str) -> dict[tuple[Any, ...], Any]:
    """Loads the metrics of one model: slice key to sub key to metric to value."""
    result = tfma.load_eval_result(evaluation_dir, model_name=model_name)
    return {key: outputs[""] for key, outputs in result.slicing_metrics}


def values_of(results: Mapping[str, Any], classes: Sequence[str]) -> Metrics:
    """Names the metrics of a slice, as in `accuracy` and `precision/setosa`.

    Args:
        results: Sub key to metric to value, as TFMA gives them.
        classes: Word of each class id; if it is empty, the names of class metrics have no class.

    Returns:
        Value by name, NaN if undefined. Values that are not numbers are left out.
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
    """Reads the weights of the examples by true class (row) and predicted class (column).

    Whole weights become int, so that plain counts are written without a point.
    """
    matrix: list[list[float]] = _read_json(results, CONFUSION_MATRIX)
    return [
        [int(weight) if weight.is_integer() else round(weight, 6) for weight in row]
        for row in matrix
    ]


def _read_json(results: Mapping[str, Any], name: str) -> Any:
    """Reads a metric whose value is JSON as bytes."""
    return json.loads(base64.b64decode(results[""][name]["bytesValue"]))


def make_checks(
    metrics: Metrics,
    baseline: Metrics,
    thresholds: Thresholds,
    absent: Collection[str] = (),
    obstacle: str | None = None,
) -> Iterator[dict[str, Any]]:
    """Checks the metrics of the whole split against every threshold.

    Args:
        metrics: Metrics of the candidate; an undefined one is NaN.
        baseline: Metrics of the baseline; empty if there is none.
        thresholds: Bounds by metric.
        absent: Classes that have no examples in the split.
        obstacle: Why there is a baseline without metrics; the bounds against it are then skipped.

    Yields:
        The checks as the summary holds them.
    """
    for name, bounds in thresholds.items():
        for metric, value in metrics.items():
            kind, _, word = metric.partition("/")
            if kind == name:
                is_absent = math.isnan(value) and word in absent
                skipped = NO_EXAMPLES if is_absent else None
                before = math.nan if obstacle else baseline.get(metric)
                yield from _check_bounds(metric, value, before, bounds, skipped, obstacle)


def _check_bounds(
    metric: str,
    value: float,
    baseline: float | None,
    bounds: Bounds,
    skipped: str | None,
    obstacle: str | None,
) -> Iterator[dict[str, Any]]:
    """Checks one metric; an undefined metric fails every bound, unless the check is skipped."""
    if bounds.min is not None:
        yield _make_check(metric, "min", bounds.min, value, value - bounds.min, skipped)
    if bounds.max is not None:
        yield _make_check(metric, "max", bounds.max, value, bounds.max - value, skipped)
    if baseline is None:
        return
    difference = value - baseline
    if math.isnan(baseline):
        skipped = skipped or obstacle or NO_BASELINE
    if bounds.min_change is not None:
        limit = bounds.min_change
        yield _make_check(metric, "change", limit, difference, difference - limit, skipped)
    if bounds.max_change is not None:
        limit = bounds.max_change
        yield _make_check(metric, "change", limit, difference, limit - difference, skipped)


def _make_check(
    metric: str, bound: str, limit: float, value: float, margin: float, skipped: str | None
) -> dict[str, Any]:
    """Makes a check of the summary; a margin that is not finite is written as None."""
    return {
        "metric": metric,
        "bound": bound,
        "limit": limit,
        "value": value,
        "holds": margin >= 0 or skipped is not None,
        "margin": margin if math.isfinite(margin) else None,
        "skipped": skipped,
    }
