"""`input_fn` of training and evaluation: a tf.data pipeline over the transformed examples."""

from collections.abc import Mapping, Sequence

import tensorflow as tf

SHUFFLE_BUFFER_EXAMPLES = 10_000


def make_dataset(
    file_patterns: Sequence[str],
    feature_spec: Mapping[str, tf.io.FixedLenFeature],
    label: str,
    batch_size: int,
    *,
    shuffle_seed: int | None = None,
) -> tf.data.Dataset:
    """Reads transformed examples in batches.

    Args:
        file_patterns: Patterns of gzipped TFRecord files of `tf.Example`s.
        feature_spec: Spec of the transformed features and the label.
        label: Key of the label in `feature_spec`.
        batch_size: Examples per batch.
        shuffle_seed: With a seed, the examples are shuffled anew in every pass and repeated without
            end; without one, they come once, in their order, the last batch as short as it is.

    Returns:
        Dataset of `(features, labels)`: features of shape `[batch_size, ...]` by name, labels int64
        `[batch_size]`.

    Raises:
        tf.errors.NotFoundError: If no file matches.
    """
    paths = sorted(path for pattern in file_patterns for path in tf.io.gfile.glob(pattern))
    if not paths:
        raise tf.errors.NotFoundError(None, None, f"no examples match {list(file_patterns)}")
    dataset = tf.data.TFRecordDataset(paths, compression_type="GZIP")
    if shuffle_seed is not None:
        dataset = dataset.shuffle(SHUFFLE_BUFFER_EXAMPLES, seed=shuffle_seed).repeat()

    def parse(serialized: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        features = tf.io.parse_example(serialized, dict(feature_spec))
        labels = tf.reshape(features.pop(label), [-1])
        return features, labels

    return dataset.batch(batch_size).map(parse).prefetch(tf.data.AUTOTUNE)
