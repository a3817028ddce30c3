"""`input_fn` of training and evaluation: a tf.data pipeline over the transformed examples."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.signatures import EXAMPLE_WEIGHT

SHUFFLE_BUFFER_EXAMPLES = 10_000
_COUNTED_AT_ONCE = 10_000


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
    dataset = _read(file_patterns)
    if shuffle_seed is not None:
        dataset = dataset.shuffle(SHUFFLE_BUFFER_EXAMPLES, seed=shuffle_seed).repeat()

    def parse(serialized: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
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

    return dataset.batch(batch_size).map(parse).prefetch(tf.data.AUTOTUNE)


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
