"""Finds the label's column, and what its values ask for: task, positive class, a person's look."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.data.column_profile import ColumnProfile
from pipeline.data.feature_choice import MAX_DISTINCT_SHARE, describe_column, is_few_integers
from pipeline.data.findings import Finding
from pipeline.data.labels import MAX_CLASSES
from pipeline.errors import DataError, did_you_mean
from tabular.csv.column_rules import quote
from trainer.classes import class_order
from trainer.settings.features import Boolean
from trainer.settings.train import Task


def find_label(data: Path, label: str, names: Sequence[str], titles: Sequence[str]) -> str:
    """Finds the name of the label's column by its name or its title in the file.

    Raises:
        DataError: If there is no such column.
    """
    if label in names:
        return label
    if label in titles:
        return names[list(titles).index(label)]
    fix = did_you_mean(label, [*names, *titles])
    headerless = "" if titles else "; its first line is not a header, so its columns are numbered"
    raise DataError(
        f"{data}: there is no column {quote(label)}; expected one of"
        f" {', '.join(map(quote, names))}: correct --label{fix}{headerless}"
    )


def guess_task(data: Path, label: ColumnProfile) -> Task:
    """Guesses the task from the values of the label.

    Raises:
        DataError: If they cannot be learned.
    """
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
    is_whole = label.kind == "integer" or all(map(_is_whole, label.values or ["0.5"]))
    if label.kind == "number" and not is_whole:
        return "regression"
    if label.distinct == 2:
        return "binary"
    if label.kind in ("integer", "number") and not is_few_integers(label):
        return "regression"
    if label.distinct > MAX_CLASSES or label.distinct_share > MAX_DISTINCT_SHARE:
        raise DataError(
            f"{place}: {describe_column(label)} in {label.rows:,} rows are too many for classes:"
            " name another column with --label"
        )
    return "multiclass"


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
