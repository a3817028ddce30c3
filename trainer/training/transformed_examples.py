"""Transformed examples, as Transform writes them: Parquet files whose columns are lists.

It is the layout of TFX's own Transform where that writes Parquet.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import tensorflow as tf
from pyarrow import parquet
from tensorflow_transform.tf_metadata import schema_utils
from tfx_bsl.coders.example_coder import RecordBatchToExamplesEncoder


class _File(tf.io.gfile.GFile):
    """A file as Arrow takes it."""

    closed = False


def find_files(patterns: Sequence[str]) -> list[str]:
    """Finds the files of patterns, in the order of their names.

    Raises:
        tf.errors.NotFoundError: If there is none.
    """
    paths = sorted(path for pattern in patterns for path in tf.io.gfile.glob(pattern))
    if not paths:
        raise tf.errors.NotFoundError(None, None, f"no examples match {list(patterns)}")
    return paths


def read_dense(
    paths: Sequence[str], feature_spec: Mapping[str, tf.io.FixedLenFeature], block_size: int
) -> Iterator[dict[str, npt.NDArray[Any]]]:
    """Yields the features of up to so many examples by name, `[n, *shape]` of their type.

    Args:
        paths: Files, read in their order.
        feature_spec: The features to read.
        block_size: Examples of a block, but for a file's last.

    Raises:
        ValueError: If a file is damaged.
    """
    for block in _read(paths, block_size, list(feature_spec)):
        yield {
            name: block[name].flatten().to_numpy(zero_copy_only=False).reshape(-1, *spec.shape)
            for name, spec in feature_spec.items()
        }


def read_serialized(
    paths: Sequence[str], feature_spec: Mapping[str, Any], block_size: int
) -> Iterator[npt.NDArray[np.object_]]:
    """Yields up to so many serialized `tf.Example`s, `[n]`.

    Args:
        paths: Files, read in their order.
        feature_spec: Spec of all features.
        block_size: Examples of a block, but for a file's last.

    Raises:
        ValueError: If a file is damaged.
    """
    encoder = RecordBatchToExamplesEncoder(schema_utils.schema_from_feature_spec(feature_spec))
    for block in _read(paths, block_size):
        yield np.array(encoder.encode(block), dtype=object)


def _read(
    paths: Sequence[str], block_size: int, columns: list[str] | None = None
) -> Iterator[pa.RecordBatch]:
    for path in paths:
        with _File(path, "rb") as file:
            try:
                yield from parquet.ParquetFile(file).iter_batches(block_size, columns=columns)
            except (pa.ArrowException, OSError) as error:
                raise ValueError(f"{path}: examples cannot be read: {error}") from error
