"""Encodes columns as TFRecords of serialized `tf.Example`s, column by column; no TensorFlow.

A TFRecord consists of the length of its data, a checksum of the length, the data, and a checksum of
the data. An example is a map of feature names to values: nested messages, each preceded by its
length. So everything in a record but the values and the last checksum depends only on the sizes of
the values, which many rows have in common.

Source: TensorFlow's `core/lib/io/record_writer.h` and `core/example/feature.proto`, and the wire
format of protocol buffers.
"""

import struct
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import google_crc32c
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tabular.csv.arrow_numpy import to_numpy

Sizes = npt.NDArray[np.int64]

_MISSING = -1
"""Takes the place of a size where the value is missing."""

_BYTES_LIST, _FLOAT_LIST, _INT64_LIST = 1, 2, 3
_HAS_LENGTH = 2
_LENGTHS_BYTES, _CHECKSUM_BYTES = 12, 4


def to_records(batch: pa.RecordBatch) -> pa.BinaryArray:
    """Encodes each row as a TFRecord of an example.

    Args:
        batch: Columns of float32, int64 or binary; null becomes a feature without a value.

    Returns:
        The records, binary `[n]`; features are sorted by name.

    Raises:
        TypeError: If a column is of another type.
    """
    if not len(batch):
        return pa.array([], pa.binary())
    sizes: Sizes = np.zeros(len(batch), dtype=np.int64)
    pieces = []
    for name in sorted(batch.schema.names):
        kind, values, value_sizes = _encode(batch[name])
        prefixes, prefix_sizes = _by_size(value_sizes, partial(_value_prefix, name, kind))
        pieces += [prefixes, values]
        sizes += prefix_sizes + np.maximum(value_sizes, 0)
    prefixes, _ = _by_size(sizes, _record_prefix)
    end, separator = pa.array([bytes(_CHECKSUM_BYTES), b""], pa.binary())
    return _add_checksums(pc.binary_join_element_wise(prefixes, *pieces, end, separator))


def _encode(column: pa.Array) -> tuple[int, pa.BinaryArray, Sizes]:
    """Encodes the values of a column.

    Returns:
        The field number of the list in `Feature`; the bytes of each value; their sizes, or
        `_MISSING`.
    """
    if pa.types.is_binary(column.type):
        sizes = to_numpy(pc.binary_length(column), null=_MISSING).astype(np.int64)
        return _BYTES_LIST, pc.fill_null(column, b"") if column.null_count else column, sizes
    is_missing = to_numpy(column.is_null(), null=True)
    values = to_numpy(column, null=0)
    if pa.types.is_float32(column.type):
        sizes = np.where(is_missing, _MISSING, values.itemsize)
        return _FLOAT_LIST, _to_array(values[~is_missing].view(np.uint8), sizes), sizes
    if pa.types.is_int64(column.type):
        varints, sizes = _to_varints(values.view(np.uint64))
        sizes[is_missing] = _MISSING
        is_used = np.arange(varints.shape[1]) < sizes[:, np.newaxis]
        return _INT64_LIST, _to_array(varints[is_used], sizes), sizes
    raise TypeError(f"a feature cannot hold values of {column.type}")


def _to_varints(values: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.uint8], Sizes]:
    """Encodes numbers as varints, seven bits a byte, lowest bits first.

    Returns:
        The bytes, uint8 `[n, size of the longest]`, and the size of each.
    """
    sizes: Sizes = np.ones(len(values), dtype=np.int64)
    for bits in range(7, 64, 7):
        sizes += values >= np.uint64(1 << bits)
    shifts = np.arange(0, 7 * sizes.max(), 7, dtype=np.uint64)
    varints = (values[:, np.newaxis] >> shifts).astype(np.uint8) & np.uint8(0x7F)
    has_next = np.arange(1, len(shifts) + 1) < sizes[:, np.newaxis]
    varints[has_next] |= np.uint8(0x80)
    return varints, sizes


def _to_array(data: npt.NDArray[np.uint8], sizes: Sizes) -> pa.BinaryArray:
    """Cuts bytes into values of given sizes; `_MISSING` gives an empty value."""
    ends = np.zeros(len(sizes) + 1, dtype=np.int32)
    np.cumsum(np.maximum(sizes, 0), out=ends[1:])
    return pa.Array.from_buffers(
        pa.binary(), len(sizes), [None, pa.py_buffer(ends), pa.py_buffer(data)]
    )


def _by_size(sizes: Sizes, make: Callable[[int], bytes]) -> tuple[Any, Sizes]:
    """Makes a piece for each row from its size, once for each distinct size.

    Args:
        sizes: The size of each row, `[n]`.
        make: Makes the piece of a size.

    Returns:
        The pieces `[n]` and their sizes `[n]`; scalars if all rows have the same size.
    """
    if sizes.min() == sizes.max():
        piece = make(int(sizes[0]))
        return pa.array([piece], pa.binary())[0], np.array(len(piece))
    found = pc.dictionary_encode(pa.array(sizes))
    pieces = [make(size) for size in found.dictionary.to_pylist()]
    codes = to_numpy(found.indices, null=0)
    return pa.array(pieces, pa.binary()).take(found.indices), np.array(list(map(len, pieces)))[
        codes
    ]


def _value_prefix(name: str, kind: int, size: int) -> bytes:
    """Encodes the bytes before a value: the name of its feature, and all lengths.

    Args:
        name: Name of the feature.
        kind: Field number of its list in `Feature`.
        size: Bytes of the value, or `_MISSING`.
    """
    key = _field(1, len(name.encode())) + name.encode()
    if size == _MISSING:
        return _field(1, len(key) + 2) + key + _field(2, 0)
    prefix, length = b"", size
    for number in (1, kind, 2):  # value in list, list in feature, feature in map entry
        prefix = _field(number, length) + prefix
        length = len(prefix) + size
    return _field(1, len(key) + length) + key + prefix


def _record_prefix(size: int) -> bytes:
    """Encodes the bytes before features of a given size: lengths of record and example."""
    features = _field(1, size)
    length = struct.pack("<Q", len(features) + size)
    return length + _mask([google_crc32c.value(length)]).tobytes() + features


def _field(number: int, length: int) -> bytes:
    """Encodes the tag of a length-delimited field, and the length."""
    data = bytearray([number << 3 | _HAS_LENGTH])
    while length > 0x7F:
        data.append(length & 0x7F | 0x80)
        length >>= 7
    data.append(length)
    return bytes(data)


def _add_checksums(records: pa.BinaryArray) -> pa.BinaryArray:
    """Fills in the checksum of the data: the last four bytes of each record."""
    _, offsets, data = records.buffers()
    ends = np.frombuffer(offsets, dtype=np.int32, count=len(records) + 1)
    text = data.to_pybytes()
    value = google_crc32c.value
    found = [
        value(text[begin + _LENGTHS_BYTES : end - _CHECKSUM_BYTES])
        for begin, end in pairwise(ends.tolist())
    ]
    filled = np.frombuffer(text, dtype=np.uint8).copy()
    places = ends[1:, np.newaxis] + np.arange(-_CHECKSUM_BYTES, 0)
    filled[places] = _mask(found).view(np.uint8).reshape(-1, _CHECKSUM_BYTES)
    return pa.Array.from_buffers(pa.binary(), len(records), [None, offsets, pa.py_buffer(filled)])


def _mask(checksums: Sequence[int]) -> npt.NDArray[np.uint32]:
    """Masks CRC32C checksums as TFRecord does: rotated right by 15 bits, plus a constant."""
    crc = np.array(checksums, dtype=np.uint32)
    masked: npt.NDArray[np.uint32] = crc >> np.uint32(15) | crc << np.uint32(17)
    return masked + np.uint32(0xA282EAD8)
