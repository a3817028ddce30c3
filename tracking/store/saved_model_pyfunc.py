"""MLflow's loader of a SavedModel: takes raw columns, returns a row of predictions for each row.

Each MLflow model contains a copy of this file, which therefore imports nothing of this project.
"""

from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf

_SIGNATURE = "serving_default"
_decode = np.frompyfunc(bytes.decode, 1, 1)


class SavedModelPyfunc:
    """Predicts with the serving signature of a SavedModel."""

    def __init__(self, saved_model_dir: str) -> None:
        """Loads the SavedModel.

        Args:
            saved_model_dir: Folder of the SavedModel. The inputs of `serving_default` have the
                shape `[-1]`, the outputs `[-1]` or `[-1, k]`.
        """
        self._model = tf.saved_model.load(saved_model_dir)  # keeps the variables alive
        self._signature = self._model.signatures[_SIGNATURE]

    def predict(self, frame: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Predicts for raw rows.

        Args:
            frame: A column for each input of the signature; other columns are ignored. A missing
                value, None or NaN, becomes NaN, or an empty word in a column of text.
            params: Ignored; part of MLflow's interface.

        Returns:
            A row for each row, and a column for each output in alphabetical order: text as str,
            numbers as int or float, outputs of shape `[-1, k]` as lists unless k is fixed at 1.

        Raises:
            KeyError: If a column is missing.
            TypeError: If a column of text holds a value that is not text.
            ValueError: If a column of numbers holds a value that is not a number.
        """
        _, inputs = self._signature.structured_input_signature
        columns = {name: _to_tensor(frame[name], spec.dtype) for name, spec in inputs.items()}
        outputs = self._signature(**columns)
        specs = self._signature.structured_outputs
        return pd.DataFrame(
            {name: _to_rows(outputs[name].numpy(), specs[name].shape) for name in sorted(outputs)}
        )


def _to_tensor(column: pd.Series, dtype: tf.DType) -> tf.Tensor:
    if dtype == tf.string:
        words = column.mask(column.isna(), "").tolist()
        for word in words:
            if not isinstance(word, (str, bytes)):
                raise TypeError(f"column {column.name}: expected text, found {word!r}")
        return tf.constant(words, tf.string)
    missing = {"na_value": np.nan} if dtype.is_floating else {}
    return tf.constant(column.to_numpy(dtype.as_numpy_dtype, **missing))


def _to_rows(values: np.ndarray[Any, Any], shape: tf.TensorShape) -> list[Any]:
    if values.dtype == object:
        values = _decode(values)
    if shape.rank == 2 and shape[1] == 1:
        values = values[:, 0]
    rows: list[Any] = values.tolist()
    return rows


def _load_pyfunc(path: str) -> SavedModelPyfunc:
    """Loads the SavedModel; called by MLflow."""
    return SavedModelPyfunc(path)
