"""The text of CSV files as UTF-8, whatever they are written in; no TensorFlow."""

import codecs
import gzip
import io
import re
from collections.abc import Generator, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from threading import Lock
from typing import BinaryIO, cast

from tabular.csv.dialect import Dialect

BAD_BYTE = re.compile("[\udc00-\udcff]")
"""A byte that the encoding does not have, as a lone surrogate: U+DC00 and the byte."""

MARK = "\U0010ffff"
"""Stands for such a byte in UTF-8; Unicode has no character there."""

_GZIP = b"\x1f\x8b"
_BYTE_ORDER_MARK = "\ufeff"
_CHUNK_BYTES = 2**20
_LINES_PER_CHUNK = 10_000
_ESCAPE = "csv_example_gen.escape"


def open_bytes(path: str | Path) -> BinaryIO:
    """Opens a file, or what is compressed in it by gzip."""
    with Path(path).open("rb") as file:
        is_gzip = file.read(2) == _GZIP
    return cast(BinaryIO, gzip.open(path)) if is_gzip else Path(path).open("rb")


def read_lines(path: str | Path, dialect: Dialect) -> Iterator[str]:
    """Reads the lines of a file with their ends; those that are comments are blank.

    A byte that is not of the encoding is a lone surrogate, see `BAD_BYTE`.
    """
    with _open_text(path, dialect) as text:
        first = text.readline().removeprefix(_BYTE_ORDER_MARK)
        yield from _blank_comments(chain([first], text), dialect)


def read_chunks(path: str | Path, dialect: Dialect) -> Generator[str, None, None]:
    """Reads the same in pieces of some size."""
    if dialect.comment is not None:
        lines = read_lines(path, dialect)
        yield from iter(lambda: "".join(islice(lines, _LINES_PER_CHUNK)), "")
        return
    with open_bytes(path) as file:
        codecs.register_error(_ESCAPE, _escape)
        decoder = codecs.getincrementaldecoder(_codec(dialect))(_ESCAPE)
        start = _BYTE_ORDER_MARK
        while data := file.read(_CHUNK_BYTES):
            yield decoder.decode(data).removeprefix(start)
            start = ""
        yield decoder.decode(b"", final=True)


class Utf8Stream(io.RawIOBase):
    """The same as a file in UTF-8.

    Attributes:
        has_bad_bytes: Whether bytes that are not of the encoding have been read so far, and so
            there is a `MARK` for each.
    """

    def __init__(self, path: str | Path, dialect: Dialect) -> None:
        """Starts at the file's beginning."""
        self.has_bad_bytes = False
        self._chunks = read_chunks(path, dialect)
        self._rest = memoryview(b"")
        self._lock = Lock()

    def readable(self) -> bool:
        """It is."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Reads as many bytes as asked for, fewer only at the end."""
        parts = []
        with self._lock:
            while size > 0 and not self.closed and (self._rest or self._fill()):
                parts.append(self._rest[:size])
                self._rest = self._rest[size:]
                size -= len(parts[-1])
        return b"".join(parts)

    def close(self) -> None:
        """Closes the file beneath, once a thread that reads ahead has what it asked for."""
        with self._lock:
            self._chunks.close()
            super().close()

    def _fill(self) -> bool:
        for chunk in self._chunks:
            if chunk:
                self._rest = memoryview(self._encode(chunk))
                return True
        return False

    def _encode(self, text: str) -> bytes:
        try:
            return text.encode()
        except UnicodeEncodeError:
            self.has_bad_bytes = True
            return BAD_BYTE.sub(MARK, text).encode("utf-8", "replace")


def _codec(dialect: Dialect) -> str:
    return "utf-8-sig" if dialect.is_utf8 else dialect.encoding


def _open_text(path: str | Path, dialect: Dialect) -> io.TextIOWrapper:
    codecs.register_error(_ESCAPE, _escape)
    return io.TextIOWrapper(open_bytes(path), _codec(dialect), _ESCAPE, newline="")


def _escape(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    return "".join(chr(0xDC00 + byte) for byte in bad), error.end


def _blank_comments(lines: Iterable[str], dialect: Dialect) -> Iterator[str]:
    """Leaves the line ends of comments, so that all others keep their number."""
    if dialect.comment is None:
        yield from lines
        return
    closed = _closed_line(dialect)
    is_open = False
    for line in lines:
        if not is_open and line.startswith(dialect.comment):
            yield line[len(line.rstrip("\r\n")) :]
        else:
            yield line
            if closed is not None and (is_open or dialect.quote in line):  # type: ignore[operator]
                is_open = not closed.fullmatch(f"{dialect.quote}{line}" if is_open else line)


def _closed_line(dialect: Dialect) -> "re.Pattern[str] | None":
    """Matches a line at whose end no quote is open; each text in one way only, hence fast."""
    if dialect.quote is None:
        return None
    quote, separator = re.escape(dialect.quote), re.escape(dialect.separator)
    quoted = f"{quote}[^{quote}]*(?:{quote}{quote}[^{quote}]*)*{quote}(?!{quote})[^{separator}]*"
    cell = f"(?:{quoted}|[^{quote}{separator}][^{separator}]*|)"
    return re.compile(f"{cell}(?:{separator}{cell})*")
