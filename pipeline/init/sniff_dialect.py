"""Detects the format of a CSV file: the separator, the decimal point and the header."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.data.findings import Finding
from pipeline.data.null_words import NULL_WORDS
from pipeline.errors import DataError
from pipeline.init.find_table import find_table
from pipeline.init.sniff_encoding import find_encoding
from pipeline.settings.data import CsvSettings
from tabular.csv.column_rules import NUMBER, quote
from tabular.csv.reader import names_of_titles
from trainer.settings.column_names import clean_name, fault_of_name, free_name

_NUMBER = re.compile(NUMBER)
_COMMA_NUMBER = re.compile(r"-?[0-9]+,[0-9]+([eE][-+]?[0-9]+)?")
_THOUSANDS = re.compile(r"-?[1-9][0-9]{0,2}(,[0-9]{3})+")


class Sniffed(NamedTuple):
    """The format of a file.

    Attributes:
        csv: The settings by which it is read. They name the columns if the file does not, and
            rename those whose titles cannot be names.
        titles: The titles in its header, one for each column; empty without a header.
        findings: What else its owner should know of the format.
    """

    csv: CsvSettings
    titles: tuple[str, ...]
    findings: tuple[Finding, ...] = ()


def sniff(path: Path, label: str) -> Sniffed:
    """Detects the format of a file.

    Args:
        path: The file; it may be compressed by gzip.
        label: A column that should be in its header.

    Raises:
        DataError: If it is empty or not text.
        OSError: If it cannot be read.
    """
    encoding = find_encoding(path)
    separator, skip_lines, comment, records = find_table(path, encoding, label)
    if not records:
        raise DataError(f"{path}: is empty; expected a header line, then a row per example")
    has_header = _has_header(records, label)
    rows = records[1:] if has_header else records
    csv_settings = CsvSettings(
        separator=separator,
        header=has_header,
        **_name_columns(path, records[0], has_header=has_header),
        decimal="," if _has_decimal_comma(rows, separator) else ".",
        encoding=encoding,
        comment=comment,
        skip_lines=skip_lines,
    )
    titles = tuple(records[0]) if has_header else ()
    findings = (*_find_above(path, csv_settings), *_find_in_titles(path, titles, csv_settings))
    return Sniffed(csv_settings, titles, findings)


def _find_above(path: Path, settings: CsvSettings) -> Iterator[Finding]:
    """Yields what stands above the table."""
    count = settings.skip_lines
    if count:
        yield Finding(
            f"{path}: the table begins after line {count}: data.csv.skip_lines", look=True
        )
    if settings.comment is not None:
        yield Finding(f"{path}: lines that begin with {settings.comment} are comments")


def _find_in_titles(path: Path, titles: Sequence[str], settings: CsvSettings) -> Iterator[Finding]:
    """Yields how columns are not called what their titles are."""
    for title, name in settings.rename.items():
        yield Finding(f"{path}: column {quote(title)} is called {quote(name)}: data.csv.rename")
    padded = [title for title in titles if title.strip() not in ("", title)]
    if padded:
        yield Finding(f"{path}: blanks around titles are left out: {quote(padded[0])}")
    if not all(map(str.strip, titles)):
        yield Finding(f"{path}: columns without a title are called by their place from 0")


def _has_header(records: Sequence[Sequence[str]], label: str) -> bool:
    """Whether the first record names columns: it has the label, or no number."""
    return label.strip() in [cell.strip() for cell in records[0]] or not any(
        _NUMBER.fullmatch(cell) or _COMMA_NUMBER.fullmatch(cell) for cell in records[0]
    )


def _has_decimal_comma(rows: Sequence[Sequence[str]], separator: str) -> bool:
    """Whether a column has numbers with a decimal comma, and no column has any with a point."""
    found = False
    for column in zip_longest(*rows, fillvalue=""):
        cells = [cell for cell in column if cell and cell not in NULL_WORDS]
        if any(_NUMBER.fullmatch(cell) and "." in cell for cell in cells):
            return False
        with_comma = [cell for cell in cells if _COMMA_NUMBER.fullmatch(cell)]
        others = [cell for cell in cells if not _COMMA_NUMBER.fullmatch(cell)]
        is_thousands = separator == "," and all(map(_THOUSANDS.fullmatch, with_comma))
        are_numbers = all(map(_NUMBER.fullmatch, others))
        found = found or (bool(with_comma) and are_numbers and not is_thousands)
    return found


def _name_columns(path: Path, first: Sequence[str], *, has_header: bool) -> dict[str, Any]:
    """Makes the settings that name the columns, as far as the header does not.

    Raises:
        DataError: If a title stands twice, so that it cannot tell the columns apart.
    """
    if not has_header:
        return {"names": tuple(f"column_{place}" for place in range(1, len(first) + 1))}
    names = names_of_titles(first, {})
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise DataError(
            f"{path}: {count} columns have the name {quote(name)}; expected different names:"
            " rename or remove all but one"
        )
    rename: dict[str, str] = {}
    for place, (title, name) in enumerate(zip(first, names, strict=True), start=1):
        if fault_of_name(name):
            cleaned = clean_name(title) or f"column_{place}"
            rename[title] = free_name(cleaned, {*names, *rename.values()})
    return {"rename": rename}
