"""Checks the values of a request against those that the training data allows; no TensorFlow."""

import difflib
import math
from collections.abc import Iterator, Mapping
from itertools import compress
from operator import itemgetter
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from serving.errors import Violation, ViolationKind
from serving.models.columns import Column
from trainer.settings.date_format import date_example, is_date

Inputs = Mapping[str, npt.NDArray[Any]]
"""Raw columns by name, `[n]` or `[n, 1]`: numbers as float32 with NaN for a missing value, strings
as objects of bytes, empty for a missing value."""

_MAX_FLOAT = float(np.finfo(np.float32).max)
_MISSING = "the value is missing, but required"
_CHARS_SHOWN = 80
_WORDS_LISTED = 5
_CHARS_COMPARED = 40
_MAX_GUESSES = 5
"""Violations for which a similar string is looked up: among 1000, that takes milliseconds."""
_MANY = 64
"""Rows, or columns, from which on comparing arrays is faster than comparing numbers one by one."""


class ValueCheck:
    """Checks the values of raw columns; thread-safe."""

    def __init__(self, columns: Mapping[str, Column]) -> None:
        """Prepares the rules; a column that allows all values has none."""
        self._rules: dict[str, _Rule] = {}
        for name, column in columns.items():
            if not isinstance(column.example, str):
                self._rules[name] = _Numbers(column)
            elif column.date_format is not None:
                self._rules[name] = _Dates(column.date_format, is_required=column.required)
            elif column.required or column.words is not None:
                self._rules[name] = _Words(column)
        numbers = {name: rule for name, rule in self._rules.items() if isinstance(rule, _Numbers)}
        self._numbers = list(numbers)
        bounds = [rule.bounds for rule in numbers.values()]
        self._bounds = np.array(bounds, np.float32).reshape(-1, 2, 1)

    def count(self, inputs: Inputs) -> dict[tuple[str, ViolationKind], int]:
        """Counts the violations by column and kind, without zeros.

        Args:
            inputs: The raw columns; missing and unknown columns are ignored.
        """
        return {(name, kind): len(rows) for name, kind, rows in self._find(inputs)}

    def find(self, inputs: Inputs, limit: int | None = None) -> list[Violation]:
        """Describes the violations, ordered by row and then by column.

        Args:
            inputs: The raw columns; missing and unknown columns are ignored.
            limit: Number of violations to describe, the first ones; None for all.
        """
        found = sorted(
            ((row, name, kind) for name, kind, rows in self._find(inputs) for row in rows),
            key=itemgetter(0),
        )[:limit]
        return [
            Violation(row, name, kind, _MISSING)
            if kind == "missing"
            else Violation(
                row,
                name,
                kind,
                self._rules[name].describe(inputs[name].flat[row], may_guess=index < _MAX_GUESSES),
            )
            for index, (row, name, kind) in enumerate(found)
        ]

    def _find(self, inputs: Inputs) -> Iterator[tuple[str, ViolationKind, list[int]]]:
        inside = self._inside(inputs)
        if len(inside) == len(self._rules):
            return
        for name, rule in self._rules.items():
            values = inputs.get(name)
            if values is not None and name not in inside:
                for kind, rows in rule.find(values.reshape(-1)):
                    if rows:
                        yield name, kind, rows

    def _inside(self, inputs: Inputs) -> frozenset[str]:
        """Lists columns whose numbers are all within their bounds, if there are many columns."""
        columns = [inputs[name] for name in self._numbers if name in inputs]
        if not _MANY <= len(columns) == len(self._numbers):
            return frozenset()
        if len({column.shape for column in columns}) != 1:
            return frozenset()
        table = np.concatenate(columns).reshape(len(columns), -1)
        low, high = self._bounds[:, 0], self._bounds[:, 1]
        is_inside = ((table >= low) & (table <= high)).all(axis=1)
        return frozenset(compress(self._numbers, is_inside))


class _Rule(Protocol):
    """The check of a column."""

    def find(self, values: npt.NDArray[Any]) -> list[tuple[ViolationKind, list[int]]]:
        """Returns the rows with violations, by kind, for values `[n]`."""

    def describe(self, value: Any, *, may_guess: bool) -> str:
        """Describes a violation whose value is not missing; `may_guess` allows the slow lookup."""


class _Numbers:
    """Checks numbers against bounds.

    Compares as float32, in which numbers arrive: otherwise rounding could move a number of the
    training data out of bounds.
    """

    def __init__(self, column: Column) -> None:
        self._min, self._max, self._is_required = column.min, column.max, column.required
        self._low = float(np.float32(-_MAX_FLOAT if column.min is None else column.min))
        self._high = float(np.float32(_MAX_FLOAT if column.max is None else column.max))

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest number allowed, as float32 holds them."""
        return self._low, self._high

    def find(self, values: npt.NDArray[np.float32]) -> list[tuple[ViolationKind, list[int]]]:
        low, high = self._low, self._high
        if len(values) >= _MANY and ((values >= low) & (values <= high)).all():
            return []
        numbers = values.tolist()
        wrong = [row for row, number in enumerate(numbers) if not low <= number <= high]
        beyond = [row for row in wrong if not math.isnan(numbers[row])]
        missing = [row for row in wrong if math.isnan(numbers[row])] if self._is_required else []
        return [("missing", missing), ("out_of_range", beyond)]

    def describe(self, value: np.float32, *, may_guess: bool) -> str:
        low, high = self._min, self._max
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
    """Checks strings against a list of allowed ones, or only that they are not missing."""

    def __init__(self, column: Column) -> None:
        self._words = column.words
        self._allowed = frozenset(word.encode() for word in column.words or ())
        if not column.required:
            self._allowed |= {b""}

    def find(self, values: npt.NDArray[Any]) -> list[tuple[ViolationKind, list[int]]]:
        words = values.tolist()
        if self._words is None:
            return [("missing", [row for row, word in enumerate(words) if not word])]
        wrong = [row for row, word in enumerate(words) if word not in self._allowed]
        return [
            ("missing", [row for row in wrong if not words[row]]),
            ("unseen", [row for row in wrong if words[row]]),
        ]

    def describe(self, value: bytes, *, may_guess: bool) -> str:
        known = self._words or ()
        shown = _show_word(value)
        if len(known) <= _WORDS_LISTED:
            listed = ", ".join(_show_word(word.encode()) for word in known)
            return f"{shown} does not occur in the training data; allowed is {listed}"
        text = f"{shown} is not among the {len(known):,} values of the training data"
        nearest = _nearest(value, known) if may_guess else None
        return text if nearest is None else f"{text}; did you mean {_show_word(nearest.encode())}?"


class _Dates:
    """Checks that strings are dates of one format."""

    def __init__(self, date_format: str, *, is_required: bool) -> None:
        self._format, self._is_required = date_format, is_required

    def find(self, values: npt.NDArray[Any]) -> list[tuple[ViolationKind, list[int]]]:
        words = values.tolist()
        missing = [row for row, word in enumerate(words) if not word and self._is_required]
        wrong = [row for row, word in enumerate(words) if word and not self._is_date(word)]
        return [("missing", missing), ("unseen", wrong)]

    def describe(self, value: bytes, *, may_guess: bool) -> str:
        return (
            f"{_show_word(value)} is not a date of the format {self._format}; expected one such as"
            f" {date_example(self._format)}"
        )

    def _is_date(self, word: bytes) -> bool:
        return is_date(word.decode("utf-8", "replace"), self._format)


def _nearest(value: bytes, known: tuple[str, ...]) -> str | None:
    """Returns the most similar known string, ignoring case; None if none is similar."""
    words = {word[:_CHARS_COMPARED].casefold(): word for word in known}
    like = value.decode("utf-8", "replace")[:_CHARS_COMPARED].casefold()
    return next((words[match] for match in difflib.get_close_matches(like, words, n=1)), None)


def _show_number(number: Any) -> str:
    return str(number).removesuffix(".0")


def _show_word(word: bytes) -> str:
    """Quotes a string, with control characters escaped and the end cut off if it is long."""
    text = word[: 4 * (_CHARS_SHOWN + 1)].decode("utf-8", "backslashreplace")
    printable = "".join(
        mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in text
    )
    end = "..." if len(printable) > _CHARS_SHOWN else ""
    return f"'{printable[:_CHARS_SHOWN]}{end}'"
