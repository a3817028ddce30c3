"""Slices of whole batches, compared with TFMA's slices of single examples."""

from typing import Any

import numpy as np
import pytest
import tensorflow_model_analysis as tfma
from hypothesis import given
from hypothesis import strategies as st
from tensorflow_model_analysis.slicer import slicer_lib

from components.evaluator.slices import find_slices

COLUMNS = {
    "word": st.lists(st.sampled_from([b"ant", b"bee", "ä".encode()]), max_size=2),
    "count": st.integers(-2, 2).map(lambda value: [value]),
    "size": st.lists(st.sampled_from([0.5, 1.0]), max_size=1),
}


def to_batch(name: str, cells: list[list[Any]]) -> Any:
    """Makes a column as TFMA does: dense if each example has one value, otherwise sparse."""
    dtype = {"word": object, "count": np.int64, "size": np.float32}[name]
    values = np.array([value for cell in cells for value in cell], dtype)
    if all(len(cell) == 1 for cell in cells):
        return values[:, np.newaxis]
    places = [(row, place) for row, cell in enumerate(cells) for place in range(len(cell))]
    return tfma.types.VarLenTensorValue(
        values, np.array(places, np.int64).reshape(-1, 2), np.array([len(cells), 2])
    )


@given(
    st.lists(st.fixed_dictionaries(COLUMNS), min_size=1, max_size=8),
    st.lists(st.sampled_from(sorted(COLUMNS)), unique=True, min_size=1).map(sorted),
)
def test_find_slices_agrees_with_tfma(rows: list[dict[str, Any]], columns: list[str]) -> None:
    features = {name: to_batch(name, [row[name] for row in rows]) for name in COLUMNS}
    spec = slicer_lib.SingleSliceSpec(columns=columns)
    expected: dict[Any, list[int]] = {}
    for index, row in enumerate(rows):
        cells = {name: np.array(cell, object) for name, cell in row.items()}
        for key in slicer_lib.get_slices_for_features_dicts([], cells, [spec]):
            expected.setdefault(key, []).append(index)

    found = {key: sorted(indices) for key, indices in find_slices(features, columns)}

    assert found == expected


def test_find_slices_has_plain_values() -> None:
    features = {"n": np.array([[3]]), "word": np.array([[b"ant"]], object), "z": np.array([0.5])}

    ((key, rows),) = find_slices(features, ["n", "word", "z"])

    assert key == (("n", 3), ("word", "ant"), ("z", 0.5))
    assert [type(value) for _, value in key] == [int, str, float]
    assert rows.tolist() == [0]


@pytest.mark.parametrize("columns", [["absent"], ["absent", "n"]])
def test_find_slices_of_an_absent_column_is_empty(columns: list[str]) -> None:
    assert list(find_slices({"n": np.array([[3]])}, columns)) == []
