"""MLflow's loader of a SavedModel: raw columns in, one row of predictions per row out.

A copy of this file travels inside each MLflow model, and is all the code there: it imports nothing
of this project.
"""

from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf

_SIGNATURE = "serving_default"
_decode = np.frompyfunc(bytes.decode, 1, 1)


class SavedModelPyfunc:
    """Predicts by the serving signature of a SavedModel."""

    def __init__(self, saved_model_dir: str) -> None:
        """Loads the SavedModel.

        Args:
            saved_model_dir: Its folder; the inputs of `serving_default` have the shape `[-1]`, the
                outputs `[-1]` or `[-1, k]`.
        """
        self._model = tf.saved_model.load(saved_model_dir)  # holds the variables
        self._signature = self._model.signatures[_SIGNATURE]

    def predict(self, frame: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Predicts for raw rows.

        Args:
            frame: A column for each input of the signature; further columns are left alone. A gap,
                None or NaN, reaches the model as NaN, in a column of text as an empty word.
            params: What MLflow passes on; there are none.

        Returns:
            A row for each row, a column for each output by alphabet: text as str, numbers as Python
            has them, which hold every float32. `[-1, k]` gives lists of k, but a value where k is
            fixed at 1.

        Raises:
            KeyError: If a column is missing.
            TypeError: If a column of text holds something else.
            ValueError: If a column of numbers holds something else.
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
    gaps = {"na_value": np.nan} if dtype.is_floating else {}
    return tf.constant(column.to_numpy(dtype.as_numpy_dtype, **gaps))


def _to_rows(values: np.ndarray[Any, Any], shape: tf.TensorShape) -> list[Any]:
    if values.dtype == object:
        values = _decode(values)
    if shape.rank == 2 and shape[1] == 1:
        values = values[:, 0]
    rows: list[Any] = values.tolist()
    return rows


def _load_pyfunc(path: str) -> SavedModelPyfunc:
    """What MLflow calls with the folder of the SavedModel."""
    return SavedModelPyfunc(path)
