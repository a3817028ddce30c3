"""`summary.json`: what an evaluation found, readable without TFMA.

    {"task": "multiclass",
     "slices": [{"slice": {}, "metrics": {"accuracy": 0.96, "precision/setosa": 1.0, ...},
                 "baseline": {"accuracy": 0.94, ...} or null}, ...],
     "classes": ["setosa", ...],
     "confusion_matrix": [[16, 0, 0], ...],       rows are true classes, columns predicted ones
     "curves": {"setosa": {"roc": [[0.0, 0.0], [0.0, 0.9], ...], "auc": 0.99,
                           "calibration": [[0.03, 0.0, 12], ...]}, ...},
     "checks": [{"metric": "accuracy", "bound": "min", "limit": 0.9, "value": 0.96, "holds": true,
                 "margin": 0.06, "skipped": null}]}

The task is `multiclass`, `binary` or `regression`. The first slice is the whole split that the
model is judged by; confusion matrix, curves, histograms and checks are of it. A metric that is
undefined in a slice, as the recall of a class not in it, is absent. Where examples have weights,
everything but `example_count` is weighted.

A class's curves take it against all others. `roc` is false and true positive rate by falling
threshold; it and `auc`, the area under it, are absent where the split has no example of the class
or none of another. `calibration` is, of each tenth of the probabilities that has examples, the mean
probability, the share that is of the class, and the number of examples.

In a binary task `precision`, `recall` and `auc` are those of the positive class, the second of
`classes`, and so are the curves, of which there are no others.

A regression has, in place of classes, confusion matrix and curves,

     "histograms": {"actual_predicted": {"widths": [0.5, 0.25], "cells": [[4, 9, 12.0], ...]},
                    "predicted_residual": {...}}

that count examples by label and prediction, and by prediction and residual, which is the label less
the prediction. Bin `k` of an axis goes from `k` of its widths to `k + 1`; a cell is the bins along
both axes and the number of examples there. Both are absent if no prediction is finite.

A bound is `min`, `max` or `change`, the difference to the baseline, which is then also the check's
value. The margin is by how much the bound holds, negative where it does not. The checks on an
undefined metric do not hold, and have the value NaN and the margin null; but where the split has no
examples of the class, or the metric was undefined for the baseline that is compared with, the check
is skipped: `skipped` says why, and nothing is held against the model.
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


def skipped_checks(summary: Mapping[str, Any]) -> list[str]:
    """Says of each bound that nothing is held against, which it is and why."""
    return [
        f"{check['metric']} {check['bound']} {check['limit']:.4g}: {check['skipped']}"
        for check in summary["checks"]
        if check["skipped"] is not None
    ]
