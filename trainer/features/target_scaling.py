"""Mean and standard deviation of a regression's target over the train split.

They reach the Trainer as an asset of the transform graph, as the classes of a classification do.
"""

import json
import math
import os
from collections.abc import Iterable
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam

TARGET_FILE = "target"
"""Name of the asset of the transform graph: JSON `{"mean": ..., "deviation": ...}`."""
_Moments = tuple[float, float, float]
"""Number of values, their mean, and the sum of their squared distances from the mean."""


def analyze_target(label: tf.Tensor) -> None:
    """Makes Transform compute mean and standard deviation of the label; for a `preprocessing_fn`.

    Args:
        label: Numbers of any shape.
    """
    tft.experimental.ptransform_analyzer(
        inputs=[tf.cast(label, tf.float32)],
        ptransform=_WriteTarget(),
        output_dtypes=[tf.string],
        output_shapes=[[]],
        output_asset_default_values=[b"a path"],
    )


def read_target(transform_output: tft.TFTransformOutput) -> tuple[float, float]:
    """Reads mean and standard deviation of the target.

    Returns:
        Mean and deviation; 0 and 1 if the `preprocessing_fn` did not call `analyze_target`. The
        deviation is 1 if all values are equal.
    """
    path = transform_output.vocabulary_file_by_name(TARGET_FILE)
    if path is None:
        return 0.0, 1.0
    with tf.io.gfile.GFile(path) as file:
        target = json.loads(file.read())
    return target["mean"], target["deviation"] or 1.0


class _WriteTarget(tft_beam.experimental.PTransformAnalyzer):
    """Writes mean and standard deviation of all values to a file, and outputs its path."""

    def expand(
        self, batches: beam.PCollection[tuple[np.ndarray[Any, Any], ...]]
    ) -> beam.PCollection[np.ndarray[Any, Any]]:
        path = os.path.join(self.base_temp_dir, TARGET_FILE)

        def write(moments: _Moments) -> np.ndarray[Any, Any]:
            n_values, mean, squares = moments
            deviation = math.sqrt(squares / n_values) if n_values else 0.0
            tf.io.gfile.makedirs(os.path.dirname(path))
            with tf.io.gfile.GFile(path, "w") as file:
                file.write(json.dumps({"mean": mean, "deviation": deviation}))
            return np.array(path)

        return (
            batches
            | "MomentsOfBatch" >> beam.Map(lambda batch: _moments(batch[0]))
            | "Moments" >> beam.CombineGlobally(_merge)
            | "Write" >> beam.Map(write)
        )


def _moments(values: np.ndarray[Any, Any]) -> _Moments:
    if not values.size:
        return 0.0, 0.0, 0.0
    mean = float(np.mean(values, dtype=np.float64))
    return float(values.size), mean, float(np.sum((values.astype(np.float64) - mean) ** 2))


def _merge(parts: Iterable[_Moments]) -> _Moments:
    """Merges the moments of parts into those of all values.

    The method avoids the difference of large sums of squares, which would lose all precision.

    Source: Chan, Golub, LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample
    Variances" (1979).
    """
    n_values, mean, squares = 0.0, 0.0, 0.0
    for n_part, mean_part, squares_part in parts:
        if n_part:
            total = n_values + n_part
            distance = mean_part - mean
            squares += squares_part + distance**2 * n_values * n_part / total
            mean += distance * n_part / total
            n_values = total
    return n_values, mean, squares
