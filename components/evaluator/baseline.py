"""Whether a baseline can be evaluated on the examples that the candidate is evaluated on."""

import json
import os
from collections.abc import Iterator, Mapping

from tfx.dsl.io import fileio

from components.evaluator.classes import read_classes
from tabular.examples.columns import Columns
from trainer.signatures import SIGNATURE_FILE

_MAX_NAMED = 3


def why_incomparable(candidate_dir: str, baseline_dir: str, columns: Columns) -> str | None:
    """Says why a baseline cannot be compared with a candidate; None if it can.

    Args:
        candidate_dir: Folder of the candidate's SavedModel.
        baseline_dir: Folder of the baseline's SavedModel.
        columns: The columns of the examples.
    """
    if read_classes(baseline_dir) != read_classes(candidate_dir):
        return "the baseline has other classes"
    changed = list(_changed_columns(_read_inputs(baseline_dir), columns))
    if not changed:
        return None
    more = f" and {len(changed) - _MAX_NAMED} more" if len(changed) > _MAX_NAMED else ""
    return f"the baseline reads {', '.join(changed[:_MAX_NAMED])}{more}"


def _changed_columns(inputs: Mapping[str, str], columns: Columns) -> Iterator[str]:
    """Describes the columns that a model reads and that the examples lack or hold otherwise."""
    for name, dtype in inputs.items():
        if name not in columns:
            yield f"'{name}', which the data no longer has"
        elif columns[name] != dtype:
            yield f"'{name}' as {dtype}, which is {columns[name]} now"


def _read_inputs(saved_model_dir: str) -> dict[str, str]:
    """Reads the raw columns that a model reads, with their types; empty if it does not say."""
    path = os.path.join(saved_model_dir, "assets.extra", SIGNATURE_FILE)
    if not fileio.exists(path):
        return {}
    with fileio.open(path) as file:
        return {name: tensor["dtype"] for name, tensor in json.loads(file.read())["inputs"].items()}
