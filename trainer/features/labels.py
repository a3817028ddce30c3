"""The label: its values numbered as classes, or as they are where a number is predicted."""

import os
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam

from trainer.classes import CLASSES_FILE, number_word, order_classes
from trainer.settings.train import TrainerSettings


def label_ids(label: tf.Tensor, settings: TrainerSettings) -> tf.Tensor:
    """Makes what the model learns to predict.

    Args:
        label: `[batch_size, 1]`, strings or numbers.
        settings: The task, and which word is the positive one.

    Returns:
        Of a regression float32, else the id of its class, int64, -1 of an unknown one; of the shape
        of `label`.
    """
    if settings.task == "regression":
        return tf.cast(label, tf.float32)
    words, positive = label, settings.positive
    if label.dtype != tf.string:
        words = _as_words(label)
        positive = None if positive is None else number_word(positive)
    (vocabulary_path,) = tft.experimental.ptransform_analyzer(
        inputs=[words],
        ptransform=_WriteClasses(positive),
        output_dtypes=[tf.string],
        output_shapes=[[]],
        output_asset_default_values=[b"a word"],
    )
    return tft.apply_vocabulary(words, vocabulary_path)


def _as_words(label: tf.Tensor) -> tf.Tensor:
    """Writes numbers as `number_word` does."""
    if label.dtype.is_integer:
        return tf.strings.as_string(label)
    whole = tf.cast(label, tf.int64)
    return tf.where(
        tf.equal(tf.cast(whole, label.dtype), label),
        tf.strings.as_string(whole),
        tf.strings.as_string(label, shortest=True),
    )


class _WriteClasses(tft_beam.experimental.PTransformAnalyzer):
    """Writes the distinct values of the label in the order of their ids and gives the path."""

    def __init__(self, positive: str | None) -> None:
        super().__init__()
        self._positive = positive

    def expand(
        self, batches: beam.PCollection[tuple[np.ndarray[Any, Any], ...]]
    ) -> beam.PCollection[np.ndarray[Any, Any]]:
        path = os.path.join(self.base_temp_dir, CLASSES_FILE)
        positive = self._positive

        def write(words: frozenset[bytes]) -> np.ndarray[Any, Any]:
            tf.io.gfile.makedirs(os.path.dirname(path))
            lines = (word.decode() + "\n" for word in order_classes(words, positive))
            with tf.io.gfile.GFile(path, "w") as file:
                file.write("".join(lines))
            return np.array(path)

        return (
            batches
            | "DistinctInBatch" >> beam.Map(lambda batch: frozenset(batch[0].ravel()))
            | "Distinct" >> beam.CombineGlobally(lambda sets: frozenset().union(*sets))
            | "Write" >> beam.Map(write)
        )
