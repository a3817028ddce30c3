"""Rules for the cells of columns; no TensorFlow.

A rule finds the cells of a column that break it, and explains what was expected in their place.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tabular.csv.arrow_numpy import to_numpy
from tabular.csv.dates import DateReader
from tabular.csv.number_format import MINUS_SIGNS
from tabular.csv.types import (
    TOO_LARGE,
    ColumnType,
    cast_numbers,
    with_plain_signs,
    with_point,
)

Mask = npt.NDArray[np.bool_]
NUMBER = r"-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?"
"""Matches what Arrow reads as a number, except `nan` and `inf`."""
SIGNED_NUMBER = f"[-+{MINUS_SIGNS}]?{NUMBER.removeprefix('-?')}"
"""Matches a number with any sign in front of it."""


_NOT_FINITE = r"(?i)-?(nan(\(.*\))?|inf|infinity)"
_TEXT_SHOWN = 60
_WEIGHT = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_FILL_IN = "fill it in, remove the row, or leave such rows out by data.unlabeled: skip"


class CellRule(Protocol):
    """A rule that the cells of a column must follow."""

    def find_wrong(self, column: pa.Array) -> Mask:
        """Finds the cells that break the rule.

        Args:
            column: Strings, null where a value is missing, `[n]`.

        Returns:
            Booleans, `[n]`: whether the cell breaks the rule.
        """

    def explain(self, text: str | None) -> str:
        """Explains why a cell breaks the rule, what is expected, and how to fix it.

        Args:
            text: The cell; None if its value is missing.
        """


def quote(text: str) -> str:
    """Quotes a text for a message, and cuts off all beyond 60 characters."""
    text = text.encode("utf-8", "backslashreplace").decode()
    return repr(text if len(text) <= _TEXT_SHOWN else f"{text[:_TEXT_SHOWN]}...")


@dataclass(frozen=True)
class NumberRule:
    """Cells must be finite as float32, and within bounds.

    Attributes:
        decimal: Decimal point of the numbers.
        name: What messages call the cell: `cell`, `label` or `weight`.
        least: The least number allowed.
        greatest: The greatest number allowed.
        is_whole: Whether numbers must be whole.
        may_be_missing: Whether values may be missing.
    """

    decimal: str
    name: str = "cell"
    least: float = -math.inf
    greatest: float = math.inf
    is_whole: bool = False
    may_be_missing: bool = False

    def find_wrong(self, column: pa.Array) -> Mask:
        """Finds cells that are not numbers, not finite as float32, or out of bounds."""
        try:
            numbers = cast_numbers(column, self.decimal, pa.float32())
        except pa.ArrowInvalid:
            text = with_plain_signs(with_point(column, self.decimal))
            is_number = pc.match_substring_regex(text, f"^({NUMBER})$")
            numbers = pc.cast(pc.if_else(is_number, text, None), pa.float32())
        values = to_numpy(numbers, null=math.nan)
        wrong: Mask = ~np.isfinite(values)
        if math.isfinite(self.least):
            wrong |= values < self.least
        if math.isfinite(self.greatest):
            wrong |= values > self.greatest
        if self.is_whole:
            wrong |= values != np.floor(values)
        if self.may_be_missing and column.null_count:
            wrong &= to_numpy(pc.is_valid(column), null=False)
        return wrong

    def explain(self, text: str | None) -> str:
        """Explains why a cell is not accepted as a number."""
        if text is None:
            fill = {
                "cell": "fill it in, remove the row, or set `fill` of the feature",
                "label": _FILL_IN,
            }.get(self.name, "fill it in, or remove the row")
            return f"the {self.name} is empty; expected a number: {fill}"
        point = with_plain_signs(with_point(pa.array([text]), self.decimal))[0].as_py()
        if re.fullmatch(_NOT_FINITE, text):
            fix = "correct it, remove the row, or make it a missing value in data.csv.numbers"
            return f"{text!r} is not finite; expected a number: {fix}"
        if not re.fullmatch(NUMBER, point):
            fix = "take the column out of features" if self.name == "cell" else "remove the row"
            return (
                f"{quote(text)} is not a number; expected one such as 5{self.decimal}1 or 1e-3,"
                " without spaces or units: correct it, say in data.csv.numbers how this column is"
                f" written or which of its words are missing values, or {fix}"
                f"{'; is a quote left open before it?' if chr(10) in text else ''}"
            )
        if abs(float(point)) >= TOO_LARGE:
            return (
                f"{quote(text)} is infinite in float32; expected a number up to 3.4e38: scale the"
                " column, or remove the row"
            )
        what = "whole number" if self.is_whole else "number"
        bounds = f"from 0 to {self.greatest:g}" if self.is_whole else f"of at least {self.least:g}"
        return f"{quote(text)} is not a {what} {bounds}: correct it, or remove the row"


@dataclass(frozen=True)
class LabelRule:
    """Cells must be classes: not missing, and of one line, as files list a class per line."""

    def find_wrong(self, column: pa.Array) -> Mask:
        """Finds missing labels, and those with a line end."""
        has_line_end = pc.or_(pc.match_substring(column, "\n"), pc.match_substring(column, "\r"))
        return to_numpy(has_line_end, null=True)

    def explain(self, text: str | None) -> str:
        """Explains why a cell is not accepted as a label."""
        if text is None:
            return f"the label is empty; expected a class: {_FILL_IN}"
        return (
            f"the label {quote(text)} has a line end in it; expected a class on one line: remove"
            " the line end, or close the quote before it"
        )


@dataclass(frozen=True)
class BooleanRule:
    """Cells must be one of the words for yes and no, in any case, or missing."""

    words: tuple[str, ...]

    def find_wrong(self, column: pa.Array) -> Mask:
        """Finds cells that are not one of the words."""
        words = "|".join(re.escape(word.lower()) for word in self.words)
        fits = pc.match_substring_regex(pc.utf8_lower(column), rf"\A({words})\z")
        return ~to_numpy(fits, null=True)

    def explain(self, text: str | None) -> str:
        """Explains which words are allowed."""
        words = ", ".join(self.words)
        return (
            f"{quote(text or '')} is neither yes nor no; expected one of {words}: correct it, or"
            " add it to true_words or false_words of the feature"
        )


@dataclass(frozen=True)
class DatetimeRule:
    """Cells must be dates of the years 1 to 9999 in one format, or missing.

    Attributes:
        format: The format, for messages.
        example: A date in that format, for messages.
        reader: Reads the dates.
    """

    format: str
    example: str
    reader: DateReader

    def find_wrong(self, column: pa.Array) -> Mask:
        """Finds cells that do not match the format, or whose date is not in the calendar."""
        wrong: Mask = ~self.reader.find_dates(column) & to_numpy(pc.is_valid(column), null=False)
        return wrong

    def explain(self, text: str | None) -> str:
        """Explains which format is expected."""
        return (
            f"{quote(text or '')} is not a date of the format {self.format}; expected one such as"
            f" {self.example}: correct it, or set `format` of the feature"
        )


@dataclass(frozen=True)
class TagsRule:
    """Weights of tags must be finite as float32 and at least 0; a tag may have none.

    Attributes:
        separator: What stands between two tags.
        weight_separator: What stands between a tag and its weight.
    """

    separator: str
    weight_separator: str

    def find_wrong(self, column: pa.Array) -> Mask:
        """Finds cells with a tag whose weight is wrong, or that consists of a weight alone."""
        tags = pc.split_pattern(column, self.separator)
        flat = pc.list_flatten(tags)
        pattern = rf"(?s)\S\s*{re.escape(self.weight_separator)}\s*(?P<weight>{_WEIGHT})\s*\z"
        weights = pc.cast(pc.struct_field(pc.extract_regex(flat, pattern), [0]), pa.float64())
        is_weight = to_numpy(weights, null=math.inf) < TOO_LARGE
        is_wrong = ~is_weight & to_numpy(pc.match_substring(flat, self.weight_separator), null=True)
        rows = np.repeat(np.arange(len(column)), to_numpy(pc.list_value_length(tags), null=0))
        wrong: Mask = np.zeros(len(column), np.bool_)
        wrong[rows[is_wrong]] = True
        return wrong

    def explain(self, text: str | None) -> str:
        """Explains how tags and weights are written."""
        example = f"red{self.weight_separator}2{self.separator}blue"
        return (
            f"{quote(text or '')} has a tag with a weight that is not a number of at least 0;"
            f" expected tags such as {example}: correct it, or set `weight_separator` of the"
            " feature"
        )


@dataclass(frozen=True)
class ColumnRules:
    """The rules and types of the columns of a table.

    Attributes:
        cells: Column to the rule of its cells. A file may lack the column.
        types: Column to its type, where the configuration decides it and not the cells.
        label: The column of the label, in which blanks around a cell do not count; None if there
            is none.
        skips_unlabeled: Whether rows whose label is missing are left out, and not a fault.
    """

    cells: Mapping[str, CellRule]
    types: Mapping[str, ColumnType]
    label: str | None = None
    skips_unlabeled: bool = False

    def to_json(self) -> str:
        """Serializes the rules for an execution property; equal rules give equal texts."""
        cells = {
            name: {"rule": type(rule).__name__, **asdict(rule)}  # type: ignore[call-overload]
            for name, rule in self.cells.items()
        }
        fields = {"types": self.types, "label": self.label, "skips_unlabeled": self.skips_unlabeled}
        return json.dumps({"cells": cells, **fields}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "ColumnRules":
        """Parses the output of `to_json`."""
        fields = json.loads(text)
        return cls(
            {name: _rule_from(described) for name, described in fields["cells"].items()},
            {name: ColumnType(number) for name, number in fields["types"].items()},
            fields["label"],
            fields["skips_unlabeled"],
        )


_RULES: Mapping[str, type[CellRule]] = {
    rule.__name__: rule for rule in (NumberRule, LabelRule, BooleanRule, DatetimeRule, TagsRule)
}


def _rule_from(described: Mapping[str, Any]) -> CellRule:
    fields = {name: value for name, value in _with_tuples(described).items() if name != "rule"}
    if "reader" in fields:
        fields["reader"] = DateReader(**_with_tuples(fields["reader"]))
    return _RULES[described["rule"]](**fields)


def _with_tuples(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()
    }
