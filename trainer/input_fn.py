"""`input_fn` of training and evaluation: a tf.data pipeline over the transformed examples."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.signatures import EXAMPLE_WEIGHT

SHUFFLE_BUFFER_EXAMPLES = 10_000
_COUNTED_AT_ONCE = 10_000
_PREFETCHED = 2
_PARSED_AT_ONCE = 2000  # parsing 100 by 100 takes half as much time again

Batch = tuple[dict[str, tf.Tensor], tf.Tensor]


def make_dataset(
    file_patterns: Sequence[str],
    feature_spec: Mapping[str, tf.io.FixedLenFeature],
    label: str,
    batch_size: int,
    *,
    shuffle_seed: int | None = None,
    weight: str | None = None,
    class_weights: Sequence[float] | None = None,
) -> tf.data.Dataset:
    """Reads transformed examples in batches.

    To be shuffled, examples that all go into the buffer are read once and kept in memory; more of
    them are read anew in every pass. Their order is the same either way.

    Args:
        file_patterns: Patterns of gzipped TFRecord files of `tf.Example`s.
        feature_spec: Spec of the transformed features, the label, and the weight if there is one.
        label: Key of the label in `feature_spec`.
        batch_size: Examples per batch.
        shuffle_seed: With a seed, the examples are shuffled anew in every pass and repeated without
            end; without one, they come once, in their order, the last batch as short as it is.
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

    def parse(serialized: tf.Tensor) -> Batch:
        features = tf.io.parse_example(serialized, dict(feature_spec))
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
        dataset = _read(file_patterns).batch(batch_size).map(parse)
        return dataset.prefetch(tf.data.AUTOTUNE)

    is_dense = all(isinstance(spec, tf.io.FixedLenFeature) for spec in feature_spec.values())
    n_batches = max(1, _PARSED_AT_ONCE // batch_size) if is_dense else 1

    def shuffle(dataset: tf.data.Dataset) -> tf.data.Dataset:
        dataset = dataset.shuffle(SHUFFLE_BUFFER_EXAMPLES, seed=shuffle_seed).repeat()
        return dataset.batch(n_batches * batch_size, drop_remainder=True)  # it has no end

    loaded = _load(file_patterns, parse) if is_dense else None
    if loaded is None:
        dataset = shuffle(_read(file_patterns)).map(parse)
    else:
        dataset = _pick(loaded, shuffle(tf.data.Dataset.range(len(loaded[1]))))
    if n_batches > 1:
        dataset = dataset.map(lambda *batch: _split(batch, n_batches))
    dataset = dataset.prefetch(_PREFETCHED)
    return dataset.unbatch() if n_batches > 1 else dataset


def count_classes(
    file_patterns: Sequence[str],
    feature_spec: Mapping[str, tf.io.FixedLenFeature],
    label: str,
    n_classes: int,
) -> np.ndarray[Any, Any]:
    """Counts the examples of each class, int64 `[n_classes]`.

    Args:
        file_patterns: Patterns of gzipped TFRecord files of `tf.Example`s.
        feature_spec: Spec of the label, and maybe more.
        label: Key of the label, whose values are class ids.
        n_classes: Number of classes.

    Raises:
        tf.errors.NotFoundError: If no file matches.
    """
    counts = np.zeros(n_classes, np.int64)
    for serialized in _read(file_patterns).batch(_COUNTED_AT_ONCE):
        labels = tf.io.parse_example(serialized, {label: feature_spec[label]})[label]
        counts += np.bincount(labels.numpy().ravel(), minlength=n_classes)
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


def _read(file_patterns: Sequence[str]) -> tf.data.Dataset:
    paths = sorted(path for pattern in file_patterns for path in tf.io.gfile.glob(pattern))
    if not paths:
        raise tf.errors.NotFoundError(None, None, f"no examples match {list(file_patterns)}")
    return tf.data.TFRecordDataset(paths, compression_type="GZIP")


def _load(file_patterns: Sequence[str], parse: Callable[[tf.Tensor], Batch]) -> Any | None:
    """Reads all examples, as `parse` gives them, in NumPy arrays; None if the buffer is smaller."""
    # In a graph of its own, since Estimator has one under construction.
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        block = _read(file_patterns).batch(SHUFFLE_BUFFER_EXAMPLES + 1).map(parse)
        following = tf.compat.v1.data.make_one_shot_iterator(block).get_next()
        try:
            loaded = session.run(following)
        except tf.errors.OutOfRangeError:  # there are none
            return None
    return None if len(loaded[1]) > SHUFFLE_BUFFER_EXAMPLES else loaded


def _pick(loaded: Any, indices: tf.data.Dataset) -> tf.data.Dataset:
    """Gives the loaded examples of each batch of indices."""
    signature = tf.nest.map_structure(lambda array: tf.TensorSpec(array.shape, array.dtype), loaded)
    # By a generator: the graph, which every checkpoint writes, would hold constants.
    held = tf.data.Dataset.from_generator(lambda: iter([loaded]), output_signature=signature)
    held = held.flat_map(lambda *batch: tf.data.Dataset.from_tensors(batch).repeat())

    def pick(batch: Batch, indices: tf.Tensor) -> Batch:
        picked: Batch = tf.nest.map_structure(lambda tensor: tf.gather(tensor, indices), batch)
        return picked

    return tf.data.Dataset.zip(held, indices).map(pick)


def _split(batch: Any, n_batches: int) -> Any:
    """Gives a batch, `[n_batches * batch_size, ...]`, as `[n_batches, batch_size, ...]`."""
    return tf.nest.map_structure(
        lambda tensor: tf.reshape(tensor, [n_batches, -1, *tensor.shape[1:]]), batch
    )
