"""Splits cells into words in the TensorFlow graph, and converts these to ids and weights."""

import re

import tensorflow as tf
import tensorflow_transform as tft

from trainer.features.columns import vocabulary_name
from trainer.features.vocabularies import write_vocabulary
from trainer.settings.feature_names import weight_name
from trainer.settings.words import UNSPACED, Tags, Text, WordsFeature

_APOSTROPHES = "['\u2019]"
_NOT_WORD = r"[^\p{L}\p{M}\p{N}]+"
_WEIGHT = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"


def tag_ids(name: str, cells: tf.Tensor, feature: Tags) -> dict[str, tf.SparseTensor]:
    """Converts cells of tags to ids.

    Each id is there once per cell. Its weight is the sum of the weights of the tags that have it.

    Args:
        name: Name of the column.
        cells: string `[batch_size, 1]`, empty where missing.
        feature: How cells are split, and how words become ids.

    Returns:
        Ids by `name`, int64, and, if cells have weights, by `weight_name(name)` their weights,
        float32: both `[batch_size, n]`, where n is the greatest number of ids in a cell.
    """
    tags = tf.strings.split(tf.reshape(cells, [-1]), feature.separator)
    tags = tags.with_flat_values(tf.strings.regex_replace(tags.flat_values, r"[\r\n]", " "))
    weights = tf.ones_like(tags.flat_values, tf.float32)
    if feature.weight_separator is not None:
        words, weights = _split_weights(tags.flat_values, feature.weight_separator)
        tags = tags.with_flat_values(words)
    tags = tags.with_flat_values(tf.strings.strip(tags.flat_values))
    ids, rows, weights = _look_up(name, tags, weights, feature)
    keys, index = tf.unique(rows * feature.max_ids + ids)
    made = {name: _to_sparse(keys % feature.max_ids, keys // feature.max_ids, cells)}
    if feature.has_weights:
        sums = tf.math.unsorted_segment_sum(weights, index, tf.size(keys))
        made[weight_name(name)] = _to_sparse(sums, keys // feature.max_ids, cells)
    return made


def text_ids(name: str, cells: tf.Tensor, feature: Text) -> dict[str, tf.SparseTensor]:
    """Converts cells of text to ids of words and of neighbouring words.

    Args:
        name: Name of the column.
        cells: string `[batch_size, 1]`, empty where missing.
        feature: How words become ids.

    Returns:
        Ids by `name`, int64, and for tf-idf, by `weight_name(name)`, the weights, float32: both
        `[batch_size, n]`, where n is the greatest number of ids in a cell. For tf-idf, each id is
        there once per cell; else as often as in the cell, in its order.
    """
    grams = split_text(tf.reshape(cells, [-1]), feature)
    ids, rows, _ = _look_up(name, grams, tf.ones_like(grams.flat_values, tf.float32), feature)
    sparse = _to_sparse(ids, rows, cells)
    if not feature.has_weights:
        return {name: sparse}
    sparse, weights = tft.tfidf(sparse, feature.max_ids, name=f"tf_idf_{vocabulary_name(name)}")
    return {name: sparse, weight_name(name): weights}


def split_text(text: tf.Tensor, feature: Text) -> tf.RaggedTensor:
    """Splits text into words, and joins neighbouring ones by a blank.

    Args:
        text: string `[batch_size]` in UTF-8.
        feature: How many neighbours to join, and how many words to read.

    Returns:
        string `[batch_size, None]`: the words, then the pairs, and so on.
    """
    text = tf.strings.lower(text, encoding="utf-8")
    text = tf.strings.regex_replace(text, _APOSTROPHES, "")
    text = tf.strings.regex_replace(text, _NOT_WORD, " ")
    text = tf.strings.regex_replace(text, UNSPACED, r" \1 ")
    words = tf.strings.split(text)[:, : feature.max_words]
    if feature.ngrams == 1:
        return words
    return tf.strings.ngrams(words, tuple(range(1, feature.ngrams + 1)), separator=" ")


def _split_weights(tags: tf.Tensor, separator: str) -> tuple[tf.Tensor, tf.Tensor]:
    """Splits tags `[n]` such as `red:2` into words and weights, 1 where there is none."""
    weight = rf"\s*{re.escape(separator)}\s*({_WEIGHT})\s*\z"
    has_weight = tf.strings.regex_full_match(tags, rf"(?s).*\S{weight}")
    text = tf.strings.regex_replace(tags, rf"(?s)\A.*{weight}", r"\1")
    weights = tf.strings.to_number(tf.where(has_weight, text, "1"))
    words = tf.where(has_weight, tf.strings.regex_replace(tags, weight, ""), tags)
    return words, tf.where(tf.math.is_finite(weights), weights, 0.0)


def _look_up(
    name: str, words: tf.RaggedTensor, weights: tf.Tensor, feature: WordsFeature
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Converts the words of cells to ids, without empty words and those that have no id.

    Args:
        name: Name of the column.
        words: string `[batch_size, None]`.
        weights: float32 `[n_words]`.
        feature: How words become ids.

    Returns:
        Ids, the rows that they stand in, both int64, and weights, float32; all `[n_ids]`.
    """
    is_word = tf.not_equal(words.flat_values, "")
    flat, weights = tf.boolean_mask(words.flat_values, is_word), tf.boolean_mask(weights, is_word)
    rows = tf.boolean_mask(words.value_rowids(), is_word)
    if feature.ids == "hash":
        return tf.strings.to_hash_bucket_fast(flat, feature.size), rows, weights
    path = write_vocabulary(vocabulary_name(name), flat, feature.size, feature.min_count)
    ids = tft.apply_vocabulary(flat, path, num_oov_buckets=feature.oov_buckets)
    is_known = ids >= 0
    return tuple(tf.boolean_mask(each, is_known) for each in (ids, rows, weights))


def _to_sparse(values: tf.Tensor, rows: tf.Tensor, cells: tf.Tensor) -> tf.SparseTensor:
    """Puts values `[n]` into their rows, which must not decrease, one beside the other."""
    n_rows = tf.shape(cells, out_type=tf.int64)[0]
    return tf.RaggedTensor.from_value_rowids(values, rows, n_rows, validate=False).to_sparse()
