"""Finds the input files by TFX's globs, and its placeholders of spans in a path; no TensorFlow.

A path may hold the placeholders of TFX's FileBasedExampleGen: `{SPAN}` and `{VERSION}`, with a
number of digits where numbers are padded with zeros (`{SPAN:4}`), or `{YYYY}`, `{MM}` and `{DD}`:
a date, whose span is the number of days since 1970.
"""

import glob
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

ALL = "all"
"""Takes the place of a split's name for files whose rows are split by a hash."""

CSV_NAMES = "*.csv and *.csv.gz"
_CSV_GLOB = "*.csv*"
"""TFX takes one glob for a split: this one matches both, and `list_files` drops other files."""
_CSV_SUFFIXES = (".csv", ".csv.gz")

_PLACEHOLDER = re.compile(r"\{(SPAN|VERSION|YYYY|MM|DD)(?::([^{}]*))?\}")
_BRACED = re.compile(r"\{[^{}]*\}")
_DATE = ("YYYY", "MM", "DD")
_DATE_DIGITS = {"YYYY": 4, "MM": 2, "DD": 2}
_ODD = re.compile(r"[\[\]{}|^$*?\\\n]")
"""Characters that TFX misreads, as it makes a glob and a regular expression of the path."""
_EPOCH = date(1970, 1, 1)


def is_csv(path: str) -> bool:
    """Whether a file has the name of a CSV file."""
    return path.endswith(_CSV_SUFFIXES)


def file_glob(path: str) -> str:
    """Escapes a path to a glob that matches this path alone."""
    return glob.escape(path).replace("\\", "\\\\")


def folder_glob(folder: str) -> str:
    """Makes the glob of the CSV files in a folder.

    Args:
        folder: Glob of the folder.
    """
    return os.path.join(folder, _CSV_GLOB)


def list_files(pattern: str, find: Callable[[str], Iterable[str]]) -> list[str]:
    """Lists the files that match a glob, sorted by path.

    Args:
        pattern: A `file_glob` or a `folder_glob`; of the latter, only CSV files are listed.
        find: Finds the paths that match a glob.
    """
    paths = sorted(find(pattern))
    return list(filter(is_csv, paths)) if pattern.endswith(_CSV_GLOB) else paths


@dataclass(frozen=True)
class Span:
    """A span, and its version if the path has one."""

    number: int
    version: int | None = None

    def __str__(self) -> str:
        version = "" if self.version is None else f", version {self.version}"
        return f"span {self.number}{version}"


class SpanPath:
    """A path that may have placeholders of spans."""

    def __init__(self, path: str) -> None:
        """Checks the placeholders.

        Args:
            path: The path.

        Raises:
            ValueError: If the placeholders do not go together, or TFX would misread the path.
        """
        self._path = path
        self._digits = {
            match[1]: _DATE_DIGITS.get(match[1]) if match[2] is None else _read_digits(match)
            for match in _PLACEHOLDER.finditer(path)
        }
        _check_placeholders(path)

    def __str__(self) -> str:
        return self._path

    @property
    def is_dated(self) -> bool:
        """Whether spans are dates."""
        return "YYYY" in self._digits

    @property
    def base_dir(self) -> str:
        """The folder above the first placeholder."""
        return os.path.dirname(_PLACEHOLDER.split(self._path)[0])

    def fill(self, span: Span) -> str:
        """Fills the placeholders with a span.

        Raises:
            ValueError: If span or version have more digits than the placeholder, or if the date
                of the span is after the year 9999.
        """
        return self._replace(self._values(span))

    def candidates(self, span: int | None = None) -> Iterator[str]:
        """Finds paths that match with any text for the placeholders, or with that of one span.

        Raises:
            ValueError: As `fill` does.
        """
        values = {} if span is None else self._values(Span(span))
        pattern = self._replace(dict.fromkeys(self._digits, "*") | values)
        base_dir = Path(self.base_dir)
        below = os.path.relpath(pattern, base_dir)
        yield from sorted(map(str, base_dir.glob(re.sub(r"\*+", "*", below))))

    def read(self, path: str) -> Span | None:
        """Reads span and version from a path; None if it has other text than theirs."""
        names = list(self._digits)
        pattern, end = "", 0
        for match in _PLACEHOLDER.finditer(self._path):
            digits = self._digits[match[1]]
            pattern += re.escape(self._path[end : match.start()])
            pattern += f"(?P<{match[1]}>[0-9]{f'{{{digits}}}' if digits else '+'})"
            end = match.end()
        found = re.fullmatch(pattern + re.escape(self._path[end:]), path)
        if found is None:
            return None
        numbers = {name: int(found[name]) for name in names}
        if not self.is_dated:
            return Span(numbers["SPAN"], numbers.get("VERSION"))
        try:
            day = date(*(numbers[name] for name in _DATE))
        except ValueError:
            return None
        return Span((day - _EPOCH).days, numbers.get("VERSION"))

    def _values(self, span: Span) -> dict[str, str]:
        if self.is_dated:
            day = date_of(span.number)
            values = {"YYYY": f"{day:%Y}".zfill(4), "MM": f"{day:%m}", "DD": f"{day:%d}"}
        else:
            values = {"SPAN": self._pad("SPAN", span.number)}
        if span.version is not None:
            values["VERSION"] = self._pad("VERSION", span.version)
        return values

    def _pad(self, name: str, number: int) -> str:
        digits = self._digits[name] or 0
        if 0 < digits < len(str(number)):
            raise ValueError(f"{number} has more digits than {{{name}:{digits}}}")
        return str(number).zfill(digits)

    def _replace(self, values: Mapping[str, str]) -> str:
        return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), self._path)


def date_of(span: int) -> date:
    """Converts a span, the number of days since 1970, to its date.

    Raises:
        ValueError: If it is after the year 9999.
    """
    try:
        return _EPOCH + timedelta(days=span)
    except OverflowError:
        raise ValueError(f"{span} days after {_EPOCH} is not a date up to the year 9999") from None


def has_placeholders(path: str) -> bool:
    """Whether a path has placeholders of spans."""
    return _PLACEHOLDER.search(path) is not None


def _read_digits(match: "re.Match[str]") -> int:
    name, digits = match.groups()
    if name in _DATE_DIGITS:
        raise ValueError(f"'{match[0]}' has a width: write {{{name}}}")
    if not re.fullmatch("[1-9][0-9]?", digits):
        raise ValueError(f"the width in '{match[0]}' must be a number of digits, as {{{name}:4}}")
    return int(digits)


def _check_placeholders(path: str) -> None:
    """Checks the placeholders, their combination, and the text between them."""
    for braced in _BRACED.findall(path):
        if not _PLACEHOLDER.fullmatch(braced):
            raise ValueError(
                f"'{braced}' is not a placeholder of a span (allowed: {{SPAN}}, {{VERSION}},"
                " {SPAN:4} for one of 4 digits, or {YYYY}, {MM} and {DD})"
            )
    names = [match[1] for match in _PLACEHOLDER.finditer(path)]
    if names:
        _check_combination(names)
        _check_between(path)


def _check_combination(names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{{{name}}} is there {names.count(name)} times: once is allowed")
    lacking = [f"{{{name}}}" for name in _DATE if name not in names]
    if "SPAN" in names and len(lacking) < len(_DATE):
        raise ValueError("a span is either {SPAN} or a date, {YYYY}, {MM} and {DD}: not both")
    if "SPAN" not in names and lacking:
        if len(lacking) == len(_DATE):
            raise ValueError("{VERSION} needs a span: add {SPAN}, or {YYYY}, {MM} and {DD}")
        raise ValueError(f"a date lacks {' and '.join(lacking)}")


def _check_between(path: str) -> None:
    if re.search(r"\{SPAN\}\{VERSION\}|\{VERSION\}\{SPAN\}", path):
        raise ValueError(
            "nothing separates {SPAN} and {VERSION}: write a character such as `-` between them"
        )
    odd = _ODD.search(_PLACEHOLDER.sub("", path))
    if odd:
        raise ValueError(f"with {{SPAN}} or a date, {odd[0]!r} is not allowed in a path: rename it")
