"""Decides the class of each label, by all labels of the column; no TensorFlow.

Labels are compared as they are written, with one exception: where all labels are whole numbers
without leading zeros, 1, 1.0 and 1e0 are the class 1, and 0 and -0 are the class 0. It takes all
labels to decide that, so the check of all files does it, and no node decides it again: nodes get
the type of the label's column, `INT` or `BYTES`, of which the classes follow.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tabular.csv.arrow_numpy import to_strings
from tabular.csv.types import ColumnType, column_type, decide_class_type, with_point
from trainer.classes import class_order


@dataclass(frozen=True)
class ClassNames:
    """The classes of a column.

    Attributes:
        column_type: `INT` if classes are whole numbers, `BYTES` if they are words, `FLOAT` if the
            labels are numbers and not all of them are whole, which are not classes, and `UNKNOWN`
            if there are no labels.
        of_label: Label to its class.
    """

    column_type: ColumnType
    of_label: Mapping[str, str]

    @property
    def names(self) -> list[str]:
        """The classes in order: whole numbers by value, then words."""
        return sorted(set(self.of_label.values()), key=lambda name: class_order(name.encode()))


def name_classes(labels: Iterable[str], decimal: str) -> ClassNames:
    """Decides the classes of a column.

    Args:
        labels: All of its labels, without blanks around them.
        decimal: Decimal point of numbers.
    """
    words = sorted(labels)
    found = decide_class_type(column_type(with_point(to_strings(words), decimal)))
    if found != ColumnType.INT:
        return ClassNames(found, dict(zip(words, words, strict=True)))
    return ClassNames(found, {word: _whole_number(word.replace(decimal, ".")) for word in words})


def _whole_number(text: str) -> str:
    try:
        return str(int(text))
    except ValueError:
        return str(int(float(text)))  # 1.0; below 2^53, where a double is exact


def find_alike(names: Sequence[str], decimal: str) -> list[list[str]]:
    """Finds classes that may well be meant to be one, such as `True` and `true`, or `1` and `01`.

    Args:
        names: The classes.
        decimal: Decimal point of numbers.

    Returns:
        Groups of classes that are the same number, or the same word but for capitals, the width of
        blanks inside, and the ways in which Unicode writes a character.
    """
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(_likeness(name, decimal), []).append(name)
    return [group for group in groups.values() if len(group) > 1]


def _likeness(name: str, decimal: str) -> str:
    """Gives a text that is the same for classes that look alike."""
    try:
        return f"{float(name.replace(decimal, '.')) + 0:.17g}"  # + 0 makes -0 to 0
    except ValueError:
        return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
