"""`summary.json`: the results of an evaluation, readable without TFMA.

    {"task": "multiclass",
     "slices": [{"slice": {}, "metrics": {"accuracy": 0.96, "precision/setosa": 1.0, ...},
                 "baseline": {"accuracy": 0.94, ...} or null}, ...],
     "classes": ["setosa", ...],
     "confusion_matrix": [[16, 0, 0], ...],       rows are true classes, columns predicted ones
     "curves": {"setosa": {"roc": [[0.0, 0.0], [0.0, 0.9], ...], "auc": 0.99,
                           "calibration": [[0.03, 0.0, 12], ...]}, ...},
     "checks": [{"metric": "accuracy", "bound": "min", "limit": 0.9, "value": 0.96, "holds": true,
                 "margin": 0.06, "skipped": null}],
     "baseline_obstacle": null}

The task is `multiclass`, `binary` or `regression`. The first slice is the whole split that the
model is judged by; confusion matrix, curves, histograms and checks are over the whole split, too. A
metric that is undefined in a slice, such as the recall of a class without examples, is absent. If
the examples have weights, everything but `example_count` is weighted.

The curves of a class compare it with all other classes. `roc` holds false and true positive rate by
falling threshold, and `auc` is the area under it; both are absent unless the split has examples
both of the class and of others. `calibration` holds, for each tenth of the range of probabilities
that has examples, the mean probability, the share of examples that are of the class, and the number
of examples.

In a binary task, `precision`, `recall`, `auc` and the curves are those of the positive class, the
second one of `classes`.

A regression has histograms in place of classes, confusion matrix and curves:

     "histograms": {"actual_predicted": {"widths": [0.5, 0.25], "cells": [[4, 9, 12.0], ...]},
                    "predicted_residual": {...}}

They count examples by label and prediction, and by prediction and residual, which is label -
prediction. Bin `k` of an axis goes from `k` to `k + 1` times its width. A cell holds the bins along
both axes and the number of examples. Both histograms are absent if no prediction is finite.

A bound is `min`, `max` or `change`; for `change`, the value of the check is the difference to the
baseline. The margin is the distance to the limit, negative if the bound is missed. A check of an
undefined metric does not hold; its value is NaN and its margin null. If, however, the split has no
examples of the class, or the metric is undefined for the baseline, the check is skipped: it counts
as holding, and `skipped` says why. So are the checks against a baseline that cannot be evaluated,
for instance because it reads a column that the data no longer has; `baseline_obstacle` says why.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SUMMARY_FILE = "summary.json"


def read_summary(evaluation_dir: str | Path) -> dict[str, Any]:
    """Reads the summary of an evaluation.

    Args:
        evaluation_dir: Folder of the evaluation artifact.

    Returns:
        The object described above.
    """
    summary: dict[str, Any] = json.loads(Path(evaluation_dir, SUMMARY_FILE).read_text("utf-8"))
    return summary


def baseline_obstacle(summary: Mapping[str, Any]) -> str | None:
    """Says why the model was not compared with the baseline that there is; None if it was."""
    obstacle: str | None = summary.get("baseline_obstacle")
    return obstacle


def skipped_checks(summary: Mapping[str, Any]) -> list[str]:
    """Describes each skipped check with the reason."""
    return [
        f"{check['metric']} {check['bound']} {check['limit']:.4g}: {check['skipped']}"
        for check in summary["checks"]
        if check["skipped"] is not None
    ]
