"""Tags and names of metrics and parameters in MLflow."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable

from trainer.settings.column_names import escape, escape_one
from trainer.settings.dotted_keys import split_key

RUN_ID_TAG = "tfx.pipeline_run_id"
"""Tag by which the MLflow run of a pipeline run is found."""
TUNED_TAG = "tuned."
"""Prefix of the tags with the settings that a sweep found; their values are JSON."""
TRIAL_NUMBER_TAG = "tuner.best_trial"
WARNINGS_TAG = "data.warnings"
"""Tag with the problems in the data that did not stop the run."""
MAX_NAME_CHARS = 250
_EMPTY_PART = re.compile(r"^/|/(?=/|$)|(?:(?<=/)|^)\.{1,2}(?=/|$)")
"""A slash after which a part is empty or before which it is, and a part of points."""


def entity_name(name: str) -> str:
    """Makes a valid name of a metric, parameter or tag, so that no two names become equal.

    MLflow allows letters of all alphabets, digits, blanks and `_.-:/`. Other characters are escaped
    as `trainer.settings.column_names.escape` does, whose `unescape` gives the name back; so are
    slashes and points that would make a path with empty parts, `.` or `..`.

    >>> entity_name("features.Width (cm)")
    'features.Width .x28.cm.x29.'

    Args:
        name: Any text; it may contain the name of a column or class, or the value of a slice.

    Returns:
        The name. If it is too long, its end is replaced by a digest.
    """
    path = _EMPTY_PART.sub(_escape_all, escape(name, r"/\w\- :"))
    if len(path) <= MAX_NAME_CHARS:
        return path
    digest = hashlib.sha256(path.encode()).hexdigest()[:16]
    return f"{path[: MAX_NAME_CHARS - 17].rstrip('/')}-{digest}"


def param_names(keys: Iterable[str]) -> dict[str, str]:
    """Names the parameters of settings: without the quotes of their paths, unless two were equal.

    >>> param_names(['features."sepal.length"'])
    {'features."sepal.length"': 'features.sepal.length'}

    Args:
        keys: Paths, as `trainer.settings.dotted_keys.join_key` writes them.

    Returns:
        Path to name in MLflow.
    """
    plain = {key: ".".join(split_key(key)[0]) for key in keys}
    counts = Counter(plain.values())
    return {key: entity_name(key if counts[text] > 1 else text) for key, text in plain.items()}


def _escape_all(found: re.Match[str]) -> str:
    return "".join(map(escape_one, found[0]))
