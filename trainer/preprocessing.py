"""`preprocessing_fn`: raw features to transformed features, as a graph that travels with the model.

Statistics (mean, variance, label vocabulary) are learned from the train split.
"""

import os
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam

from trainer.classes import CLASSES_FILE, class_order
from trainer.config import TrainerSettings


def preprocessing_fn(
    inputs: dict[str, tf.Tensor], custom_config: dict[str, Any]
) -> dict[str, tf.Tensor]:
    """Transforms a batch of raw features.

    Args:
        inputs: Raw column to tensor `[batch_size, 1]`, of the dtype in the schema.
        custom_config: `settings`, a `TrainerSettings` as a dict.

    Returns:
        Each numeric feature as its z-score, `(x - mean) / standard_deviation`, or 0 where all
        values are alike: float32 `[batch_size, 1]`. The label as its class id: int64
        `[batch_size, 1]`.
    """
    settings = TrainerSettings.model_validate(custom_config["settings"])
    outputs = {
        name: tft.scale_to_z_score(tf.cast(inputs[name], tf.float32)) for name in settings.raw_types
    }
    outputs[settings.label] = _class_id(inputs[settings.label])
    return outputs


def _class_id(label: tf.Tensor) -> tf.Tensor:
    """Numbers the label's values in the order of their vocabulary: int64, shape of `label`."""
    words = label if label.dtype == tf.string else tf.strings.as_string(label)
    (vocabulary_path,) = tft.experimental.ptransform_analyzer(
        inputs=[words],
        ptransform=_WriteClasses(),
        output_dtypes=[tf.string],
        output_shapes=[[]],
        output_asset_default_values=[b"a word"],
    )
    return tft.apply_vocabulary(words, vocabulary_path)


class _WriteClasses(tft_beam.experimental.PTransformAnalyzer):
    """Writes the distinct values of the label in the order of `class_order` and gives the path."""

    def expand(
        self, batches: beam.PCollection[tuple[np.ndarray[Any, Any], ...]]
    ) -> beam.PCollection[np.ndarray[Any, Any]]:
        path = os.path.join(self.base_temp_dir, CLASSES_FILE)

        def write(words: frozenset[bytes]) -> np.ndarray[Any, Any]:
            tf.io.gfile.makedirs(os.path.dirname(path))
            lines = (word.decode() + "\n" for word in sorted(words, key=class_order))
            with tf.io.gfile.GFile(path, "w") as file:
                file.write("".join(lines))
            return np.array(path)

        return (
            batches
            | "DistinctInBatch" >> beam.Map(lambda batch: frozenset(batch[0].ravel()))
            | "Distinct" >> beam.CombineGlobally(lambda sets: frozenset().union(*sets))
            | "Write" >> beam.Map(write)
        )
