"""Words and ranges of numbers as ids, int64 from 0; the last id is that of a gap."""

import tensorflow as tf
import tensorflow_transform as tft

from trainer.features.columns import vocabulary_name
from trainer.settings.features import Boolean, Bucketized, Categorical


def bucket_ids(x: tf.Tensor, feature: Bucketized) -> tf.Tensor:
    """Numbers the ranges, of which a number at a boundary is in the upper.

    Args:
        x: float32 `[batch_size, 1]`, NaN for a gap.
        feature: The boundaries; without any, they are quantiles of the train split.

    Returns:
        int64 `[batch_size, 1]`.
    """
    if feature.boundaries is not None:
        boundaries = tf.constant(feature.boundaries, tf.float32)
    else:
        # No range is more than a tenth too large or small.
        quantiles = tft.quantiles(x, feature.buckets, epsilon=0.1 / feature.buckets)
        boundaries = tf.reshape(quantiles, [-1])
    ids = tf.searchsorted(boundaries, tf.reshape(x, [-1]), side="right", out_type=tf.int64)
    gap_id = tf.size(boundaries, tf.int64) + 1
    return tf.where(tf.math.is_nan(x), gap_id, ids[:, tf.newaxis])


def category_ids(name: str, x: tf.Tensor, feature: Categorical) -> tf.Tensor:
    """Numbers words.

    Args:
        name: The column; its vocabulary is the file `vocabulary_name` of the transform graph.
        x: Strings `[batch_size, 1]`, empty for a gap; of `identity` float32, NaN for a gap.
        feature: What numbers them. A vocabulary begins with the most frequent words of the train
            split, those that are as frequent in reverse order of their bytes, and goes on with the
            ids of all other words.

    Returns:
        int64 `[batch_size, 1]`. A number that is no id, out of range or not whole, is a gap.
    """
    if feature.ids == "identity":
        is_id = (x >= 0) & (x < feature.size) & tf.equal(tf.floor(x), x)
        return tf.where(is_id, tf.cast(tf.where(is_id, x, 0.0), tf.int64), feature.size)
    if feature.ids == "hash":
        ids = tf.strings.to_hash_bucket_fast(x, feature.size)
        gap_id = tf.constant(feature.size, tf.int64)
    else:
        ids = tft.compute_and_apply_vocabulary(
            x,
            top_k=feature.size,
            frequency_threshold=feature.min_count if feature.min_count > 1 else None,
            num_oov_buckets=feature.oov_buckets,
            vocab_filename=vocabulary_name(name),
        )
        vocabulary_size = tft.experimental.get_vocabulary_size_by_name(vocabulary_name(name))
        gap_id = tf.reshape(vocabulary_size, []) + feature.oov_buckets
    return tf.where(tf.equal(x, ""), gap_id, ids)


def boolean_ids(words: tf.Tensor, feature: Boolean) -> tf.Tensor:
    """Numbers yes 1, no 0, and all else 2: int64 `[batch_size, 1]`, as `words`."""
    lower = tf.strings.lower(words, encoding="utf-8")
    is_true = _is_any(lower, feature.true_words)
    is_false = _is_any(lower, feature.false_words)
    return tf.cast(tf.where(is_true, 1, tf.where(is_false, 0, 2)), tf.int64)


def _is_any(words: tf.Tensor, allowed: tuple[str, ...]) -> tf.Tensor:
    """Whether each of `[batch_size, 1]` is one of the allowed words, small letters for capitals."""
    is_word = tf.equal(words, [word.lower() for word in allowed])
    return tf.reduce_any(is_word, axis=1, keepdims=True)
