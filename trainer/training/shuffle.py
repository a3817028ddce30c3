"""Shuffles examples within chunks that are held in memory."""

import math
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

_CHUNK_BYTES = 64 * 2**20
_CHUNK_EXAMPLES = 10_000  # if the size of an example is not known
_INDEX_BYTES = 40  # per example, for the permutation and for sorting it
_PIECE_EXAMPLES = 2000

FeatureSpec = Mapping[str, Any]
"""Specs by name: `tf.io.FixedLenFeature`, or another if examples differ in number of values."""
without_autograph = tf.autograph.experimental.do_not_convert
"""Decorator for functions without branches: AutoGraph would take most of the time of a graph."""


def is_dense(feature_spec: FeatureSpec) -> bool:
    """Whether all features have the same number of values in every example."""
    return all(isinstance(spec, tf.io.FixedLenFeature) for spec in feature_spec.values())


def chunk_size(feature_spec: FeatureSpec) -> int:
    """Computes how many examples to shuffle at once."""
    if not is_dense(feature_spec) or any(spec.dtype == tf.string for spec in feature_spec.values()):
        return _CHUNK_EXAMPLES
    n_bytes: int = sum(spec.dtype.size * math.prod(spec.shape) for spec in feature_spec.values())
    return max(1, _CHUNK_BYTES // (n_bytes + _INDEX_BYTES))


def shuffle_chunks(blocks: tf.data.Dataset, chunk_size: int, seed: int) -> tf.data.Dataset:
    """Shuffles the examples of each chunk, and repeats all examples without end.

    `Dataset.shuffle` takes ten times as long, and 200 bytes per example.

    Args:
        blocks: Blocks of examples, `[block_size, ...]`; read again in every pass, unless all
            examples fit in one chunk.
        chunk_size: Largest number of examples in a chunk.
        seed: Seed of the order.

    Returns:
        Pieces of shuffled examples, `[piece_size, ...]`, of different sizes.
    """

    @without_autograph
    def shuffle_chunk(number: tf.Tensor, chunk: Any) -> tf.data.Dataset:
        n_examples = tf.shape(tf.nest.flatten(chunk)[0])[0]
        is_only_chunk = tf.equal(number, 0) & (n_examples < chunk_size)
        passes = tf.data.Dataset.range(tf.where(is_only_chunk, tf.int64.max, 1))

        def permute(pass_number: tf.Tensor) -> tf.Tensor:
            return tf.random.experimental.stateless_shuffle(
                tf.range(n_examples), [tf.constant(seed, tf.int64), number + pass_number]
            )

        def pick(indices: tf.Tensor) -> Any:
            return tf.nest.map_structure(lambda tensor: tf.gather(tensor, indices), chunk)

        return passes.map(permute).rebatch(_PIECE_EXAMPLES).map(pick)

    return blocks.rebatch(chunk_size).repeat().enumerate().flat_map(shuffle_chunk)
