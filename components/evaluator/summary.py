"""`summary.json`: what an evaluation found, readable without TFMA.

    {"classes": ["setosa", ...],
     "slices": [{"slice": {}, "metrics": {"accuracy": 0.96, "precision/setosa": 1.0, ...},
                 "baseline": {"accuracy": 0.94, ...} or null}, ...],
     "confusion_matrix": [[16, 0, 0], ...],       rows are true classes, columns predicted ones
     "curves": {"setosa": {"roc": [[0.0, 0.0], [0.0, 0.9], ...], "auc": 0.99,
                           "calibration": [[0.03, 0.0, 12], ...]}, ...},
     "checks": [{"metric": "accuracy", "bound": "min", "limit": 0.9, "value": 0.96, "holds": true,
                 "margin": 0.06}]}

The first slice is the whole eval split; confusion matrix, curves and checks are of it. A metric
that is undefined in a slice, as the recall of a class not in it, is absent.

A class's curves take it against all others. `roc` is false and true positive rate by falling
threshold; it and `auc`, the area under it, are absent where the split has no example of the class
or none of another. `calibration` is, of each tenth of the probabilities that has examples, the mean
probability, the share that is of the class, and the number of examples.

A bound is `min`, `max` or `change`, the difference to the baseline, which is then also the check's
value. The margin is by how much the bound holds, negative where it does not. The checks on an
undefined metric do not hold, and have the value NaN and the margin null; nor does a change against
a baseline of 0, whose margin is null too.
"""

import json
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
