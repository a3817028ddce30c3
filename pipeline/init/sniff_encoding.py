"""Detects the encoding of a CSV file."""

import codecs
import gzip
import zlib
from pathlib import Path

from pipeline.data.file_format import check_is_text, guess_utf_16, read_head
from pipeline.errors import DataError
from tabular.csv.decoding import open_bytes

_CHUNK_BYTES = 2**20
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def find_encoding(path: Path) -> str:
    """Reads all bytes to detect UTF-8 or UTF-16; everything else is taken for Latin-1.

    Args:
        path: The file; it may be compressed by gzip.

    Raises:
        DataError: If it is not text.
        OSError: If it cannot be read.
    """
    try:
        head = read_head(str(path))
        check_is_text(str(path), head)
        if head.startswith(_UTF_16):
            return "utf-16"
        return guess_utf_16(head) or ("utf-8" if _is_utf_8(path) else "latin-1")
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: is broken: {error}; expected a whole gzip file") from None


def _is_utf_8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with open_bytes(path) as file:
        try:
            while chunk := file.read(_CHUNK_BYTES):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True
