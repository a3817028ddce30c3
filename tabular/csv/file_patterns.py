"""Which files are the input: TFX's globs of files, and its marks of spans in a path; no TensorFlow.

A path may hold marks as TFX's FileBasedExampleGen knows them: `{SPAN}` and `{VERSION}`, with the
number of their digits where they are padded with zeros (`{SPAN:4}`), or `{YYYY}`, `{MM}` and
`{DD}`, a date whose span is its days since 1970.
"""

import glob
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

ALL = "all"
"""Names the files of a path whose rows are still to be split."""

CSV_NAMES = "*.csv and *.csv.gz"
_CSV_GLOB = "*.csv*"
"""TFX has one glob for a split's files: this takes both, and `list_files` leaves out the others."""
_CSV_SUFFIXES = (".csv", ".csv.gz")

_MARK = re.compile(r"\{(SPAN|VERSION|YYYY|MM|DD)(?::([^{}]*))?\}")
_BRACED = re.compile(r"\{[^{}]*\}")
_DATE = ("YYYY", "MM", "DD")
_DATE_DIGITS = {"YYYY": 4, "MM": 2, "DD": 2}
_ODD = re.compile(r"[\[\]{}|^$*?\\\n]")
"""What TFX, which makes a glob and a regular expression of the path, would misread."""
_EPOCH = date(1970, 1, 1)


def is_csv(path: str) -> bool:
    """Whether a file of a folder is one to read, by its name."""
    return path.endswith(_CSV_SUFFIXES)


def file_glob(path: str) -> str:
    """Writes a path as a glob that fits nothing else."""
    return glob.escape(path).replace("\\", "\\\\")


def folder_glob(folder: str) -> str:
    """Gives the glob of a folder's CSV files, the folder being a glob itself."""
    return os.path.join(folder, _CSV_GLOB)


def list_files(pattern: str, find: Callable[[str], Iterable[str]]) -> list[str]:
    """Lists the files of a glob in their order.

    Args:
        pattern: A `file_glob`, or a `folder_glob`, of which only CSV files are taken.
        find: What finds the paths that fit a glob.
    """
    paths = sorted(find(pattern))
    return list(filter(is_csv, paths)) if pattern.endswith(_CSV_GLOB) else paths


@dataclass(frozen=True)
class Span:
    """A span, and its version where the path has one."""

    number: int
    version: int | None = None

    def __str__(self) -> str:
        version = "" if self.version is None else f", version {self.version}"
        return f"span {self.number}{version}"


class SpanPath:
    """A path that may have marks."""

    def __init__(self, path: str) -> None:
        """Checks the marks.

        Args:
            path: The path.

        Raises:
            ValueError: If the marks do not go together, or TFX cannot read the path.
        """
        self._path = path
        self._digits = {
            match[1]: _DATE_DIGITS.get(match[1]) if match[2] is None else _read_digits(match)
            for match in _MARK.finditer(path)
        }
        _check_marks(path)

    def __str__(self) -> str:
        return self._path

    @property
    def is_dated(self) -> bool:
        """Whether spans are dates."""
        return "YYYY" in self._digits

    @property
    def base_dir(self) -> str:
        """The folder above the first mark."""
        return os.path.dirname(_MARK.split(self._path)[0])

    def fill(self, span: Span) -> str:
        """Gives the path of a span.

        Raises:
            ValueError: If the span or its version has more digits than its mark, or is no date.
        """
        return self._replace(self._values(span))

    def candidates(self, span: int | None = None) -> Iterator[str]:
        """Finds the files and folders of all spans, or of one, whatever stands for the marks.

        Raises:
            ValueError: If the span has more digits than its mark, or is no date.
        """
        values = {} if span is None else self._values(Span(span))
        pattern = self._replace(dict.fromkeys(self._digits, "*") | values)
        base_dir = Path(self.base_dir)
        below = os.path.relpath(pattern, base_dir)
        yield from sorted(map(str, base_dir.glob(re.sub(r"\*+", "*", below))))

    def read(self, path: str) -> Span | None:
        """Reads the span and version of a path; None if what stands for the marks is none."""
        names = list(self._digits)
        pattern, end = "", 0
        for match in _MARK.finditer(self._path):
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

    def _pad(self, mark: str, number: int) -> str:
        digits = self._digits[mark] or 0
        if 0 < digits < len(str(number)):
            raise ValueError(f"{number} has more digits than {{{mark}:{digits}}}")
        return str(number).zfill(digits)

    def _replace(self, values: Mapping[str, str]) -> str:
        return _MARK.sub(lambda match: values.get(match[1], match[0]), self._path)


def date_of(span: int) -> date:
    """Gives the date of a span that is one.

    Raises:
        ValueError: If it is after the year 9999.
    """
    try:
        return _EPOCH + timedelta(days=span)
    except OverflowError:
        raise ValueError(f"{span} days after {_EPOCH} is no date") from None


def has_marks(path: str) -> bool:
    """Whether a path has marks of spans."""
    return _MARK.search(path) is not None


def _read_digits(match: "re.Match[str]") -> int:
    mark, digits = match.groups()
    if mark in _DATE_DIGITS:
        raise ValueError(f"'{match[0]}' has a width: write {{{mark}}}")
    if not re.fullmatch("[1-9][0-9]?", digits):
        raise ValueError(f"the width in '{match[0]}' must be a number of digits, as {{{mark}:4}}")
    return int(digits)


def _check_marks(path: str) -> None:
    """Checks which marks there are and, where there are some, what stands between them."""
    for braced in _BRACED.findall(path):
        if not _MARK.fullmatch(braced):
            raise ValueError(
                f"'{braced}' is no mark of a span (allowed: {{SPAN}}, {{VERSION}}, {{SPAN:4}} for"
                " one of 4 digits, or {YYYY}, {MM} and {DD})"
            )
    marks = [match[1] for match in _MARK.finditer(path)]
    if marks:
        _check_combination(marks)
        _check_between(path)


def _check_combination(marks: Sequence[str]) -> None:
    for mark in marks:
        if marks.count(mark) > 1:
            raise ValueError(f"{{{mark}}} stands {marks.count(mark)} times: once is allowed")
    lacking = [f"{{{mark}}}" for mark in _DATE if mark not in marks]
    if "SPAN" in marks and len(lacking) < len(_DATE):
        raise ValueError("a span is either {SPAN} or a date, {YYYY}, {MM} and {DD}: not both")
    if "SPAN" not in marks and lacking:
        if len(lacking) == len(_DATE):
            raise ValueError("{VERSION} is of a span: add {SPAN}, or {YYYY}, {MM} and {DD}")
        raise ValueError(f"a date lacks {' and '.join(lacking)}")


def _check_between(path: str) -> None:
    if re.search(r"\{SPAN\}\{VERSION\}|\{VERSION\}\{SPAN\}", path):
        raise ValueError(
            "between {SPAN} and {VERSION} nothing says where one ends: add a `-` or so"
        )
    odd = _ODD.search(_MARK.sub("", path))
    if odd:
        raise ValueError(f"with {{SPAN}} or a date, {odd[0]!r} cannot stand in a path: rename it")
