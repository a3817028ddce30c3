"""Names that MLflow takes."""

import hashlib
import re

RUN_ID_TAG = "tfx.pipeline_run_id"
"""The tag by which the MLflow run of a pipeline run is found."""
TUNED_TAG = "tuned."
"""Before a setting that a sweep has found; the tag's value is the setting's, as JSON."""
TRIAL_NUMBER_TAG = "tuner.best_trial"
WARNINGS_TAG = "data.warnings"
"""What is wrong with the data that a run went on with."""
MAX_NAME_CHARS = 250


def entity_name(name: str) -> str:
    """Makes a name of a metric or parameter that MLflow takes.

    Args:
        name: Any text: a class's word or a slice's value may be part of it.

    Returns:
        The text with `_` for whatever MLflow allows in no name; a text that is too long ends in a
        digest of it instead.
    """
    allowed = re.sub(r"[^/\w.\- :]", "_", name)
    path = "/".join(part if part.strip(".") else "_" for part in allowed.split("/"))
    if len(path) <= MAX_NAME_CHARS:
        return path
    digest = hashlib.sha256(path.encode()).hexdigest()[:16]
    return f"{path[: MAX_NAME_CHARS - 17]}-{digest}"
