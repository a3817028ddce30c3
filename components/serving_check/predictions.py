"""Predictions of a SavedModel for raw examples by each signature, and how they differ."""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from serving.models.engine import Engine, Signature
from trainer.signatures import (
    CLASSIFY_SIGNATURE,
    EXAMPLES_SIGNATURE,
    REGRESS_SIGNATURE,
    SERVING_SIGNATURE,
)

Array = NDArray[Any]
Predictions = Mapping[str, Array]
"""Output name to values, `[n_examples, ...]`."""

_WARM_UPS = 3
_TIMED_CALLS = 20
_MISSING_VALUES = {tf.float32: float("nan"), tf.string: b""}
_SAME_AS = {
    (CLASSIFY_SIGNATURE, "scores"): "probabilities",
    (REGRESS_SIGNATURE, "outputs"): "predictions",
}
"""Outputs whose names TensorFlow Serving prescribes, and the model's names of the same values."""


class ServedModel:
    """A SavedModel, run by the engine that serves it."""

    def __init__(self, saved_model_dir: str) -> None:
        """Loads the model.

        Raises:
            ModelLoadError: If it cannot be served.
        """
        self._engine = Engine(Path(saved_model_dir))

    def predict(self, examples: Sequence[bytes]) -> dict[str, Predictions]:
        """Runs every signature on all examples at once.

        Args:
            examples: Serialized `tf.Example`s of raw columns.

        Returns:
            Signature name to its predictions, `EXAMPLES_SIGNATURE` first if there is one.

        Raises:
            ServingError: If a signature fails.
        """
        names = sorted(self._engine.signatures, key=lambda name: (name != EXAMPLES_SIGNATURE, name))
        return {
            name: self._engine.run(self._engine.signatures[name], self._inputs(name, examples))
            for name in names
        }

    def predict_one_by_one(self, examples: Sequence[bytes]) -> Predictions:
        """Runs `SERVING_SIGNATURE` on each example alone."""
        signature = self._engine.signatures[SERVING_SIGNATURE]
        columns = self._inputs(SERVING_SIGNATURE, examples)
        predictions = [
            self._engine.run(
                signature, {name: column[row : row + 1] for name, column in columns.items()}
            )
            for row in range(len(examples))
        ]
        return {name: np.concatenate([one[name] for one in predictions]) for name in predictions[0]}

    def milliseconds(self, example: bytes) -> float:
        """Measures how long `SERVING_SIGNATURE` takes for one row: the median of 20 warm calls."""
        signature = self._engine.signatures[SERVING_SIGNATURE]
        inputs = self._inputs(SERVING_SIGNATURE, [example])
        seconds = []
        for _ in range(_WARM_UPS + _TIMED_CALLS):
            start = time.perf_counter()
            self._engine.run(signature, inputs)
            seconds.append(time.perf_counter() - start)
        return float(np.median(seconds[_WARM_UPS:])) * 1000

    def _inputs(self, name: str, examples: Sequence[bytes]) -> dict[str, Array]:
        signature = self._engine.signatures[name]
        if name == SERVING_SIGNATURE:
            return _columns_of(signature, examples)
        return dict.fromkeys(signature.inputs, np.array(examples, object))


def _columns_of(signature: Signature, examples: Sequence[bytes]) -> dict[str, Array]:
    """Makes the inputs of a signature of raw columns, missing values as the server sends them."""
    spec = {name: tf.io.VarLenFeature(tensor.dtype) for name, tensor in signature.inputs.items()}
    columns = {}
    for name, column in tf.io.parse_example(tf.constant(examples), spec).items():
        missing = _MISSING_VALUES.get(column.dtype, 0)
        columns[name] = np.full(len(examples), missing, column.dtype.as_numpy_dtype)
        columns[name][column.indices.numpy()[:, 0]] = column.values.numpy()
    return columns


def faults_of(predictions: Predictions, signature: str) -> Iterator[str]:
    """Yields the outputs that are NaN or infinite for some examples."""
    for name, values in predictions.items():
        if np.issubdtype(values.dtype, np.floating):
            wrong = ~np.isfinite(values.reshape(len(values), -1)).all(axis=1)
            if wrong.any():
                yield (
                    f"{signature}: {name} is NaN or infinite for {wrong.sum()} of {len(wrong)} rows"
                )


def differences(
    predictions: Predictions, expected: Predictions, signature: str, tolerance: float
) -> Iterator[tuple[str, float]]:
    """Compares predictions with the expected ones.

    Args:
        predictions: Predictions of a signature.
        expected: The expected predictions; only outputs that both have are compared.
        signature: Name of the signature.
        tolerance: By how much numbers may differ, relative to the size of the example's prediction:
            its number of greatest magnitude, or 1 if that is smaller.

    Yields:
        For each output compared, the error message, empty if there is none, and the greatest
        relative difference.
    """
    for name, values in predictions.items():
        due = expected.get(_SAME_AS.get((signature, name), name))
        if due is None or due.size != values.size:
            continue
        due = due.reshape(values.shape)
        if not np.issubdtype(values.dtype, np.number):
            wrong = (values != due).reshape(len(values), -1).any(axis=1)
            greatest = float(wrong.any())
        else:
            off = np.abs(values.astype(np.float64) - due) / _sizes(due)
            off = np.where(np.isnan(values) & np.isnan(due), 0, off)
            wrong = ~(off <= tolerance).reshape(len(values), -1).all(axis=1)
            greatest = float(np.nan_to_num(off, nan=np.inf).max(initial=0))
        fault = f"{signature}: {name} differs from Estimator.predict for {wrong.sum()} of"
        yield f"{fault} {len(wrong)} rows, by up to {greatest:.2g}" * bool(wrong.any()), greatest


def _sizes(values: Array) -> Array:
    """Computes the size of each example's prediction, `[n_examples, 1, ...]`.

    A number that is a sum of larger ones, such as a logit near 0, has the rounding error of those.
    """
    axes = tuple(range(1, values.ndim))
    sizes: Array = np.nan_to_num(np.abs(values)).max(axis=axes, keepdims=True, initial=1)
    return sizes
