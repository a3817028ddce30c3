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
        # tf.saved_model.load gives functions that take columns as keywords, which must differ in
        # letters and digits.
        self._session = tf.compat.v1.Session(graph=tf.Graph())
        with self._session.graph.as_default():
            loaded = tf.compat.v1.saved_model.load(
                self._session, [tf.saved_model.SERVING], saved_model_dir
            )
        signature = loaded.signature_def[_SIGNATURE]
        self._inputs = {name: self._tensor(info.name) for name, info in signature.inputs.items()}
        self._outputs = {
            name: self._tensor(signature.outputs[name].name) for name in sorted(signature.outputs)
        }

    def _tensor(self, name: str) -> tf.Tensor:
        return self._session.graph.get_tensor_by_name(name)

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
        fed = {
            tensor: _to_array(frame[name], tensor.dtype) for name, tensor in self._inputs.items()
        }
        found = self._session.run(self._outputs, fed)
        return pd.DataFrame(
            {name: _to_rows(found[name], tensor.shape) for name, tensor in self._outputs.items()}
        )


def _to_array(column: pd.Series, dtype: tf.DType) -> np.ndarray[Any, Any]:
    if dtype == tf.string:
        words = column.mask(column.isna(), "").tolist()
        for word in words:
            if not isinstance(word, (str, bytes)):
                raise TypeError(f"column {column.name}: expected text, found {word!r}")
        return np.array(words, object)
    missing = {"na_value": np.nan} if dtype.is_floating else {}
    return np.asarray(column.to_numpy(dtype.as_numpy_dtype, **missing))


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
