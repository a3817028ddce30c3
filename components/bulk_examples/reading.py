"""Batches of a file of examples."""

from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Any

import pyarrow as pa
import tensorflow as tf
from tfx_bsl.coders.example_coder import ExamplesToRecordBatchDecoder
from tfx_bsl.tfxio.record_based_tfxio import AppendRawRecordColumn

from components.bulk_examples.writing import map_ahead

BATCH_EXAMPLES = 5_000
"""Decoding is fastest in batches that fit the processor's cache; a batch's fixed cost is small."""

FRAME_BYTES = 16
"""What TFRecord adds to a record: its length and two checksums."""
_LENGTH_BYTES = 4


class ExamplesFileError(Exception):
    """A file of examples that cannot be read."""


def read_batches(
    path: str,
    schema: bytes | None = None,
    raw_record_column: str | None = None,
    batch_examples: int = BATCH_EXAMPLES,
) -> Generator[pa.RecordBatch, None, None]:
    """Yields the batches of a file, some being read and decoded ahead, each in a thread.

    Args:
        path: A gzipped TFRecord file of `tf.Example`s.
        schema: Columns to decode, with their types, as a serialized `Schema`; None: all that a
            batch has, with the types there.
        raw_record_column: Name of a further column for the serialized examples; None: none.
        batch_examples: Examples per batch, but for the last.

    Raises:
        ExamplesFileError: If the file is damaged, or holds something else.
    """
    decoder = ExamplesToRecordBatchDecoder(*(() if schema is None else (schema,)))

    def decode(records: Any) -> tuple[Any, pa.RecordBatch]:
        return records, decoder.DecodeBatch(records)

    dataset = tf.data.TFRecordDataset(path, "GZIP").batch(batch_examples).prefetch(1)
    damages: list[Exception] = []
    n_read = n_bytes = 0
    # One thread, as a decoder serves only one; it takes as long as most of what batches are for.
    with closing(map_ahead(decode, _up_to_damage(dataset, damages), threads=1)) as decoded:
        while True:
            try:
                records, batch = next(decoded, (None, None))
            except (RuntimeError, ValueError) as error:
                damages.append(error)
                break
            if records is None:
                break
            n_read += len(records)
            n_bytes += sum(map(len, records)) + len(records) * FRAME_BYTES
            if raw_record_column is not None:
                batch = AppendRawRecordColumn(batch, raw_record_column, records)
            yield batch
    if damages:
        damage = damages[-1]  # What is read ahead may be damaged too, further on.
        reason = getattr(damage, "message", str(damage)).partition("\n")[0]
        raise ExamplesFileError(
            f"{path}: no examples can be read after the first {n_read}: {reason}"
        ) from damage
    check_complete(path, n_bytes)


def _up_to_damage(dataset: tf.data.Dataset, damages: list[Exception]) -> Iterator[Any]:
    """Yields the batches of records before the first that cannot be read, and notes why."""
    try:
        yield from dataset.as_numpy_iterator()
    except tf.errors.OpError as error:
        damages.append(error)


def check_complete(path: str, n_bytes: int) -> None:
    """Holds what was read of a file against the length that gzip notes at its end.

    Neither TensorFlow nor Beam does: a file that was cut off may give fewer examples to them.

    Args:
        path: A gzipped file.
        n_bytes: Bytes read, uncompressed, of all records, each with `FRAME_BYTES`.

    Raises:
        ExamplesFileError: If they differ.
    """
    with tf.io.gfile.GFile(path, "rb") as file:
        n_compressed = file.size()
        file.seek(max(n_compressed - _LENGTH_BYTES, 0))
        noted = int.from_bytes(file.read(), "little")
    if noted != n_bytes % 2 ** (8 * _LENGTH_BYTES):
        raise ExamplesFileError(
            f"{path} was cut off: {n_bytes} bytes of examples can be read, {noted} were written"
        )
