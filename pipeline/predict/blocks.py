"""Keeps blocks of rows in files of one Arrow record batch each; no TensorFlow."""

import os
from pathlib import Path

import pyarrow as pa


def write_block(path: str | Path, batch: pa.RecordBatch) -> None:
    """Writes a batch atomically, so that a worker can try again."""
    temporary = f"{path}.{os.getpid()}"
    with pa.OSFile(temporary, "wb") as file, pa.ipc.new_file(file, batch.schema) as writer:
        writer.write_batch(batch)
    os.replace(temporary, path)


def read_block(path: str | Path) -> pa.RecordBatch:
    """Reads a file that `write_block` wrote."""
    with pa.OSFile(str(path), "rb") as file:
        return pa.ipc.open_file(file).get_batch(0)
