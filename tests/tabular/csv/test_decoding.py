"""The text of a file as a stream: its last line, its digest, and where its blocks end."""

import gzip
import hashlib
from pathlib import Path

import pytest

from tabular.csv.decoding import Utf8Stream, opens_quote
from tabular.csv.dialect import Dialect
from tabular.csv.reader import BLOCK_BYTES, read_batches

LONG = 70_000
"""Characters of a line of which the stream does not keep the beginning."""


def read_to_end(path: Path, dialect: Dialect | None = None) -> Utf8Stream:
    stream = Utf8Stream(path, dialect or Dialect())
    while stream.read(2**16):
        pass
    return stream


@pytest.mark.parametrize(
    ("text", "last_line"),
    [
        ("", ""),
        ("a", "a"),
        ("a,b\n1,2\n", "1,2"),
        ("a,b\r\n1,2", "1,2"),
        ("a,b\r1,2\r", "1,2"),
        ("a,b\n1,2\n\r\n\n", "1,2"),
        ("a\né\u2028z\n", "é\u2028z"),
        ("a\n" + "x" * LONG + "\nz", "z"),
    ],
)
def test_last_line_is_the_last_that_is_not_blank(tmp_path: Path, text: str, last_line: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(text, "utf-8", newline="")

    assert read_to_end(path).last_line == last_line


@pytest.mark.parametrize(
    "text",
    ["a\n" + "x" * LONG, "a\n1" + "\n" * LONG, "é" * (LONG // 2), "x" * 2**21],
    ids=["line", "blank lines", "characters of two bytes", "several chunks"],
)
def test_last_line_is_unknown_if_very_long(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(text, "utf-8")

    assert read_to_end(path).last_line is None


def test_last_line_is_that_of_the_text_not_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(gzip.compress("a,b\n1,é\n# end\n".encode("utf-16")))

    assert read_to_end(path, Dialect(encoding="utf-16", comment="#")).last_line == "1,é"


@pytest.mark.parametrize("dialect", [Dialect(), Dialect(comment="#")], ids=["plain", "comments"])
@pytest.mark.parametrize("is_compressed", [False, True], ids=["plain", "gzip"])
def test_digest_is_of_the_bytes_of_the_file(
    tmp_path: Path, dialect: Dialect, is_compressed: bool
) -> None:
    path = tmp_path / "rows.csv"
    text = b"a,b\n#\n" + b"1,2\n" * 500_000
    path.write_bytes(gzip.compress(text) if is_compressed else text)

    assert read_to_end(path, dialect).digest == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("line", "is_open"),
    [
        ("", False),
        ("a,b", False),
        ('5" pipe,a', False),
        ('a,5"', False),
        (' "a,b', False),
        ('"a","b"', False),
        ('"a""b",c', False),
        ('"a"z"b,c', False),
        ('""', False),
        ('"', True),
        ('a,"', True),
        ('"a,b', True),
        ('"a""', True),
        ('5",a,"b', True),
        ('"a"z,"b""', True),
    ],
)
@pytest.mark.parametrize("quote", ['"', "'", None])
def test_opens_quote(line: str, is_open: bool, quote: str | None) -> None:
    dialect = Dialect(quote=quote)

    expected = is_open and quote is not None
    assert opens_quote(line.replace('"', quote or '"'), dialect) == expected


def test_opens_quote_follows_the_separator() -> None:
    assert opens_quote('a;"b', Dialect(separator=";"))
    assert not opens_quote('a;"b', Dialect())


def test_opens_quote_takes_linear_time() -> None:
    assert opens_quote('"' + 'a"",' * 100_000, Dialect())


@pytest.mark.parametrize("shift", range(3))
def test_line_end_in_a_cell_is_kept_between_blocks(tmp_path: Path, shift: int) -> None:
    # The block ends before, in and after the CRLF within the cell.
    path = tmp_path / "rows.csv"
    start = b"a,b\r\n"
    row = b"1,2\r\n"
    count = (BLOCK_BYTES - 100) // len(row)
    before = start + row * count
    cell = "x" * (BLOCK_BYTES - len(before) - 4 - shift) + "\r\nz"
    path.write_bytes(before + f'3,"{cell}"\r\n'.encode() + row)

    cells = [text for batch in read_batches(path) for text in batch["b"].to_pylist()]

    assert cells == ["2"] * count + [cell, "2"]
