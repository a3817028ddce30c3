"""Input of training and evaluation: a tf.data pipeline over the transformed examples."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import tensorflow as tf

from trainer.signatures import EXAMPLE_WEIGHT
from trainer.training.shuffle import (
    FeatureSpec,
    chunk_size,
    is_dense,
    shuffle_chunks,
    without_autograph,
)
from trainer.training.transformed_examples import (
    find_files,
    packed_sizes,
    read_packed,
    read_serialized,
    unpack,
)

_BLOCK_EXAMPLES = 16_000  # the batch of an evaluation, so that a block need not be cut
_PREFETCHED_BATCHES = 2

Batch = tuple[dict[str, tf.Tensor], tf.Tensor]


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
    """
    batches, prepare = make_batches(
        file_patterns,
        feature_spec,
        label,
        batch_size,
        shuffle_seed=shuffle_seed,
        weight=weight,
        class_weights=class_weights,
    )
    return batches.map(prepare).prefetch(_PREFETCHED_BATCHES)


def make_batches(
    file_patterns: Sequence[str],
    feature_spec: FeatureSpec,
    label: str,
    batch_size: int,
    *,
    shuffle_seed: int | None,
    weight: str | None,
    class_weights: Sequence[float] | None,
) -> tuple[tf.data.Dataset, Callable[[Any], Batch]]:
    """Reads batches as `make_dataset` does, but leaves them packed.

    A dataset of hundreds of tensors takes seconds to build. Dense features are read, shuffled and
    batched as a matrix for each dtype, others as serialized examples.

    Args:
        file_patterns: As for `make_dataset`, and so are the others.
        feature_spec: Specs of all features.
        label: Name of the label.
        batch_size: Examples per batch.
        shuffle_seed: None for one pass in order.
        weight: Name of the weight, or None.
        class_weights: Factors of the weight, or None.

    Returns:
        The batches, and the function that makes features and labels of one.
    """
    prepare = _make_prepare(feature_spec, label, weight, class_weights)
    if shuffle_seed is None:
        blocks = _read(file_patterns, feature_spec, _BLOCK_EXAMPLES)
        return blocks.rebatch(batch_size), prepare
    n_chunk = chunk_size(feature_spec)
    blocks = _read(file_patterns, feature_spec, min(_BLOCK_EXAMPLES, n_chunk))
    pieces = shuffle_chunks(blocks, n_chunk, shuffle_seed)
    if is_dense(feature_spec):
        pieces = pieces.prefetch(_PREFETCHED_BATCHES)
    return pieces.rebatch(batch_size, drop_remainder=True), prepare


def next_batch(
    file_patterns: Sequence[str],
    feature_spec: FeatureSpec,
    label: str,
    batch_size: int,
    *,
    shuffle_seed: int | None,
    weight: str | None,
    class_weights: Sequence[float] | None,
) -> tf.data.Dataset | Batch:
    """Returns features and labels of the next batch, for an `input_fn` to return.

    Args:
        file_patterns: As for `make_dataset`, and so are the others.
        feature_spec: Specs of all features.
        label: Name of the label.
        batch_size: Examples per batch.
        shuffle_seed: Seed of the order; None for one pass in order.
        weight: Name of the weight, or None.
        class_weights: Factors of the weight, or None.

    Returns:
        Tensors as of `next_element`; if a feature is not dense, the dataset of `make_dataset`.
    """
    batches, prepare = make_batches(
        file_patterns,
        feature_spec,
        label,
        batch_size,
        shuffle_seed=shuffle_seed,
        weight=weight,
        class_weights=class_weights,
    )
    if not is_dense(feature_spec):  # parsing takes long, so it is done in another thread
        return batches.map(prepare).prefetch(_PREFETCHED_BATCHES)
    if shuffle_seed is None:  # so does reading large batches
        batches = batches.prefetch(_PREFETCHED_BATCHES)
    return prepare(next_element(batches))


def next_element(dataset: tf.data.Dataset) -> Any:
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


def _make_prepare(
    feature_spec: FeatureSpec,
    label: str,
    weight: str | None,
    class_weights: Sequence[float] | None,
) -> Callable[[Any], Batch]:
    """Makes the function that turns a block, dense or serialized, into features and labels."""

    def prepare(block: Any) -> Batch:
        if is_dense(feature_spec):
            features = unpack(block, feature_spec)
        else:
            features = tf.io.parse_example(block, dict(feature_spec))
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

    plain: Callable[[Any], Batch] = without_autograph(prepare)
    return plain


def _read(
    file_patterns: Sequence[str], feature_spec: FeatureSpec, block_size: int
) -> tf.data.Dataset:
    """Reads blocks of packed dense features, or, if any is not dense, of serialized examples."""
    read: Callable[..., Iterator[Any]] = read_serialized
    signature: Any = tf.TensorSpec([None], tf.string)
    if is_dense(feature_spec):
        read = read_packed
        signature = {
            dtype: tf.TensorSpec([None, sum(size for _, size in sizes)], dtype)
            for dtype, sizes in packed_sizes(feature_spec).items()
        }
    blocks = partial(read, find_files(file_patterns), feature_spec, block_size)
    # There is nothing to tune, and the tuning thread delays the end of a session by seconds.
    options = tf.data.Options()
    options.autotune.enabled = False
    return tf.data.Dataset.from_generator(blocks, output_signature=signature).with_options(options)
