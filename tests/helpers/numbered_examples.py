"""Transformed examples that are numbered, so that tests can follow each through a dataset."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from tests.helpers.transformed_files import write_transformed

SPEC = {
    "x": tf.io.FixedLenFeature([1], tf.float32),
    "y": tf.io.FixedLenFeature([1], tf.int64),
}
SPARSE = {**SPEC, "z": tf.io.VarLenFeature(tf.float32)}


def write_shard(path: Path, numbers: Sequence[int]) -> None:
    """Writes examples: x is the number, y its last digit, z the digit if it is not 0."""
    column = np.array(numbers)[:, np.newaxis]
    sparse = tf.sparse.from_dense((column % 10).astype(np.float32))
    tensors = {"x": column.astype(np.float32), "y": column % 10, "z": sparse}
    write_transformed(path, SPARSE, tensors)


def read(dataset: tf.data.Dataset) -> Iterator[int]:
    """Yields the numbers of the dataset one by one."""
    for features, _ in dataset:
        yield from features["x"].numpy().ravel().astype(int).tolist()
