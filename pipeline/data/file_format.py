"""Recognizes files that are not CSV files in the configured encoding, by their first bytes."""

import codecs
import re

from pipeline.errors import DataError
from tabular.csv.around_table import separator_of
from tabular.csv.decoding import open_bytes, read_lines
from tabular.csv.dialect import Dialect

_HEAD_BYTES = 2**13
_FEW_NULS = 0.05
"""Up to this share of the first bytes, NULs are faults of some cells; beyond it, of the format."""
_CONTROL = re.compile(rb"[\x01-\x08\x0e-\x19\x1c-\x1f]")
"""Bytes that text does not have either, besides NUL."""
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CSV = "expected plain text: convert it to CSV"
_UNPACK = "expected a CSV file, plain or by gzip: unpack it"
_OTHER_FORMATS = (
    (rb"PK\x03\x04.{0,4096}?(\[Content_Types\]|xl/)", "an Excel workbook", f"{_CSV} in UTF-8"),
    (rb"PK\x03\x04.{0,4096}?opendocument", "an OpenDocument sheet", f"{_CSV} in UTF-8"),
    (rb"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls)", f"{_CSV} in UTF-8"),
    (rb"PK\x03\x04", "a zip archive", _UNPACK),
    (rb"BZh[1-9]1AY", "compressed by bzip2", _UNPACK),
    (rb"\xfd7zXZ\x00", "compressed by xz", _UNPACK),
    (rb"\x28\xb5\x2f\xfd", "compressed by zstd", _UNPACK),
    (rb"7z\xbc\xaf", "a 7z archive", _UNPACK),
    (rb"PAR1[^ -~]", "a Parquet file", _CSV),
    (rb"(ARROW1|FEA1)[^ -~]", "an Arrow (Feather) file", _CSV),
    (rb"ORC[^ -~]", "an ORC file", _CSV),
    (rb"Obj\x01", "an Avro file", _CSV),
    (rb"SQLite format 3", "an SQLite database", "expected plain text: export a table as CSV"),
    (rb"\x89HDF", "an HDF5 file", _CSV),
    (rb"\x80[\x04\x05]\x95", "a pickle", _CSV),
    (rb"%PDF-", "a PDF document", "expected plain text: export the table as CSV"),
    (rb"(?i)\s*<(!doctype|html|\?xml)", "a page of HTML or XML", _CSV),
    (rb"\s*(\[\s*)?\{\s*\"", "JSON", _CSV),
)


def check_format(path: str, dialect: Dialect) -> None:
    """Checks that a file does not begin like one of another format, encoding or separator.

    Raises:
        DataError: If it does; the message names the format.
        OSError: If the file cannot be read.
        EOFError, gzip.BadGzipFile, zlib.error: If a gzip file is damaged.
    """
    head = read_head(path)
    check_is_text(path, head, dialect)
    if head.startswith(_UTF_16) and dialect.is_utf8:
        raise DataError(
            f"{path}: is UTF-16; expected UTF-8: set data.csv.encoding to utf-16, or save it as CSV"
            " in UTF-8"
        )
    guess = None if head.startswith(_UTF_16) else guess_utf_16(head)
    if guess is not None and dialect.is_utf8:
        raise DataError(
            f"{path}: is UTF-16 without a byte order mark; expected UTF-8: set data.csv.encoding to"
            f" {guess}, or save it as CSV in UTF-8"
        )
    separator = None if dialect.skip_lines else find_separator_line(path, dialect.encoding)
    if separator not in (None, dialect.separator):
        raise DataError(
            f"{path}:1: says that cells are separated by {separator!r}; expected"
            f" {dialect.separator!r}: set data.csv.separator to {separator!r}, or correct the line"
        )


def check_is_text(path: str, head: bytes, dialect: Dialect | None = None) -> None:
    """Checks that the first bytes of a file are those of text.

    Args:
        path: The file.
        head: The first bytes, unpacked.
        dialect: How the file should be written; None if that is unknown.

    Raises:
        DataError: If they are not; the message names the format.
    """
    for begin, what, expected in _OTHER_FORMATS:
        if re.match(begin, head, re.DOTALL):
            raise DataError(f"{path}: is {what}; {expected}")
    is_utf = head.startswith(_UTF_16) or guess_utf_16(head) is not None
    has_nuls = b"\0" in head and not is_utf and (dialect is None or not _is_wide(dialect))
    if has_nuls and (head.count(b"\0") > _FEW_NULS * len(head) or _CONTROL.search(head)):
        raise DataError(f"{path}: is a binary file; expected a CSV file: save it as CSV in UTF-8")


def read_head(path: str) -> bytes:
    """Reads the first 8 KiB of a file, unpacked.

    Raises:
        OSError: If the file cannot be read.
        EOFError, gzip.BadGzipFile, zlib.error: If a gzip file is damaged.
    """
    with open_bytes(path) as file:
        return file.read(_HEAD_BYTES)


def find_separator_line(path: str, encoding: str) -> str | None:
    """Gives the separator that a file's first line, such as `sep=;`, names; None if none does."""
    return separator_of(next(read_lines(path, Dialect(separator="\0", encoding=encoding)), ""))


def guess_utf_16(head: bytes) -> str | None:
    """Guesses the byte order of UTF-16 by the bytes that are NUL; None if it is not UTF-16.

    Of ASCII characters, every first or every second byte is.
    """
    first, second = head[::2].count(b"\0"), head[1::2].count(b"\0")
    if not head or max(first, second) < len(head) / 4 or min(first, second) > len(head) / 100:
        return None
    return "utf-16-be" if first > second else "utf-16-le"


def _is_wide(dialect: Dialect) -> bool:
    """Whether characters of ASCII have NULs in the encoding."""
    return b"\0" in "a".encode(dialect.encoding)
