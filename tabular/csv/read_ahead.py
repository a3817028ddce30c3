"""Reads CSV text as Arrow record batches, ahead in a thread of Arrow's; no TensorFlow."""

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

    Once the iterator has ended or is closed, no thread of Arrow's holds a Python object: a thread
    that releases one while Python shuts down aborts the process.

    Args:
        text: The text of the table.
        handle_invalid: Called with each row of a wrong number of fields, some blocks ahead of the
            batches; must not raise. Returns `skip` or `error`.
        read_options: Arrow's.
        convert_options: Arrow's.
        **parse_options: Arguments of Arrow's `ParseOptions`.

    Raises:
        pa.ArrowInvalid: If the text is not a table.
        Exception: Any error of `text.read`.
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
    """An Arrow C stream, which takes a reader from Python to release it without the GIL.

    A reader that is deleted while it reads ahead waits for its thread. Python would delete it with
    the GIL held, and that thread may be waiting for the GIL.

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
    """A file for Arrow. No stack frame refers to it, so that no traceback keeps it alive."""

    closed = False

    def __init__(self, read: Callable[[int], memoryview]) -> None:
        self.read = read


class _Loans:
    """Waits until Arrow has released the objects lent to it.

    The callback is a function in C, as a thread that runs Python code ends when Python shuts down.
    """

    def __init__(self) -> None:
        self._lent: list[weakref.ref[object]] = []
        self._returned: SimpleQueue[object] = SimpleQueue()

    def lend(self, thing: _Lent) -> _Lent:
        self._lent.append(weakref.ref(thing, self._returned.put))
        return thing

    def wait(self) -> None:
        """Waits until all objects are released, including those lent in the meantime."""
        for _ in self._lent:
            self._returned.get()
