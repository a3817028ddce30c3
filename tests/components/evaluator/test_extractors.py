"""Labels replaced with class ids."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.evaluator.extractors import to_class_ids

WORDS = {b"ant": 0, b"bee": 1, "ä".encode(): 2}
NUMBERS = {b"-1": 0, b"9": 1, b"10": 2}


@pytest.mark.parametrize(
    ("labels", "ids", "expected"),
    [
        (np.array([b"bee", b"ant"]), WORDS, [1, 0]),
        (np.array([b"bee", b"ant"], object), WORDS, [1, 0]),
        (np.array(["bee", "ä"]), WORDS, [1, 2]),
        (np.array(["ä".encode()], object), WORDS, [2]),
        (np.array([[b"bee"], [b"ant"]]), WORDS, [[1], [0]]),
        ([b"bee"], WORDS, [1]),
        (np.array(b"bee"), WORDS, 1),
        (np.array([b"cow", b"Ant", b""], object), WORDS, [-1, -1, -1]),
        (np.array([10, 9, -1]), NUMBERS, [2, 1, 0]),
        (np.array([10, 8], np.int32), NUMBERS, [2, -1]),
        (np.array([10.0, 9.5, -1.0, np.nan, np.inf], np.float32), NUMBERS, [2, -1, 0, -1, -1]),
        (np.array([], object), WORDS, []),
    ],
)
def test_to_class_ids_numbers_labels(labels: Any, ids: dict[bytes, int], expected: Any) -> None:
    found = to_class_ids(labels, ids)

    assert found.dtype == np.int64
    assert found.tolist() == expected


@given(st.data())
def test_to_class_ids_finds_every_word_again(data: st.DataObject) -> None:
    words = data.draw(st.lists(st.text(min_size=1), unique=True, min_size=1))
    order = data.draw(st.lists(st.integers(0, len(words) - 1)))
    ids = {word.encode("utf-8", "surrogatepass"): index for index, word in enumerate(words)}
    labels = np.array([list(ids)[index] for index in order], object)

    assert to_class_ids(labels, ids).tolist() == order
