"""Renders an inspection as a commented configuration."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from pipeline.data.findings import LOOK_MARK, ColumnSummary
from pipeline.errors import printable
from pipeline.init.inspect_csv import Inspection
from pipeline.settings.data import CsvSettings
from trainer.settings.column_names import fault_of_name

_PLAIN = re.compile(r"(?!(?i:true|false|yes|no|on|off|null|y|n)$)[A-Za-z][A-Za-z0-9_-]*")
_MIN_STEPS, _MAX_STEPS, _EPOCHS = 300, 10_000, 30
_BATCH_SIZES = ((2_000, 32), (20_000, 100), (200_000, 256), (math.inf, 1024))
_MANY_ROWS = 20_000

_CSV_COMMENTS = {
    "separator": "Character between cells.",
    "header": "Whether the first line names the columns.",
    "names": "Names of the columns, which the file does not have.",
    "rename": "Titles that cannot be names of columns, to names.",
    "comment": "Character at the start of comment lines.",
    "skip_lines": "Lines above the header that are not read.",
    "null_values": "Words that mean a missing value, besides the empty cell.",
    "decimal": "Decimal point of numbers.",
    "encoding": "Encoding of the text.",
    "numbers": "How the numbers of columns are written, if not as -1234.5.",
}


def render(found: Inspection, train_share: int, eval_share: int) -> str:
    """Renders a configuration.

    Args:
        found: The settings that the inspection found.
        train_share: Share of the rows to train on.
        eval_share: Share of the rows to evaluate on.

    Returns:
        YAML with comments.
    """
    labeled = found.label.rows - found.label.missing
    train_rows = labeled * train_share // (train_share + eval_share)
    lines = [
        "# A first configuration by pipeline init, to be edited; the documentation lists all",
        "# settings. Relative paths start at this folder.",
        "",
        "# Name of the pipeline, of its MLflow experiment and of its served model.",
        f"name: {_scalar(found.name)}",
        "",
        "# What is predicted: multiclass, binary (one of two classes), or regression (a number).",
        f"task: {found.task}",
        "",
        *_data(found, train_share, eval_share),
        "",
        *_features(found),
        "",
        *_model(train_rows),
        "",
        *_evaluation(found),
    ]
    return "\n".join(lines) + "\n"


def _data(found: Inspection, train_share: int, eval_share: int) -> Iterator[str]:
    yield "data:"
    yield "  # A CSV file, or a folder of them."
    yield f"  path: {_scalar(found.data)}"
    for finding in found.findings:
        yield f"  # {printable(_mark(finding.text, finding.look))}"
    yield from _csv(found.csv)
    yield f"  # The column to predict: {_comment(found.summary.columns[0])}."
    yield f"  label: {_scalar(found.label.name)}"
    if found.positive is not None:
        yield "  # The positive class; precision, recall and auc are those of this class."
        yield f"  positive: {_scalar(found.positive)}"
    if found.label.missing:
        yield "  # Rows without a label are left out; error: a run stops at them."
        yield "  unlabeled: skip"
    if found.quarantined:
        yield "  # Rows that may be left out as cells cannot be used; they are kept in a file."
        yield f"  quarantine: {{max_rows: {found.quarantined}}}"
    yield "  # Shares of the rows to train on and to evaluate on, by a hash of the row."
    yield "  split:"
    yield f"    train: {train_share}"
    yield f"    eval: {eval_share}"


def _csv(settings: CsvSettings) -> Iterator[str]:
    """Renders the settings that are not the default."""
    changed = {
        name: value
        for name, value in settings
        if value != CsvSettings.model_fields[name].get_default()
    }
    if changed:
        yield "  csv:"
    for name, value in changed.items():
        yield f"    # {_CSV_COMMENTS[name]}"
        if name == "numbers":
            yield "    numbers:"
            for column, numbers in settings.numbers.items():
                yield f"      {_scalar(column)}: {_value(numbers.compact())}"
        else:
            yield f"    {name}: {_value(value)}"


def _features(found: Inspection) -> Iterator[str]:
    yield "# The columns that the model reads, each with its kind: numeric, bucketized,"
    yield "# categorical, boolean, datetime, tags, text, crossed; ignore: not read; auto: chosen by"
    yield "# each run."
    yield "features:"
    for name, choice in found.features.items():
        line = f"{_scalar(name)}: {_value(choice.feature.model_dump())}"
        mark = "# " if fault_of_name(name) else ""
        yield f"  {mark}{line}  # {_comment(choice.summary)}"


def _model(train_rows: int) -> Iterator[str]:
    batch_size = next(size for rows, size in _BATCH_SIZES if train_rows < rows)
    steps = min(max(_EPOCHS * train_rows // batch_size, _MIN_STEPS), _MAX_STEPS) // 100 * 100
    yield "model:"
    yield "  # dnn: fully connected layers; linear; wide_deep: both."
    yield "  type: dnn"
    yield "  # Units of each hidden layer, first to last."
    yield f"  hidden_units: {[64, 32] if train_rows >= _MANY_ROWS else [32, 16]}"
    yield "  # The optimizer and its step size."
    yield "  optimizer: adam"
    yield f"  learning_rate: {0.001 if train_rows >= _MANY_ROWS else 0.01}"
    yield ""
    yield "train:"
    yield f"  # Training steps, one batch each: {_epochs(steps * batch_size, train_rows)}"
    yield f"  steps: {steps}"
    yield "  # Examples per training step."
    yield f"  batch_size: {batch_size}"
    yield "  # Steps between checkpoints; each is evaluated on the whole eval split."
    yield f"  eval_every_steps: {steps // 5}"
    yield "  # Steps between the points of the training curves."
    yield f"  summary_every_steps: {steps // 50}"


def _epochs(examples: int, rows: int) -> str:
    epochs = examples / max(rows, 1)
    return f"each example is seen about {epochs:.0f} times." if epochs >= 2 else "one epoch or so."


def _evaluation(found: Inspection) -> Iterator[str]:
    yield "evaluation:"
    yield "  # The model is blessed, and then pushed, only if every bound holds: min, max, and"
    yield "  # max_worsening, which is how much worse than the latest blessed model it may be."
    yield "  thresholds:"
    if found.task == "regression":
        yield "    # Better than always answering the mean; 1 is without error."
        yield "    r2:"
        yield "      min: 0"
        return
    share = found.label.top_share or 0.0
    yield f"    # At least as good as always answering the most frequent class ({share:.3g})."
    yield "    accuracy:"
    yield f"      min: {math.floor(share * 100) / 100}"
    if found.task == "binary":
        yield "    # Better than chance at telling the two apart; 1 is without error."
        yield "    auc:"
        yield "      min: 0.5"


def _value(value: Any) -> str:
    """Renders a setting in one line."""
    if isinstance(value, str):
        return _scalar(value)
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_scalar(key)}: {_value(item)}' for key, item in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if value is None or isinstance(value, bool):
        return {True: "true", False: "false", None: "null"}[value]
    return str(value)


def _scalar(text: str) -> str:
    """Renders a text in one line, quoted if YAML would read it as something else."""
    if _PLAIN.fullmatch(text):
        return text
    # Between double quotes, PyYAML writes characters such as emoji as codes.
    style = "'" if text.isprintable() and max(text, default="") > "\uffff" else '"'
    quoted: str = yaml.safe_dump(text, default_style=style, allow_unicode=True, width=math.inf)
    return quoted.strip()


def _comment(column: ColumnSummary) -> str:
    """Renders what was found in a column, and why it becomes what it does."""
    text = ": ".join(filter(None, [column.found, column.why]))
    return printable(_mark(text, column.needs_look))


def _mark(text: str, needs_look: bool) -> str:
    return f"{LOOK_MARK} {text}" if needs_look else text
