"""What a SavedModel answers to raw examples by each of its signatures, and where answers differ."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
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
Answers = Mapping[str, Array]
"""Output name to values, `[n_examples, ...]`."""

_WARM_UPS = 3
_TIMED_CALLS = 20
_GAPS = {tf.float32: float("nan"), tf.string: b""}
_SAME_AS = {
    (CLASSIFY_SIGNATURE, "scores"): "probabilities",
    (REGRESS_SIGNATURE, "outputs"): "predictions",
}
"""Outputs whose names TensorFlow Serving fixes, and what the model calls the same values."""


class ServedModel:
    """A SavedModel, asked by what serves it."""

    def __init__(self, saved_model_dir: str) -> None:
        """Loads the model.

        Raises:
            ModelLoadError: If it cannot be served.
        """
        self._engine = Engine(Path(saved_model_dir))

    def answer(self, examples: Sequence[bytes]) -> dict[str, Answers]:
        """Asks every signature about all examples at once.

        Args:
            examples: Serialized `tf.Example`s of raw columns.

        Returns:
            Signature name to its answers, `EXAMPLES_SIGNATURE` first where there is one.

        Raises:
            ServingError: If it does not answer.
        """
        names = sorted(self._engine.signatures, key=lambda name: (name != EXAMPLES_SIGNATURE, name))
        return {name: self._caller(name, examples)() for name in names}

    def answer_one_by_one(self, examples: Sequence[bytes]) -> Answers:
        """Asks `SERVING_SIGNATURE` about each example alone."""
        answers = [self._caller(SERVING_SIGNATURE, [example])() for example in examples]
        return {name: np.concatenate([one[name] for one in answers]) for name in answers[0]}

    def milliseconds(self, example: bytes) -> float:
        """Measures how long `SERVING_SIGNATURE` takes for one row: median of some warm calls."""
        ask = self._caller(SERVING_SIGNATURE, [example])
        seconds = []
        for _ in range(_WARM_UPS + _TIMED_CALLS):
            start = time.perf_counter()
            ask()
            seconds.append(time.perf_counter() - start)
        return float(np.median(seconds[_WARM_UPS:])) * 1000

    def _caller(self, name: str, examples: Sequence[bytes]) -> Callable[[], Answers]:
        signature = self._engine.signatures[name]
        if name == SERVING_SIGNATURE:
            inputs = _columns_of(signature, examples)
        else:
            inputs = dict.fromkeys(signature.inputs, np.array(examples, object))
        return lambda: self._engine.run(signature, inputs)


def _columns_of(signature: Signature, examples: Sequence[bytes]) -> dict[str, Array]:
    """Reads what a signature of raw columns takes; a gap is as a server is sent it."""
    spec = {name: tf.io.VarLenFeature(tensor.dtype) for name, tensor in signature.inputs.items()}
    columns = tf.io.parse_example(tf.constant(examples), spec)
    one_each = [len(examples), 1]
    return {
        name: tf.sparse.to_dense(
            tf.sparse.reset_shape(column, one_each), default_value=_GAPS.get(column.dtype)
        )[:, 0].numpy()
        for name, column in columns.items()
    }


def faults_of(answers: Answers, signature: str) -> Iterator[str]:
    """Says which numbers of an answer are none."""
    for name, values in answers.items():
        if np.issubdtype(values.dtype, np.floating):
            wrong = ~np.isfinite(values.reshape(len(values), -1)).all(axis=1)
            if wrong.any():
                yield (
                    f"{signature}: {name} is NaN or infinite for {wrong.sum()} of {len(wrong)} rows"
                )


def differences(
    answers: Answers, expected: Answers, signature: str, tolerance: float
) -> Iterator[tuple[str, float]]:
    """Compares answers with those that are due.

    Args:
        answers: What a signature answered.
        expected: The same by another way; only outputs that both have are compared.
        signature: Its name.
        tolerance: By how much numbers may differ, in relation to the size of the example's answer:
            its greatest number, or 1 where that is less.

    Yields:
        For each output compared, what is wrong, empty if nothing is, and the greatest difference.
    """
    for name, values in answers.items():
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
    """Gives the size of each example's answer, `[n_examples, 1, ...]`.

    A number that is a sum of greater ones, as a logit near 0, is exact to the last bits of those.
    """
    axes = tuple(range(1, values.ndim))
    sizes: Array = np.nan_to_num(np.abs(values)).max(axis=axes, keepdims=True, initial=1)
    return sizes
