"""Tags and names of metrics and parameters in MLflow."""

import hashlib
import re

RUN_ID_TAG = "tfx.pipeline_run_id"
"""Tag by which the MLflow run of a pipeline run is found."""
TUNED_TAG = "tuned."
"""Prefix of the tags with the settings that a sweep found; their values are JSON."""
TRIAL_NUMBER_TAG = "tuner.best_trial"
WARNINGS_TAG = "data.warnings"
"""Tag with the problems in the data that did not stop the run."""
MAX_NAME_CHARS = 250


def entity_name(name: str) -> str:
    """Makes a valid name of a metric or parameter.

    Args:
        name: Any text; it may contain the name of a class or the value of a slice.

    Returns:
        The text with `_` in place of characters that MLflow does not allow. If it is too long, its
        end is replaced by a digest.
    """
    allowed = re.sub(r"[^/\w.\- :]", "_", name)
    path = "/".join(part if part.strip(".") else "_" for part in allowed.split("/"))
    if len(path) <= MAX_NAME_CHARS:
        return path
    digest = hashlib.sha256(path.encode()).hexdigest()[:16]
    return f"{path[: MAX_NAME_CHARS - 17]}-{digest}"
