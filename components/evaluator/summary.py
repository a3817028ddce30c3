"""`summary.json`: what an evaluation found, readable without TFMA.

    {"classes": ["setosa", ...],
     "slices": [{"slice": {}, "metrics": {"accuracy": 0.96, "precision/setosa": 1.0, ...},
                 "baseline": {"accuracy": 0.94, ...} or null}, ...],
     "confusion_matrix": [[16, 0, 0], ...],       rows are true classes, columns predicted ones
     "checks": [{"metric": "accuracy", "bound": "min", "limit": 0.9, "value": 0.96, "holds": true}]}

The first slice is the whole eval split. A bound is `min`, `max` or `change`, the difference to the
baseline. A metric that is undefined in a slice, as the recall of a class not in it, is absent; the
checks on it do not hold, and have the value NaN.
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
