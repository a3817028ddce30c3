"""CSV text as Arrow's record batches, read ahead in a thread of Arrow's; no TensorFlow."""

import ctypes
import weakref
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Any, TypeVar

import pyarrow as pa
from pyarrow import csv as arrow_csv

from tabular.csv.decoding import Utf8Stream

_Lent = TypeVar("_Lent")


def read_ahead(
    text: Utf8Stream,
    handle_invalid: Callable[[arrow_csv.InvalidRow], str],
    read_options: arrow_csv.ReadOptions,
    convert_options: arrow_csv.ConvertOptions,
    **parse_options: Any,
) -> Iterator[pa.RecordBatch]:
    """Reads a table, and closes its text.

    Once the iterator has ended or is closed, no thread of Arrow's holds what is Python's: one that
    lets go of it while Python ends aborts the process.

    Args:
        text: Where to read.
        handle_invalid: Arrow's handler of rows; called some blocks ahead, and must not raise.
        read_options: Arrow's.
        convert_options: Arrow's.
        **parse_options: What is not as Arrow's `ParseOptions` have it.

    Raises:
        pa.ArrowInvalid: If the text is no table.
        Exception: What reading the text raises.
    """
    loans = _Loans()
    errors: list[Exception] = []

    def read(size: int) -> memoryview:
        try:
            data = text.read(size)
        except Exception as error:
            errors.append(error)
            data = b""
        return loans.lend(memoryview(data))

    file = loans.lend(_File(read))
    handler = loans.lend(lambda row: handle_invalid(row))
    reader = None
    try:
        reader = arrow_csv.open_csv(
            file,
            read_options,
            arrow_csv.ParseOptions(invalid_row_handler=handler, **parse_options),
            convert_options,
        )
        yield from reader
    except pa.ArrowException:
        if not errors:
            raise
    finally:
        text.close()
        stream = _Stream()
        if reader is not None:
            reader._export_to_c(ctypes.addressof(stream))
        del reader, file, handler
        if stream.release:
            stream.release(ctypes.addressof(stream))
        loans.wait()
    if errors:
        raise errors[0]


_Release = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class _Stream(ctypes.Structure):
    """A reader by Arrow's C stream interface, whose last reference ends with the GIL released.

    A reader that is deleted while it reads ahead waits for its thread. Where Python deletes it, it
    waits with the GIL held, for which that thread may be waiting.

    Source: the struct ArrowArrayStream of Arrow's C stream interface.
    """

    _fields_ = (
        ("get_schema", ctypes.c_void_p),
        ("get_next", ctypes.c_void_p),
        ("get_last_error", ctypes.c_void_p),
        ("release", _Release),
        ("private_data", ctypes.c_void_p),
    )


class _File:
    """What Arrow takes for a file. No frame refers to it, so that no error's traceback keeps it."""

    closed = False

    def __init__(self, read: Callable[[int], memoryview]) -> None:
        self.read = read


class _Loans:
    """Counts what Arrow holds. In C alone: a thread may end within Python code once Python ends."""

    def __init__(self) -> None:
        self._lent: list[weakref.ref[object]] = []
        self._returned: SimpleQueue[object] = SimpleQueue()

    def lend(self, thing: _Lent) -> _Lent:
        self._lent.append(weakref.ref(thing, self._returned.put))
        return thing

    def wait(self) -> None:
        """Waits until all is back, what is lent meanwhile too."""
        for _ in self._lent:
            self._returned.get()
