"""Transforms the label: to class ids, or to float32 for a regression."""

import os
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam

from trainer.classes import CLASSES_FILE, number_class_name, order_classes
from trainer.settings.train import TrainerSettings


def encode_label(label: tf.Tensor, settings: TrainerSettings) -> tf.Tensor:
    """Converts the label to what the model predicts.

    Args:
        label: Strings or numbers, `[batch_size, 1]`.
        settings: The task, and the name of the positive class.

    Returns:
        For a regression the label as float32; else class ids, int64, -1 for an unknown class. The
        shape is that of `label`.
    """
    if settings.task == "regression":
        return tf.cast(label, tf.float32)
    words, positive = label, settings.positive
    if label.dtype != tf.string:
        words = _as_class_names(label)
        positive = None if positive is None else number_class_name(positive)
    (vocabulary_path,) = tft.experimental.ptransform_analyzer(
        inputs=[words],
        ptransform=_WriteClasses(positive),
        output_dtypes=[tf.string],
        output_shapes=[[]],
        output_asset_default_values=[b"a word"],
    )
    return tft.apply_vocabulary(words, vocabulary_path)


def _as_class_names(label: tf.Tensor) -> tf.Tensor:
    """Formats numbers as class names, as `number_class_name` does."""
    if label.dtype.is_integer:
        return tf.strings.as_string(label)
    whole = tf.cast(label, tf.int64)
    return tf.where(
        tf.equal(tf.cast(whole, label.dtype), label),
        tf.strings.as_string(whole),
        tf.strings.as_string(label, shortest=True),
    )


class _WriteClasses(tft_beam.experimental.PTransformAnalyzer):
    """Writes the label's distinct values in the order of their ids; outputs the file's path."""

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
