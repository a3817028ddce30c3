"""Reads transformed examples from Transform's Parquet files, whose columns are lists.

The layout is that of TFX's Transform when it writes Parquet.
"""

import math
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
    """A file with the attribute that Arrow requires."""

    closed = False


def find_files(patterns: Sequence[str]) -> list[str]:
    """Finds the files that match any pattern, sorted by path.

    Raises:
        tf.errors.NotFoundError: If no file matches.
    """
    paths = sorted(path for pattern in patterns for path in tf.io.gfile.glob(pattern))
    if not paths:
        raise tf.errors.NotFoundError(None, None, f"no examples match {list(patterns)}")
    return paths


def read_dense(
    paths: Sequence[str], feature_spec: Mapping[str, tf.io.FixedLenFeature], block_size: int
) -> Iterator[dict[str, npt.NDArray[Any]]]:
    """Yields dense features by name in blocks, each `[n, *shape]` with the dtype of its spec.

    Args:
        paths: Files to read, in this order.
        feature_spec: The features to read.
        block_size: Examples per block; the last block of a file may be smaller.

    Raises:
        ValueError: If a file is damaged.
    """
    for block in _read(paths, block_size, list(feature_spec)):
        yield {
            name: block[name].flatten().to_numpy(zero_copy_only=False).reshape(-1, *spec.shape)
            for name, spec in feature_spec.items()
        }


def read_packed(
    paths: Sequence[str], feature_spec: Mapping[str, tf.io.FixedLenFeature], block_size: int
) -> Iterator[dict[str, npt.NDArray[Any]]]:
    """Yields dense features in blocks, those of a dtype side by side: `[n, width]` by dtype name.

    Args:
        paths: Files to read, in this order.
        feature_spec: The features to read.
        block_size: Examples per block; the last block of a file may be smaller.

    Raises:
        ValueError: If a file is damaged.
    """
    for block in read_dense(paths, feature_spec, block_size):
        yield {
            dtype: np.concatenate([block[name].reshape(-1, size) for name, size in sizes], axis=1)
            for dtype, sizes in packed_sizes(feature_spec).items()
        }


def packed_sizes(
    feature_spec: Mapping[str, tf.io.FixedLenFeature],
) -> dict[str, list[tuple[str, int]]]:
    """Lists name and number of values of the features of each dtype, in the order of packing."""
    sizes: dict[str, list[tuple[str, int]]] = {}
    for name, spec in feature_spec.items():
        sizes.setdefault(spec.dtype.name, []).append((name, math.prod(spec.shape)))
    return sizes


def unpack(
    packed: Mapping[str, tf.Tensor], feature_spec: Mapping[str, tf.io.FixedLenFeature]
) -> dict[str, tf.Tensor]:
    """Takes features out of what `read_packed` yields, `[n, *shape]` each, by an op per dtype."""
    features = {}
    for dtype, sizes in packed_sizes(feature_spec).items():
        parts = tf.split(packed[dtype], [size for _, size in sizes], axis=1)
        for (name, size), part in zip(sizes, parts, strict=True):
            shape = list(feature_spec[name].shape)
            features[name] = part if shape == [size] else tf.reshape(part, [-1, *shape])
    return features


def read_serialized(
    paths: Sequence[str], feature_spec: Mapping[str, Any], block_size: int
) -> Iterator[npt.NDArray[np.object_]]:
    """Yields serialized `tf.Example`s in blocks, each an object array `[n]`.

    Args:
        paths: Files to read, in this order.
        feature_spec: Specs of all features.
        block_size: Examples per block; the last block of a file may be smaller.

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
