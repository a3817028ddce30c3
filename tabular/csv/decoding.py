"""Decodes CSV files of any encoding, compressed or not, to UTF-8; no TensorFlow."""

import codecs
import gzip
import hashlib
import io
import re
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO, cast

from tabular.csv.around_table import remove_end_mark, remove_start, split_lines
from tabular.csv.dialect import Dialect

Watch = Callable[[memoryview], object]
"""Called with the bytes of a file as they are read."""

BAD_BYTE = re.compile("[\udc00-\udcff]")
"""Matches a byte that is not valid in the encoding: the lone surrogate U+DC00 plus the byte.

A NUL is taken for such a byte, as no CSV file has any.
"""

BAD_BYTE_MARK = "\U0010ffff"
"""Takes the place of a `BAD_BYTE` in UTF-8; Unicode has no such character."""

_GZIP = b"\x1f\x8b"
_BYTE_ORDER_MARK = "\ufeff"
_CHUNK_BYTES = 2**20
_LINES_BYTES = 2**14  # often only the header is read
_TAIL_BYTES = 2**16
_LINES_PER_CHUNK = 10_000
_ESCAPE = "csv_example_gen.escape"
_NUL, _NUL_BYTE = "\0", "\udc00"


def open_bytes(path: str | Path, watch: Watch | None = None) -> BinaryIO:
    """Opens a file to read its bytes, unpacked if it is compressed by gzip.

    Args:
        path: The file.
        watch: Called with the bytes of the file, before they are unpacked, as they are read.
    """
    with Path(path).open("rb") as start:
        is_gzip = start.read(len(_GZIP)) == _GZIP
    if watch is None:
        return cast(BinaryIO, gzip.open(path)) if is_gzip else Path(path).open("rb")
    file = io.BufferedReader(_WatchedFile(path, watch), _CHUNK_BYTES)
    if not is_gzip:
        return cast(BinaryIO, file)
    unpacked = gzip.GzipFile(fileobj=file, mode="rb")
    unpacked.myfileobj = file  # type: ignore[assignment]  # closed together with it
    return cast(BinaryIO, unpacked)


class _WatchedFile(io.FileIO):
    """A file that passes the bytes read to a function."""

    def __init__(self, path: str | Path, watch: Watch) -> None:
        super().__init__(path)
        self._watch = watch

    def readinto(self, buffer: Any) -> int:
        count = super().readinto(buffer)
        self._watch(memoryview(buffer)[:count])
        return count


def read_lines(path: str | Path, dialect: Dialect, watch: Watch | None = None) -> Iterator[str]:
    """Reads the lines of a file with their line ends; a comment becomes a blank line.

    Args:
        path: The file.
        dialect: How it is written.
        watch: As in `open_bytes`.

    Yields:
        The lines; a byte that is not valid in the encoding is a lone surrogate, see `BAD_BYTE`.
    """
    with closing(_read_decoded(path, dialect, watch, _LINES_BYTES)) as text:
        yield from _blank_comments(split_lines(text), dialect)


def read_chunks(
    path: str | Path, dialect: Dialect, watch: Watch | None = None
) -> Generator[str, None, None]:
    """Reads the text of `read_lines` in chunks of about a megabyte."""
    if dialect.comment is None:
        yield from _read_decoded(path, dialect, watch, _CHUNK_BYTES)
        return
    lines = read_lines(path, dialect, watch)
    yield from iter(lambda: "".join(islice(lines, _LINES_PER_CHUNK)), "")


def _read_decoded(
    path: str | Path, dialect: Dialect, watch: Watch | None, chunk_bytes: int
) -> Generator[str, None, None]:
    """Reads the text without what stands around the table, but with its comments."""
    with open_bytes(path, watch) as file:
        text = _decode(file, dialect, chunk_bytes)
        text = remove_start(text, dialect.skip_lines, dialect.separator)
        yield from remove_end_mark(text)


def _decode(file: BinaryIO, dialect: Dialect, chunk_bytes: int) -> Iterator[str]:
    codecs.register_error(_ESCAPE, _escape)
    decoder = codecs.getincrementaldecoder(_codec(dialect))(_ESCAPE)
    start = _BYTE_ORDER_MARK
    while data := file.read(chunk_bytes):
        yield decoder.decode(data).removeprefix(start).replace(_NUL, _NUL_BYTE)
        start = ""
    yield decoder.decode(b"", final=True)


class Utf8Stream(io.RawIOBase):
    """The text of a CSV file in UTF-8, read once from beginning to end.

    Attributes:
        path: The file.
        dialect: How it is written.
        has_bad_bytes: Whether bytes that are not valid in the encoding were read so far. A
            `BAD_BYTE_MARK` takes the place of each.
        has_quotes: Whether quote characters were read so far.
    """

    def __init__(self, path: str | Path, dialect: Dialect) -> None:
        """Opens the file only at the first read."""
        self.path = path
        self.dialect = dialect
        self.has_bad_bytes = False
        self.has_quotes = False
        self._quote = (dialect.quote or "").encode()
        self._tail = b""
        self._is_cut = False
        self._digest = hashlib.sha256()
        self._chunks = read_chunks(path, dialect, self._digest.update)
        self._rest = memoryview(b"")
        self._lock = Lock()

    @property
    def digest(self) -> str:
        """The sha256 of the file's bytes, in hex; only valid once the text was read to its end."""
        return self._digest.hexdigest()

    @property
    def last_line(self) -> str | None:
        """The last line read so far that is not blank; None if it is longer than 64 KiB."""
        text = self._tail.rstrip(b"\r\n").decode("utf-8", "replace")
        begin = max(text.rfind("\n"), text.rfind("\r")) + 1
        return text[begin:] if begin or not self._is_cut else None

    def readable(self) -> bool:
        """Returns True."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Reads `size` bytes; fewer at the end of the text, and one less to keep CRLF together.

        Arrow takes a line feed at the beginning of a block for the rest of a line end if the block
        before it ends in a carriage return, and drops it, inside of a quoted cell too.

        Raises:
            UnicodeError: If the encoding cannot be decoded beyond a bad byte, as in UTF-16.
            EOFError, gzip.BadGzipFile, zlib.error: If a gzip file is damaged.
        """
        parts = []
        with self._lock:
            while size > 0 and not self.closed and (self._rest or self._fill()):
                parts.append(self._rest[:size])
                self._rest = self._rest[size:]
                size -= len(parts[-1])
            data = b"".join(parts)
            if len(data) > 1 and data.endswith(b"\r") and (self._rest or self._fill()):
                self._rest = memoryview(b"\r" + self._rest)
                data = data[:-1]
        return data

    def close(self) -> None:
        """Closes the file, after a read in another thread has returned."""
        with self._lock:
            self._chunks.close()
            super().close()

    def _fill(self) -> bool:
        for chunk in self._chunks:
            if chunk:
                data = self._encode(chunk)
                self._observe(data)
                self._rest = memoryview(data)
                return True
        return False

    def _observe(self, data: bytes) -> None:
        """Looks for quotes, and keeps the last bytes."""
        self.has_quotes = self.has_quotes or bool(self._quote and self._quote in data)
        tail = self._tail + data[-_TAIL_BYTES:]
        self._is_cut = self._is_cut or len(tail) > _TAIL_BYTES or len(data) > _TAIL_BYTES
        self._tail = tail[-_TAIL_BYTES:]

    def _encode(self, text: str) -> bytes:
        try:
            return text.encode()
        except UnicodeEncodeError:
            self.has_bad_bytes = True
            return BAD_BYTE.sub(BAD_BYTE_MARK, text).encode("utf-8", "replace")


def opens_quote(line: str, dialect: Dialect) -> bool:
    """Whether a quote is open at the end of a line, if none was open at its beginning."""
    closed = _closed_line(dialect)
    return closed is not None and not closed.fullmatch(line)


def _codec(dialect: Dialect) -> str:
    return "utf-8-sig" if dialect.is_utf8 else dialect.encoding


def _escape(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    return "".join(chr(0xDC00 + byte) for byte in bad), error.end


def _blank_comments(lines: Iterable[str], dialect: Dialect) -> Iterator[str]:
    """Removes the text of comments but keeps their line ends, so that lines keep their numbers."""
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
    """Makes a pattern of lines at whose end no quote is open; None if there is no quote.

    It matches each text in one way only, so that it takes linear time.
    """
    if dialect.quote is None:
        return None
    quote, separator = re.escape(dialect.quote), re.escape(dialect.separator)
    quoted = f"{quote}[^{quote}]*(?:{quote}{quote}[^{quote}]*)*{quote}(?!{quote})[^{separator}]*"
    cell = f"(?:{quoted}|[^{quote}{separator}][^{separator}]*|)"
    return re.compile(f"{cell}(?:{separator}{cell})*")
