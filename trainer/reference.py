"""Predictions of the Estimator for raw examples, with which the exported model is compared."""

from collections.abc import Sequence
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from numpy.typing import NDArray

from trainer.features.raw_columns import parse_raw, transform_raw
from trainer.training.estimator import make_estimator
from trainer.training.state_dir import exported_checkpoint, read_settings


def predict(
    examples: Sequence[bytes], transform_graph_dir: str, model_run_dir: str
) -> dict[str, NDArray[Any]]:
    """Predicts with `Estimator.predict` from the exported checkpoint.

    Args:
        examples: Serialized `tf.Example`s of raw columns.
        transform_graph_dir: Folder of Transform's graph.
        model_run_dir: Folder of the finished training.

    Returns:
        Values by output name, `[n_examples, ...]`.
    """
    settings = read_settings(model_run_dir)
    transform_output = tft.TFTransformOutput(transform_graph_dir)

    def input_fn() -> dict[str, tf.Tensor]:
        batch = tf.data.Dataset.from_tensors(list(examples))
        serialized = tf.compat.v1.data.make_one_shot_iterator(batch).get_next()
        return transform_raw(parse_raw(serialized, settings), transform_output)

    with TemporaryDirectory() as folder:
        estimator = make_estimator(settings, transform_output, folder)
        (predictions,) = estimator.predict(
            input_fn,
            checkpoint_path=exported_checkpoint(model_run_dir),
            yield_single_examples=False,
        )
    return {name: np.asarray(values) for name, values in predictions.items()}
