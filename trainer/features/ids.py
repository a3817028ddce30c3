"""Converts words and numbers to ids, int64 from 0; the last id stands for a missing value."""

import tensorflow as tf
import tensorflow_transform as tft

from trainer.features.columns import vocabulary_name
from trainer.settings.features import Boolean, Bucketized, Categorical


def bucket_ids(x: tf.Tensor, feature: Bucketized) -> tf.Tensor:
    """Converts numbers to the ids of their ranges, in increasing order.

    A number equal to a boundary belongs to the range above it.

    Args:
        x: float32 `[batch_size, 1]`, NaN where missing.
        feature: The boundaries; if it sets none, quantiles of the train split are used.

    Returns:
        int64 `[batch_size, 1]`.
    """
    if feature.boundaries is not None:
        boundaries = tf.constant(feature.boundaries, tf.float32)
    else:
        # The share of each range is accurate to a tenth.
        quantiles = tft.quantiles(x, feature.buckets, epsilon=0.1 / feature.buckets)
        boundaries = tf.reshape(quantiles, [-1])
    ids = tf.searchsorted(boundaries, tf.reshape(x, [-1]), side="right", out_type=tf.int64)
    missing_id = tf.size(boundaries, tf.int64) + 1
    return tf.where(tf.math.is_nan(x), missing_id, ids[:, tf.newaxis])


def category_ids(name: str, x: tf.Tensor, feature: Categorical) -> tf.Tensor:
    """Converts words to ids.

    With a vocabulary, ids follow the frequency in the train split, highest first, and for equal
    frequencies the reverse order of bytes; next come the ids of words outside the vocabulary.

    Args:
        name: Name of the column; `vocabulary_name(name)` names its vocabulary.
        x: string `[batch_size, 1]`, empty where missing; for `identity`, float32, NaN where
            missing.
        feature: How words become ids.

    Returns:
        int64 `[batch_size, 1]`. For `identity`, a number that is not a whole number in range counts
        as missing.
    """
    if feature.ids == "identity":
        is_id = (x >= 0) & (x < feature.size) & tf.equal(tf.floor(x), x)
        return tf.where(is_id, tf.cast(tf.where(is_id, x, 0.0), tf.int64), feature.size)
    if feature.ids == "hash":
        ids = tf.strings.to_hash_bucket_fast(x, feature.size)
        missing_id = tf.constant(feature.size, tf.int64)
    else:
        ids = tft.compute_and_apply_vocabulary(
            x,
            top_k=feature.size,
            frequency_threshold=feature.min_count if feature.min_count > 1 else None,
            num_oov_buckets=feature.oov_buckets,
            vocab_filename=vocabulary_name(name),
        )
        vocabulary_size = tft.experimental.get_vocabulary_size_by_name(vocabulary_name(name))
        missing_id = tf.reshape(vocabulary_size, []) + feature.oov_buckets
    return tf.where(tf.equal(x, ""), missing_id, ids)


def boolean_ids(words: tf.Tensor, feature: Boolean) -> tf.Tensor:
    """Converts words that mean true to 1, false to 0 and all others to 2.

    Args:
        words: string `[batch_size, 1]`.
        feature: The words for true and false, compared without case.

    Returns:
        int64 `[batch_size, 1]`.
    """
    lower = tf.strings.lower(words, encoding="utf-8")
    is_true = _is_any(lower, feature.true_words)
    is_false = _is_any(lower, feature.false_words)
    return tf.cast(tf.where(is_true, 1, tf.where(is_false, 0, 2)), tf.int64)


def _is_any(words: tf.Tensor, allowed: tuple[str, ...]) -> tf.Tensor:
    """Compares lower-case words, `[batch_size, 1]`, with the allowed words in lower case."""
    is_word = tf.equal(words, [word.lower() for word in allowed])
    return tf.reduce_any(is_word, axis=1, keepdims=True)
