"""`input_fn` of training and evaluation: a tf.data pipeline over the transformed examples."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.signatures import EXAMPLE_WEIGHT
from trainer.training.transformed_examples import find_files, read_dense, read_serialized

SHUFFLED_AT_ONCE_BYTES = 64 * 2**20
_BYTES_TO_SHUFFLE = 40  # of an example's place in the order, and of what is sorted for it
_SHUFFLED_AT_ONCE = 10_000
_READ_AT_ONCE = 16_000  # an evaluation's batch, which passes uncut
_DEALT_AT_ONCE = 2000
_PREFETCHED = 2
_as_written = tf.autograph.experimental.do_not_convert
"""Keeps AutoGraph, which takes longer than all else in a graph, from functions without branches."""

Batch = tuple[dict[str, tf.Tensor], tf.Tensor]
FeatureSpec = Mapping[str, Any]
"""Name to `tf.io.FixedLenFeature` or, where examples differ in their number of values, another."""


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

    To be shuffled, examples are held in memory by the chunk: 10,000, or of numbers alone as many as
    64 MiB hold (a million with four features). If one chunk is all, its examples are read once;
    else they are read anew in every pass.

    Args:
        file_patterns: Patterns of Transform's Parquet files.
        feature_spec: Spec of the transformed features, the label, and the weight if there is one.
        label: Key of the label in `feature_spec`.
        batch_size: Examples per batch.
        shuffle_seed: With a seed, the examples of a chunk are shuffled, anew in every pass, and all
            are repeated without end; without one, they come once, in their order, the last batch as
            short as it is.
        weight: Key of each example's weight in `feature_spec`; None: all weigh 1.
        class_weights: By class id, what the weight is multiplied with; None: none.

    Returns:
        Dataset of `(features, labels)`: features of shape `[batch_size, ...]` by name, labels
        `[batch_size]`, int64 class ids or float32. With `weight` or `class_weights` the features
        hold `EXAMPLE_WEIGHT`, float32 `[batch_size, 1]`, in place of the weight.

    Raises:
        tf.errors.NotFoundError: If no file matches.
        ValueError: If the features need the name of the weight themselves.
    """
    if (weight or class_weights) and EXAMPLE_WEIGHT in {*feature_spec} - {weight}:
        raise ValueError(f"no feature can be named {EXAMPLE_WEIGHT} where examples have weights")

    is_dense = _is_dense(feature_spec)

    @_as_written
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
        blocks = _read(file_patterns, feature_spec, _READ_AT_ONCE)
        return blocks.rebatch(batch_size).map(prepare).prefetch(_PREFETCHED)
    chunk_size = _chunk_size(feature_spec)
    blocks = _read(file_patterns, feature_spec, min(_READ_AT_ONCE, chunk_size))
    if is_dense:
        pieces = _shuffle(blocks.map(prepare), chunk_size, shuffle_seed)
        return pieces.prefetch(_PREFETCHED).rebatch(batch_size, drop_remainder=True)
    # Serialized, since a sparse tensor cannot be cut into pieces.
    pieces = _shuffle(blocks, chunk_size, shuffle_seed)
    return pieces.rebatch(batch_size, drop_remainder=True).map(prepare).prefetch(_PREFETCHED)


def take(dataset: tf.data.Dataset) -> tf.data.Dataset | tuple[Any, ...]:
    """Has each run of a session take an element in the thread that runs it.

    What Estimator makes of a dataset hands over to another thread and back, which takes longer than
    the step of a small network.

    Args:
        dataset: Made in the session's graph.

    Returns:
        An element's tensors, for an `input_fn` to return; their iterator is initialized with the
        graph's tables. The dataset itself if it has others than dense tensors.
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


def count_classes(
    file_patterns: Sequence[str],
    feature_spec: FeatureSpec,
    label: str,
    n_classes: int,
) -> np.ndarray[Any, Any]:
    """Counts the examples of each class, int64 `[n_classes]`.

    Args:
        file_patterns: Patterns of Transform's Parquet files.
        feature_spec: Spec of the label, and maybe more.
        label: Key of the label, whose values are class ids.
        n_classes: Number of classes.

    Raises:
        tf.errors.NotFoundError: If no file matches.
    """
    counts = np.zeros(n_classes, np.int64)
    spec = {label: feature_spec[label]}
    for block in read_dense(find_files(file_patterns), spec, _READ_AT_ONCE):
        counts += np.bincount(block[label].ravel(), minlength=n_classes)
    return counts


def balance(counts: np.ndarray[Any, Any]) -> list[float]:
    """Gives the weights with which all classes weigh alike, and an example weighs 1 on average.

    It is n / (k * count) for a class of `count` out of n examples of k classes; of a class without
    examples it is as if there were one.

    Args:
        counts: Examples of each class, `[n_classes]`.
    """
    weights: list[float] = (counts.sum() / (len(counts) * np.maximum(counts, 1))).tolist()
    return weights


def _read(
    file_patterns: Sequence[str], feature_spec: FeatureSpec, block_size: int
) -> tf.data.Dataset:
    """Gives blocks of dense features by name, or else of serialized examples `[block_size]`."""
    read: Callable[..., Iterator[Any]] = read_serialized
    signature: Any = tf.TensorSpec([None], tf.string)
    if _is_dense(feature_spec):
        read = read_dense
        signature = {
            name: tf.TensorSpec([None, *spec.shape], spec.dtype)
            for name, spec in feature_spec.items()
        }
    blocks = partial(read, find_files(file_patterns), feature_spec, block_size)
    # There is nothing to tune, and the thread that does would hold up a session's end for seconds.
    options = tf.data.Options()
    options.autotune.enabled = False
    return tf.data.Dataset.from_generator(blocks, output_signature=signature).with_options(options)


def _is_dense(feature_spec: FeatureSpec) -> bool:
    return all(isinstance(spec, tf.io.FixedLenFeature) for spec in feature_spec.values())


def _chunk_size(feature_spec: FeatureSpec) -> int:
    """Gives how many examples are shuffled at once."""
    if not _is_dense(feature_spec) or any(
        spec.dtype == tf.string for spec in feature_spec.values()
    ):
        return _SHUFFLED_AT_ONCE  # the size of an example is not known
    n_bytes: int = sum(spec.dtype.size * math.prod(spec.shape) for spec in feature_spec.values())
    return max(1, SHUFFLED_AT_ONCE_BYTES // (n_bytes + _BYTES_TO_SHUFFLE))


def _shuffle(blocks: tf.data.Dataset, chunk_size: int, seed: int) -> tf.data.Dataset:
    """Shuffles the examples of each chunk, and repeats all without end.

    A buffer of `Dataset.shuffle` costs ten times the time, and 200 bytes per example.

    Args:
        blocks: Examples `[block_size, ...]`, read anew in every pass, unless they are one chunk.
        chunk_size: The most examples of a chunk.
        seed: The same gives the same order.

    Returns:
        Pieces `[piece_size, ...]`, sizes of which differ.
    """

    @_as_written
    def deal(number: tf.Tensor, chunk: Any) -> tf.data.Dataset:
        n_examples = tf.shape(tf.nest.flatten(chunk)[0])[0]
        is_all = tf.equal(number, 0) & (n_examples < chunk_size)
        passes = tf.data.Dataset.range(tf.where(is_all, tf.int64.max, 1))

        def permute(passed: tf.Tensor) -> tf.Tensor:
            return tf.random.experimental.stateless_shuffle(
                tf.range(n_examples), [tf.constant(seed, tf.int64), number + passed]
            )

        def pick(indices: tf.Tensor) -> Any:
            return tf.nest.map_structure(lambda tensor: tf.gather(tensor, indices), chunk)

        return passes.map(permute).rebatch(_DEALT_AT_ONCE).map(pick)

    return blocks.rebatch(chunk_size).repeat().enumerate().flat_map(deal)
