"""Files of one Arrow record batch, which keep rows in blocks between passes; no TensorFlow."""

import os
from pathlib import Path

import pyarrow as pa


def write_block(path: str | Path, batch: pa.RecordBatch) -> None:
    """Writes a batch whole or not at all, so that a worker that tries again may do so."""
    temporary = f"{path}.{os.getpid()}"
    with pa.OSFile(temporary, "wb") as file, pa.ipc.new_file(file, batch.schema) as writer:
        writer.write_batch(batch)
    os.replace(temporary, path)


def read_block(path: str | Path) -> pa.RecordBatch:
    """Reads what `write_block` has written."""
    with pa.OSFile(str(path), "rb") as file:
        return pa.ipc.open_file(file).get_batch(0)
