"""Finds what the values of the label ask for: the task, the positive class, a person's look."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pipeline.data.class_labels import MAX_CLASSES
from pipeline.data.class_names import name_classes
from pipeline.data.column_profile import ColumnProfile
from pipeline.data.column_traits import is_few_integers
from pipeline.data.describe_column import describe_column, summarize
from pipeline.data.findings import ColumnSummary, Finding
from pipeline.data.row_ids import MAX_DISTINCT_SHARE
from pipeline.errors import DataError
from tabular.csv.column_rules import SIGNED_NUMBER, quote
from tabular.csv.types import ColumnType
from trainer.classes import class_order
from trainer.settings.features import Boolean
from trainer.settings.train import Task

_NUMBER = re.compile(SIGNED_NUMBER)
_FEW = 0.05
"""Share of labels up to which words among numbers may be mistakes."""


def by_class(label: ColumnProfile, decimal: str) -> ColumnProfile:
    """Counts the classes of a label in place of the ways in which they are written.

    Args:
        label: The profile of the column, without blanks around its labels.
        decimal: Decimal point of numbers.

    Returns:
        The profile, of kind `words` if whole numbers are words since some have leading zeros. The
        same if there are too many different labels, or if they are not classes.
    """
    if label.values is None:
        return label
    is_number = label.kind in ("integer", "number")
    # A few cells of a column of numbers may be something else; their rows are put aside.
    words = [
        word
        for word in label.values
        if not is_number or _NUMBER.fullmatch(word.replace(decimal, "."))
    ]
    classes = name_classes(words, decimal)
    if classes.column_type not in (ColumnType.INT, ColumnType.BYTES):
        return label
    counts: Counter[str] = Counter()
    for word in words:
        counts[classes.of_label[word]] += label.values[word]
    kind = label.kind
    if is_number:
        kind = "integer" if classes.column_type == ColumnType.INT else "words"
    return replace(
        label,
        kind=kind,
        values=dict(counts),
        distinct=len(counts),
        distinct_share=len(counts) / counts.total(),
        least=None if label.least is None else label.least + 0.0,  # which makes -0 to 0
    )


def choose_task(data: Path, label: ColumnProfile, wanted: Task | None) -> Task:
    """Chooses the task by the values of the label, or checks that the wanted one fits them.

    Args:
        data: The files.
        label: The profile of the label, by class.
        wanted: The task that the user wants; None if the label decides.

    Raises:
        DataError: If they cannot be learned, or not by that task.
    """
    _check_differ(data, label)
    if wanted is None:
        return _guess_task(data, label)
    allowed: list[Task] = ["regression"] if _are_numbers(label) else []
    if label.kind != "number" and label.distinct <= MAX_CLASSES:
        allowed += ["binary", "multiclass"] if label.distinct == 2 else ["multiclass"]
    if wanted not in allowed:
        raise DataError(
            f"{data}: {label.name}: the label has {describe_column(label)}, which --task {wanted}"
            f" does not allow; expected {' or '.join(allowed) or 'another label'}: correct --task"
            " or --label"
        )
    return wanted


def _guess_task(data: Path, label: ColumnProfile) -> Task:
    if label.kind == "number":
        return "regression"
    if label.distinct == 2:
        return "binary"
    if label.kind == "integer" and not is_few_integers(label):
        return "regression"
    if label.distinct > MAX_CLASSES or label.distinct_share > MAX_DISTINCT_SHARE:
        if _are_numbers(label):
            return "regression"
        raise DataError(
            f"{data}: {label.name}: {describe_column(label)} in {label.rows:,} rows are too many"
            " for classes: name another column with --label"
        )
    return "multiclass"


def _are_numbers(label: ColumnProfile) -> bool:
    if label.values is None:
        return label.kind in ("integer", "number")
    return all(map(_NUMBER.fullmatch, label.values))


def _check_differ(data: Path, label: ColumnProfile) -> None:
    """Checks that there are labels, and that they differ."""
    place = f"{data}: {label.name}"
    if not label.distinct:
        raise DataError(
            f"{place}: the label is missing in all {label.rows:,} rows; expected labels: fill them"
            " in, or name another column with --label"
        )
    if label.distinct < 2:
        raise DataError(
            f"{place}: every row has the label {quote(next(iter(label.values or ())))}; expected at"
            " least 2: add rows of another, or name another column with --label"
        )


def guess_positive(label: ColumnProfile) -> str:
    """Returns the class that means yes, else the last in order.

    Args:
        label: The profile of the label, by class.
    """
    names = sorted(label.values or (), key=lambda name: class_order(name.encode()))
    if label.kind == "boolean":
        names = [name for name in names if name.lower() in Boolean().true_words] or names
    return names[-1]


def summarize_label(
    label: ColumnProfile, task: Task, findings: tuple[Finding, ...]
) -> ColumnSummary:
    """Tells what the label's column is.

    Args:
        label: The profile of the column, by class.
        task: The task that was chosen by it.
        findings: What else was found.
    """
    return summarize(label, "label", (*_find_in_label(label, task), *findings))


def _find_in_label(label: ColumnProfile, task: Task) -> Iterator[Finding]:
    """Yields what the owner of the data should know of the label."""
    if label.missing:
        yield Finding(
            f"{label.missing:,} of {label.rows:,} rows have no label and are left out"
            " (data.unlabeled: skip)",
            look=True,
        )
    if label.kind == "integer" and task == "multiclass":
        yield Finding(
            f"{label.distinct} whole numbers are learned as classes, in no order; if they are"
            " counts or grades, init --task regression learns them as numbers",
            look=True,
        )
    is_like_classes = label.distinct <= MAX_CLASSES and label.distinct_share <= MAX_DISTINCT_SHARE
    if label.kind == "integer" and task == "regression" and is_like_classes:
        yield Finding(
            f"{label.distinct} whole numbers are learned as numbers; if each is a class of its own,"
            " init --task multiclass learns them so"
        )
    if task == "regression":
        return
    if label.null_words:
        yield Finding(
            f"{' and '.join(map(quote, label.null_words))} is learned as a class; if it means that"
            " the label is missing, list it in data.csv.null_values and set data.unlabeled to skip",
            look=True,
        )
    if odd := _words_among_numbers(label):
        yield Finding(
            f"{' and '.join(map(quote, odd))} makes words of all labels, most of which are whole"
            " numbers; if it is a mistake, correct it",
            look=True,
        )


def _words_among_numbers(label: ColumnProfile) -> list[str]:
    """Lists the labels that are not numbers, if nearly all others are."""
    counts = label.values or {}
    odd = [word for word in counts if not _NUMBER.fullmatch(word) and word not in label.null_words]
    share = sum(counts[word] for word in odd) / max(sum(counts.values()), 1)
    return odd if share <= _FEW else []
