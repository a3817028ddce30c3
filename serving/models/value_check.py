"""Holds the values of a request against what a model was trained with; no TensorFlow."""

import difflib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from serving.models.columns import Column

Kind = Literal["missing", "unseen", "out_of_range"]
Inputs = Mapping[str, npt.NDArray[Any]]
"""Raw columns by name, `[n]` or `[n, 1]`: numbers float32, a gap NaN; words objects of bytes, a gap
empty."""

_GREATEST = float(np.finfo(np.float32).max)
_MISSING = "there is no value, and one is required"
_CHARS_SHOWN = 80
_WORDS_LISTED = 5
_CHARS_COMPARED = 40
_MAX_GUESSES = 5
"""Violations for which the nearest word is looked up: of 1000 words, each takes milliseconds."""
_MANY = 64
"""Rows from which on comparing arrays is faster than comparing numbers."""


@dataclass(frozen=True)
class Violation:
    """A value unlike those of the training.

    Attributes:
        row: Index of the row in the request, from 0.
        column: The raw column.
        kind: What is wrong.
        text: What stands there and what is allowed, without the column's name.
    """

    row: int
    column: str
    kind: Kind
    text: str


class ValueCheck:
    """What is allowed in the raw columns, prepared once; threads may share it."""

    def __init__(self, columns: Mapping[str, Column]) -> None:
        """Prepares all columns that can be violated."""
        self._rules: dict[str, _Rule] = {}
        for name, column in columns.items():
            if not isinstance(column.example, str):
                self._rules[name] = _Numbers(column)
            elif column.required or column.words is not None:
                self._rules[name] = _Words(column)

    def count(self, inputs: Inputs) -> dict[tuple[str, Kind], int]:
        """Counts the violations by column and kind; those that occur.

        Args:
            inputs: The raw columns; one that is not there, or not known, is not looked at.
        """
        return {(name, kind): len(rows) for name, kind, rows in self._find(inputs)}

    def find(self, inputs: Inputs, most: int | None = None) -> list[Violation]:
        """Explains the violations, row by row, each row's in the order of the columns.

        Args:
            inputs: As of `count`.
            most: How many at most, the first ones; None: all.
        """
        found = sorted(
            ((row, name, kind) for name, kind, rows in self._find(inputs) for row in rows),
            key=itemgetter(0),
        )[:most]
        return [
            Violation(row, name, kind, _MISSING)
            if kind == "missing"
            else Violation(
                row,
                name,
                kind,
                self._rules[name].say(inputs[name].flat[row], may_guess=index < _MAX_GUESSES),
            )
            for index, (row, name, kind) in enumerate(found)
        ]

    def _find(self, inputs: Inputs) -> Iterator[tuple[str, Kind, list[int]]]:
        for name, rule in self._rules.items():
            values = inputs.get(name)
            if values is not None:
                for kind, rows in rule.find(values.reshape(-1)):
                    if rows:
                        yield name, kind, rows


class _Rule(Protocol):
    """What the values of a column, `[n]`, must be."""

    def find(self, values: npt.NDArray[Any]) -> list[tuple[Kind, list[int]]]:
        """Gives the rows of those that are not, by what is wrong."""

    def say(self, value: Any, *, may_guess: bool) -> str:
        """Says what is wrong with a value that is not missing."""


class _Numbers:
    """Within bounds, which are compared as float32: so rounded, no number of the training fails."""

    def __init__(self, column: Column) -> None:
        self._least, self._greatest, self._is_required = column.min, column.max, column.required
        self._low = float(np.float32(-_GREATEST if column.min is None else column.min))
        self._high = float(np.float32(_GREATEST if column.max is None else column.max))

    def find(self, values: npt.NDArray[np.float32]) -> list[tuple[Kind, list[int]]]:
        low, high = self._low, self._high
        if len(values) >= _MANY and ((values >= low) & (values <= high)).all():
            return []
        numbers = values.tolist()
        wrong = [row for row, number in enumerate(numbers) if not low <= number <= high]
        beyond = [row for row in wrong if not math.isnan(numbers[row])]
        missing = [row for row in wrong if math.isnan(numbers[row])] if self._is_required else []
        return [("missing", missing), ("out_of_range", beyond)]

    def say(self, value: np.float32, *, may_guess: bool) -> str:
        low, high = self._least, self._greatest
        if not math.isfinite(value):
            return f"{value} is not a finite number"
        if low is None:
            allowed = f"at most {_show_number(high)}"
        elif high is None:
            allowed = f"at least {_show_number(low)}"
        else:
            allowed = f"{_show_number(low)} to {_show_number(high)}"
        return f"{_show_number(value)} is out of range; allowed is {allowed}"


class _Words:
    """One of some words."""

    def __init__(self, column: Column) -> None:
        self._words = column.words
        self._fitting = frozenset(word.encode() for word in column.words or ())
        if not column.required:
            self._fitting |= {b""}

    def find(self, values: npt.NDArray[Any]) -> list[tuple[Kind, list[int]]]:
        words = values.tolist()
        if self._words is None:
            return [("missing", [row for row, word in enumerate(words) if not word])]
        wrong = [row for row, word in enumerate(words) if word not in self._fitting]
        return [
            ("missing", [row for row in wrong if not words[row]]),
            ("unseen", [row for row in wrong if words[row]]),
        ]

    def say(self, value: bytes, *, may_guess: bool) -> str:
        known = self._words or ()
        shown = _show_word(value)
        if len(known) <= _WORDS_LISTED:
            listed = ", ".join(_show_word(word.encode()) for word in known)
            return f"{shown} is none of the words of the training: {listed}"
        text = f"{shown} is none of the {len(known):,} words of the training"
        nearest = _nearest(value, known) if may_guess else None
        return text if nearest is None else f"{text}; did you mean {_show_word(nearest.encode())}?"


def _nearest(value: bytes, known: tuple[str, ...]) -> str | None:
    """Gives the word most like another, small letters for capitals."""
    words = {word[:_CHARS_COMPARED].casefold(): word for word in known}
    like = value.decode("utf-8", "replace")[:_CHARS_COMPARED].casefold()
    return next((words[match] for match in difflib.get_close_matches(like, words, n=1)), None)


def _show_number(number: Any) -> str:
    return str(number).removesuffix(".0")


def _show_word(word: bytes) -> str:
    """Quotes a word, without line ends and the like, its end cut off where it is long."""
    text = word[: 4 * (_CHARS_SHOWN + 1)].decode("utf-8", "backslashreplace")
    printable = "".join(
        mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in text
    )
    end = "..." if len(printable) > _CHARS_SHOWN else ""
    return f"'{printable[:_CHARS_SHOWN]}{end}'"
