"""Gzipped files that several threads compress; no TensorFlow.

A file is made of parts, each compressed alone, one after another in one gzip member. A member for
each part would be a gzip file too, but TensorFlow stops reading at one that holds nothing, or may
where one ends as its buffer does.

Source: RFC 1951 and 1952; TensorFlow's `core/lib/io/zlib_inputstream.cc`.
"""

import os
import struct
import zlib
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, TypeVar

_LEVEL = 1
"""Takes a third of the default's time, for a tenth more bytes."""

_HEADER = b"\x1f\x8b\x08\x00" + bytes(4) + b"\x04\xff"
"""Deflate, no name, no time, the fastest level, on whatever system."""
_LAST_BLOCK = b"\x03\x00"
_MOST_THREADS = 4
"""More wait for each other: a third of the work on examples is Python's own."""

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Part:
    """A part of a file."""

    data: bytes | memoryview
    compressed: bytes


def compress(data: bytes | memoryview) -> Part:
    """Compresses a part."""
    compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    # The flush ends at a whole byte, from where the next part goes on.
    return Part(data, compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH))


class GzipWriter:
    """Puts a file together, which is whole once this is closed."""

    def __init__(self, file: IO[bytes]) -> None:
        """Begins an empty file."""
        self._file = file
        self._checksum = zlib.crc32(b"")
        self._size = 0
        file.write(_HEADER)

    def write(self, part: Part) -> None:
        """Adds a part."""
        self._file.write(part.compressed)
        self._checksum = zlib.crc32(part.data, self._checksum)
        self._size += len(part.data)

    def close(self) -> None:
        """Ends the file."""
        self._file.write(_LAST_BLOCK + struct.pack("<II", self._checksum, self._size % 2**32))
        self._file.close()


def map_ahead(
    work: Callable[[_Item], _Result], items: Iterable[_Item]
) -> Generator[_Result, None, None]:
    """Works on items ahead of the one whose result is taken; keeps their order.

    There is a thread for each processor, up to four.

    Args:
        work: What makes an item's result.
        items: Taken as there is room: twice as many as threads are ahead.

    Raises:
        Exception: Whatever `work` or `items` raises.
    """
    threads = min(len(os.sched_getaffinity(0)), _MOST_THREADS)
    ahead: deque[Future[_Result]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for item in items:
                ahead.append(pool.submit(work, item))
                if len(ahead) == 2 * threads:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)
