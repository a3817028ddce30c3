"""Input of training and evaluation: a tf.data pipeline over the transformed examples."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import tensorflow as tf

from trainer.signatures import EXAMPLE_WEIGHT
from trainer.training.transformed_examples import find_files, read_dense, read_serialized

_CHUNK_BYTES = 64 * 2**20
_CHUNK_EXAMPLES = 10_000  # if the size of an example is not known
_INDEX_BYTES = 40  # per example, for the permutation and for sorting it
_BLOCK_EXAMPLES = 16_000  # the batch of an evaluation, so that a block need not be cut
_PIECE_EXAMPLES = 2000
_PREFETCHED_BATCHES = 2
_without_autograph = tf.autograph.experimental.do_not_convert
"""Decorator for functions without branches: AutoGraph would take most of the time of a graph."""

Batch = tuple[dict[str, tf.Tensor], tf.Tensor]
FeatureSpec = Mapping[str, Any]
"""Specs by name: `tf.io.FixedLenFeature`, or another if examples differ in number of values."""


def make_dataset(
    file_patterns: Sequence[str],
    feature_spec: FeatureSpec,
    label: str,
    batch_size: int,
    *,
    shuffle_seed: int | None = None,
    weight: str | None = None,
    class_weights: Sequence[float] | None = None,
) -> tf.data.Dataset:
    """Reads transformed examples in batches.

    Shuffling holds a chunk of examples in memory: 10,000, or for numbers only as many as 64 MiB
    hold (a million with four features). Examples that fit in one chunk are read once; others are
    read again in every pass.

    Args:
        file_patterns: Patterns of Transform's Parquet files.
        feature_spec: Specs of the transformed features, the label, and the weight if there is one.
        label: Name of the label in `feature_spec`.
        batch_size: Examples per batch.
        shuffle_seed: With a seed, examples are shuffled within chunks, differently in every pass,
            and repeated without end. With None, they come once and in order; the last batch may be
            smaller.
        weight: Name of the weight in `feature_spec`; None if every example has the weight 1.
        class_weights: Factors of the weight by class id; None for no factors.

    Returns:
        Dataset of `(features, labels)`: features by name, `[batch_size, ...]`; labels
        `[batch_size]`, int64 class ids or float32. With `weight` or `class_weights`, the features
        include `EXAMPLE_WEIGHT`, float32 `[batch_size, 1]`, instead of the weight.

    Raises:
        tf.errors.NotFoundError: If no file matches.
        ValueError: If a feature is named `EXAMPLE_WEIGHT` although examples have weights.
    """
    if (weight or class_weights) and EXAMPLE_WEIGHT in {*feature_spec} - {weight}:
        raise ValueError(f"a feature cannot be named {EXAMPLE_WEIGHT} if examples have weights")

    is_dense = _is_dense(feature_spec)

    @_without_autograph
    def prepare(block: Any) -> Batch:
        features = dict(block) if is_dense else tf.io.parse_example(block, dict(feature_spec))
        labels = tf.reshape(features.pop(label), [-1])
        factors = []
        if weight is not None:
            factors.append(tf.reshape(features.pop(weight), [-1, 1]))
        if class_weights is not None:
            by_id = tf.constant(class_weights, tf.float32)
            factors.append(tf.gather(by_id, labels)[:, tf.newaxis])
        if factors:
            features[EXAMPLE_WEIGHT] = tf.math.reduce_prod(tf.stack(factors), axis=0)
        return features, labels

    if shuffle_seed is None:
        blocks = _read(file_patterns, feature_spec, _BLOCK_EXAMPLES)
        return blocks.rebatch(batch_size).map(prepare).prefetch(_PREFETCHED_BATCHES)
    chunk_size = _chunk_size(feature_spec)
    blocks = _read(file_patterns, feature_spec, min(_BLOCK_EXAMPLES, chunk_size))
    if is_dense:
        pieces = _shuffle(blocks.map(prepare), chunk_size, shuffle_seed)
        return pieces.prefetch(_PREFETCHED_BATCHES).rebatch(batch_size, drop_remainder=True)
    # Examples stay serialized while shuffled, since a sparse tensor cannot be indexed.
    pieces = _shuffle(blocks, chunk_size, shuffle_seed)
    return (
        pieces.rebatch(batch_size, drop_remainder=True).map(prepare).prefetch(_PREFETCHED_BATCHES)
    )


def next_element(dataset: tf.data.Dataset) -> tf.data.Dataset | tuple[Any, ...]:
    """Returns tensors that are the next element of a dataset in each run of a session.

    They are read in the thread that runs the session. Estimator's iterator uses another thread, and
    switching to it and back takes longer than a step of a small network.

    Args:
        dataset: A dataset of the session's graph.

    Returns:
        The tensors of an element, for an `input_fn` to return; the table initializers of the graph
        initialize the iterator. If an element has other than dense tensors, the dataset itself.
    """
    spec = dataset.element_spec
    flat = tf.nest.flatten(spec)
    if not all(isinstance(each, tf.TensorSpec) for each in flat):
        return dataset
    kind = {
        "output_types": [each.dtype for each in flat],
        "output_shapes": [each.shape for each in flat],
    }
    iterator = tf.raw_ops.IteratorV2(shared_name="", container="", **kind)
    initializer = tf.raw_ops.MakeIterator(
        dataset=tf.data.experimental.to_variant(dataset), iterator=iterator
    )
    tf.compat.v1.add_to_collection(tf.compat.v1.GraphKeys.TABLE_INITIALIZERS, initializer)
    tensors = tf.raw_ops.IteratorGetNextSync(iterator=iterator, **kind)
    element: tuple[Any, ...] = tf.nest.pack_sequence_as(spec, tensors)
    return element


def _read(
    file_patterns: Sequence[str], feature_spec: FeatureSpec, block_size: int
) -> tf.data.Dataset:
    """Reads blocks of dense features by name, or, if any is not dense, of serialized examples."""
    read: Callable[..., Iterator[Any]] = read_serialized
    signature: Any = tf.TensorSpec([None], tf.string)
    if _is_dense(feature_spec):
        read = read_dense
        signature = {
            name: tf.TensorSpec([None, *spec.shape], spec.dtype)
            for name, spec in feature_spec.items()
        }
    blocks = partial(read, find_files(file_patterns), feature_spec, block_size)
    # There is nothing to tune, and the tuning thread delays the end of a session by seconds.
    options = tf.data.Options()
    options.autotune.enabled = False
    return tf.data.Dataset.from_generator(blocks, output_signature=signature).with_options(options)


def _is_dense(feature_spec: FeatureSpec) -> bool:
    return all(isinstance(spec, tf.io.FixedLenFeature) for spec in feature_spec.values())


def _chunk_size(feature_spec: FeatureSpec) -> int:
    """Computes how many examples to shuffle at once."""
    if not _is_dense(feature_spec) or any(
        spec.dtype == tf.string for spec in feature_spec.values()
    ):
        return _CHUNK_EXAMPLES
    n_bytes: int = sum(spec.dtype.size * math.prod(spec.shape) for spec in feature_spec.values())
    return max(1, _CHUNK_BYTES // (n_bytes + _INDEX_BYTES))


def _shuffle(blocks: tf.data.Dataset, chunk_size: int, seed: int) -> tf.data.Dataset:
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

    @_without_autograph
    def shuffle_chunk(number: tf.Tensor, chunk: Any) -> tf.data.Dataset:
        n_examples = tf.shape(tf.nest.flatten(chunk)[0])[0]
        is_all = tf.equal(number, 0) & (n_examples < chunk_size)
        passes = tf.data.Dataset.range(tf.where(is_all, tf.int64.max, 1))

        def permute(pass_number: tf.Tensor) -> tf.Tensor:
            return tf.random.experimental.stateless_shuffle(
                tf.range(n_examples), [tf.constant(seed, tf.int64), number + pass_number]
            )

        def pick(indices: tf.Tensor) -> Any:
            return tf.nest.map_structure(lambda tensor: tf.gather(tensor, indices), chunk)

        return passes.map(permute).rebatch(_PIECE_EXAMPLES).map(pick)

    return blocks.rebatch(chunk_size).repeat().enumerate().flat_map(shuffle_chunk)
