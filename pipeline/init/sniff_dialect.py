"""Detects the format of a CSV file: encoding, separator, decimal point and header."""

import codecs
import csv
import gzip
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from pipeline.data.findings import Finding
from pipeline.data.null_words import NULL_WORDS
from pipeline.errors import DataError
from pipeline.settings.data import CsvSettings
from tabular.csv.column_rules import NUMBER, quote
from trainer.settings.train import is_column_name

SEPARATORS = ("\t", ";", "|", ",")
"""In order of preference if several fit equally; commas are also part of numbers and text."""
_RECORDS = 1000
_HEAD_CHARACTERS = 2**20
_CHUNK_BYTES = 2**20
_GZIP = b"\x1f\x8b"
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\v\x1a\x1b"))
_NUMBER = re.compile(NUMBER)
_COMMA_NUMBER = re.compile(r"-?[0-9]+,[0-9]+([eE][-+]?[0-9]+)?")
_THOUSANDS = re.compile(r"-?[1-9][0-9]{0,2}(,[0-9]{3})+")


class Sniffed(NamedTuple):
    """The format of a file.

    Attributes:
        csv: The settings by which it is read. They name the columns if the file does not, and
            rename those whose titles columns of this pipeline cannot have.
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
    encoding = _find_encoding(path)
    with io.TextIOWrapper(_open(path), encoding, newline="") as text:
        head = text.read(_HEAD_CHARACTERS)
    separator, records = _find_separator(head.removeprefix("\ufeff"))
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
    )
    return Sniffed(csv_settings, tuple(records[0]) if has_header else ())


def _open(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        is_gzip = file.read(2) == _GZIP
    return cast(BinaryIO, gzip.open(path) if is_gzip else path.open("rb"))


def _find_encoding(path: Path) -> str:
    """Reads all bytes to detect UTF-8 or UTF-16; everything else is taken for Latin-1."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    encoding = "utf-8"
    try:
        with _open(path) as file:
            for chunk in iter(lambda: file.read(_CHUNK_BYTES), b""):
                if chunk.startswith(_UTF_16):
                    return "utf-16"
                if len(chunk.translate(None, _CONTROL)) < len(chunk):
                    raise DataError(
                        f"{path}: is a binary file; expected a CSV file: save it as CSV in UTF-8"
                    )
                if encoding == "utf-8":
                    encoding = _decode(decoder, chunk)
        if encoding == "utf-8":
            encoding = _decode(decoder, b"", final=True)
    except (EOFError, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: is broken: {error}; expected a whole gzip file") from None
    return encoding


def _decode(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> str:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def _find_separator(head: str) -> tuple[str, list[list[str]]]:
    """Finds the separator with which most records have the same number of cells, above one."""
    best: tuple[float, str, list[list[str]]] | None = None
    for separator in SEPARATORS:
        records = list(_records(head, separator))
        width, count = Counter(map(len, records)).most_common(1)[0] if records else (0, 0)
        share = count / len(records) if width > 1 else 0.0
        if best is None or share > best[0]:
            best = share, separator, records
    assert best is not None
    return (best[1], best[2]) if best[0] > 0 else (",", list(_records(head, ",")))


def _records(head: str, separator: str) -> Iterator[list[str]]:
    """Reads the first records that are not blank, without one cut off at the end of the head."""
    is_cut = len(head) == _HEAD_CHARACTERS
    lines = head.splitlines(keepends=True)
    reader = csv.reader(lines[:-1] if is_cut and len(lines) > 1 else lines, delimiter=separator)
    try:
        yield from islice(filter(None, reader), _RECORDS)
    except csv.Error:  # a cell that is too long, since its quote is never closed
        return


def _has_header(records: Sequence[Sequence[str]], label: str) -> bool:
    """Whether the first record names columns: it has the label, or no number."""
    return label in records[0] or not any(
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
        return {"names": _find_names([""] * len(first))}
    title, count = max(
        Counter(filter(None, first)).items(), key=lambda item: item[1], default=("", 0)
    )
    if count > 1:
        raise DataError(
            f"{path}: {count} columns have the name {quote(title)}; expected different names:"
            " rename or remove all but one"
        )
    names = zip(first, _find_names(first), strict=True)
    rename = {title: name if title else "column" for title, name in names if title != name}
    return {"rename": rename}


def _find_names(header: Sequence[str]) -> tuple[str, ...]:
    """Makes valid and different names; titles that are valid stay as they are."""
    names: list[str] = []
    for index, title in enumerate(header, start=1):
        name = title if is_column_name(title) else _clean(title) or f"column_{index}"
        number = 1
        taken = {*names, *header} - {title}
        while (unique := name if number == 1 else f"{name}_{number}") in taken:
            number += 1
        names.append(unique)
    return tuple(names)


def _clean(title: str) -> str:
    """Replaces the characters that a column's name may not have."""
    ascii_title = (
        unicodedata.normalize("NFKD", title.replace("ß", "ss")).encode("ascii", "ignore").decode()
    )
    return re.sub(r"[^A-Za-z0-9.-]+", "_", ascii_title).strip("_.-")
