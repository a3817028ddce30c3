"""A TFMA extractor that slices whole batches; TFMA slices examples one by one."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
import pandas as pd
import tensorflow as tf
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.extractors.slice_key_extractor import (
    SLICE_KEY_EXTRACTOR_STAGE_NAME,
)
from tensorflow_model_analysis.slicer import slicer_lib

_ROW = 0
_KEPT = (tfma.LABELS_KEY, tfma.PREDICTIONS_KEY, tfma.EXAMPLE_WEIGHTS_KEY)


def slice_batches(eval_config: tfma.EvalConfig) -> tfma.extractors.Extractor:
    """Makes the extractor that replaces TFMA's for unbatching and for slice keys.

    Args:
        eval_config: The evaluation with its slices. A slice without columns is the whole split.

    Returns:
        The extractor.
    """
    specs = [sorted(spec.feature_keys) for spec in eval_config.slicing_specs] or [[]]
    return tfma.extractors.Extractor(
        SLICE_KEY_EXTRACTOR_STAGE_NAME, beam.FlatMap(_slice_batch, specs)
    )


def _slice_batch(extracts: tfma.Extracts, specs: Sequence[list[str]]) -> Iterator[tfma.Extracts]:
    """Yields the part of a batch that belongs to each slice, without the features."""
    kept = {key: extracts[key] for key in _KEPT if key in extracts}
    for columns in specs:
        if not columns:
            yield _keyed(kept, ())
            continue
        for key, rows in find_slices(extracts[tfma.FEATURES_KEY], columns):
            yield _keyed(_take(kept, rows), key)


def _keyed(extracts: tfma.Extracts, key: Any) -> tfma.Extracts:
    keys = slicer_lib.slice_keys_to_numpy_array([key])
    return {**extracts, tfma.FEATURES_KEY: {}, tfma.SLICE_KEY_TYPES_KEY: keys}


def _take(extracts: Any, rows: np.ndarray[Any, Any]) -> Any:
    if isinstance(extracts, Mapping):
        return {key: _take(value, rows) for key, value in extracts.items()}
    return None if extracts is None else np.asarray(extracts)[rows]


def find_slices(
    features: Mapping[str, Any], columns: Sequence[str]
) -> Iterator[tuple[Any, np.ndarray[Any, Any]]]:
    """Finds the slices of a batch by the values of columns.

    Args:
        features: Column to its values: an array, `[n]` or `[n, k]`, or a sparse one, `[n, k]`.
        columns: Columns in rising order. An example with several values in a column is in several
            slices; an example without a value is in none.

    Yields:
        TFMA's key of the slice, a pair of column and value for each column, and the rows
        `[n_rows]` in rising order.
    """
    if any(column not in features for column in columns):
        return
    table = _values_by_row(features[columns[0]], 1)
    for place, column in enumerate(columns[1:], start=2):
        table = table.merge(_values_by_row(features[column], place), on=_ROW)
    places = list(range(1, len(columns) + 1))
    for found, rows in table.groupby(places, sort=False).groups.items():
        values = found if len(columns) > 1 else (found,)
        key = tuple(zip(columns, map(_plain, values), strict=True))
        yield key, table.loc[rows, _ROW].to_numpy()


def _values_by_row(values: Any, place: int) -> pd.DataFrame:
    """Lists values with their rows; a value that a row has several times is listed once."""
    if hasattr(values, "indices"):
        rows, flat = values.indices[:, 0], values.values
    else:
        flat = np.ravel(values)
        rows = np.repeat(np.arange(len(values)), flat.size // max(len(values), 1))
    return pd.DataFrame({_ROW: rows, place: flat}).drop_duplicates()


def _plain(value: Any) -> Any:
    """Converts a value to the type that TFMA uses in slice keys: text, int or float."""
    if isinstance(value, bytes):
        return tf.compat.as_text(value)
    return value.item() if isinstance(value, np.generic) else value
