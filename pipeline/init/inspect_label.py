"""Finds what the values of the label ask for: the task, the positive class, a person's look."""

import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.data.class_labels import MAX_CLASSES
from pipeline.data.column_profile import ColumnProfile
from pipeline.data.feature_choice import (
    MAX_DISTINCT_SHARE,
    commonest_words,
    describe_column,
    describe_missing,
    describe_values,
    is_few_integers,
)
from pipeline.data.findings import ColumnSummary, Finding
from pipeline.errors import DataError
from tabular.csv.column_rules import NUMBER, quote
from trainer.classes import class_order
from trainer.settings.features import Boolean
from trainer.settings.train import Task

_NUMBER = re.compile(NUMBER)


def choose_task(data: Path, label: ColumnProfile, wanted: Task | None) -> Task:
    """Chooses the task by the values of the label, or checks that the wanted one fits them.

    Raises:
        DataError: If they cannot be learned, or not by that task.
    """
    if wanted is None:
        return guess_task(data, label)
    _check_filled(data, label)
    are_numbers = all(map(_NUMBER.fullmatch, label.values or ["x"]))
    is_number = label.kind in ("integer", "number") or are_numbers
    allowed: list[Task] = ["regression"] if is_number else []
    is_class = label.kind != "number" or all(map(_is_whole, label.values or ["0.5"]))
    if is_class and label.distinct <= MAX_CLASSES:
        allowed += ["binary", "multiclass"] if label.distinct == 2 else ["multiclass"]
    if wanted not in allowed:
        raise DataError(
            f"{data}: {label.name}: the label has {describe_column(label)}, which --task {wanted}"
            f" does not allow; expected {' or '.join(allowed) or 'another label'}: correct --task"
            " or --label"
        )
    return wanted


def guess_task(data: Path, label: ColumnProfile) -> Task:
    """Guesses the task from the values of the label.

    Raises:
        DataError: If they cannot be learned.
    """
    _check_filled(data, label)
    is_whole = label.kind == "integer" or all(map(_is_whole, label.values or ["0.5"]))
    if label.kind == "number" and not is_whole:
        return "regression"
    if label.distinct == 2:
        return "binary"
    if label.kind in ("integer", "number") and not is_few_integers(label):
        return "regression"
    if label.distinct > MAX_CLASSES or label.distinct_share > MAX_DISTINCT_SHARE:
        raise DataError(
            f"{data}: {label.name}: {describe_column(label)} in {label.rows:,} rows are too many"
            " for classes: name another column with --label"
        )
    return "multiclass"


def _check_filled(data: Path, label: ColumnProfile) -> None:
    """Checks that every row has a label, and that these differ."""
    place = f"{data}: {label.name}"
    if label.missing:
        raise DataError(
            f"{place}: the label is empty in {label.missing:,} of {label.rows:,} rows; expected one"
            " in each: fill them in, or remove these rows"
        )
    if label.distinct < 2:
        raise DataError(
            f"{place}: every row has the label {quote(next(iter(label.values or ())))}; expected at"
            " least 2: add rows of another, or name another column with --label"
        )


def _is_whole(word: str) -> bool:
    """Whether a word is a whole number, perhaps with a decimal point, such as 1.0."""
    return re.fullmatch(r"-?[0-9]+([.,]0*)?", word) is not None


def guess_positive(label: ColumnProfile) -> str | None:
    """Returns the word for yes, else the last in order, or None if that is a number like 1.0."""
    words = sorted(label.values or (), key=lambda word: class_order(word.encode()))
    true = [
        word for word in words if label.kind == "boolean" and word.lower() in Boolean().true_words
    ]
    word = (true or words)[-1]
    if _is_whole(word):
        return str(int(word)) if word.lstrip("-").isdecimal() else None
    return word


def summarize_label(label: ColumnProfile, task: Task) -> ColumnSummary:
    """Tells what the label's column is.

    Args:
        label: The profile of the column.
        task: The task that was chosen by it.
    """
    return ColumnSummary(
        name=label.name,
        kind=label.kind,
        values=describe_values(label),
        missing=describe_missing(label),
        becomes="label",
        findings=tuple(find_in_label(label, task)),
        commonest=commonest_words(label),
    )


def find_in_label(label: ColumnProfile, task: Task) -> Iterator[Finding]:
    """Yields what the owner of the data should know of the label.

    Args:
        label: The profile of its column.
        task: The task that was chosen by it.
    """
    if task == "multiclass" and label.kind in ("integer", "number"):
        yield Finding(
            f"{label.distinct} whole numbers are learned as classes; if their order matters, set"
            " task to regression",
            look=True,
        )
