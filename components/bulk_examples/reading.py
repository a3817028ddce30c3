"""Batches of a file of examples."""

from collections.abc import Iterator

import pyarrow as pa
import tensorflow as tf
from tfx_bsl.coders.example_coder import ExamplesToRecordBatchDecoder
from tfx_bsl.tfxio.record_based_tfxio import AppendRawRecordColumn

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
) -> Iterator[pa.RecordBatch]:
    """Yields the batches of a file, one being read ahead.

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
    dataset = tf.data.TFRecordDataset(path, "GZIP").batch(batch_examples).prefetch(1)
    batches = dataset.as_numpy_iterator()
    n_read = n_bytes = 0
    while True:
        try:
            records = next(batches, None)
            if records is None:
                break
            batch = decoder.DecodeBatch(records)
        except (tf.errors.OpError, RuntimeError, ValueError) as error:
            reason = getattr(error, "message", str(error)).partition("\n")[0]
            raise ExamplesFileError(
                f"{path}: no examples can be read after the first {n_read}: {reason}"
            ) from error
        n_read += len(records)
        n_bytes += sum(map(len, records)) + len(records) * FRAME_BYTES
        if raw_record_column is not None:
            batch = AppendRawRecordColumn(batch, raw_record_column, records)
        yield batch
    check_complete(path, n_bytes)


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
