"""`serving_check.json`: the results of the serving check, readable without TensorFlow.

    {"rows": 57, "faults": ["serving_default: probabilities is NaN ..."],
     "greatest_difference": 1.2e-07, "milliseconds": 0.4}

The last two are absent if the model could not be run.
"""

import json
from pathlib import Path
from typing import Any

REPORT_FILE = "serving_check.json"


def read_report(blessing_dir: str | Path) -> dict[str, Any]:
    """Reads the report of a check.

    Args:
        blessing_dir: Folder of the blessing artifact.

    Returns:
        The object described above.
    """
    report: dict[str, Any] = json.loads(Path(blessing_dir, REPORT_FILE).read_text("utf-8"))
    return report
