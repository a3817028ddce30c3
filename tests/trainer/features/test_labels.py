"""The label as class ids and as a number, through Transform."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.preprocessed import analyze

SETTINGS = {"label": "label", "features": {"x": "numeric"}}
WORDS = [b"pear tree", b"Zebra", "Öl".encode(), b"apple", b"apple", b"Zebra"]


@pytest.mark.parametrize(
    ("labels", "settings", "classes", "ids"),
    [
        ([10, 9, -3, 100], {}, ["-3", "9", "10", "100"], [2, 1, 0, 3]),
        ([1.0, 0.5, 10.0, 2.0], {}, ["1", "2", "10", "0.5"], [0, 3, 2, 1]),
        ([b"no", b"yes"], {"task": "binary", "positive": "no"}, ["yes", "no"], [1, 0]),
        ([1.0, 0.0], {"task": "binary", "positive": "0.0"}, ["1", "0"], [0, 1]),
    ],
)
def test_encode_label_numbers_classes(
    tmp_path: Path, labels: list[Any], settings: dict[str, Any], classes: list[str], ids: list[int]
) -> None:
    settings = {"label": "label", "features": {"x": "numeric"}, **settings}

    table, output = analyze({"x": [1.0] * len(ids), "label": labels}, settings, tmp_path)

    assert [word.decode() for word in output.vocabulary_by_name("classes")] == classes
    assert table["label"].dtype == np.int64
    assert table["label"].ravel().tolist() == ids


def test_encode_label_orders_classes_by_bytes(tmp_path: Path) -> None:
    _, output = analyze({"x": [1.0] * 6, "label": WORDS}, SETTINGS, tmp_path)

    path = output.vocabulary_file_by_name("classes")
    assert Path(path).read_text("utf-8") == "Zebra\napple\npear tree\nÖl\n"


@pytest.mark.parametrize("labels", [[1.5, -2.0], [3, 4]])
def test_encode_label_keeps_regression_label(tmp_path: Path, labels: list[float]) -> None:
    settings = {"task": "regression", "label": "label", "features": {"x": "numeric"}}

    table, output = analyze({"x": [1.0, 2.0], "label": labels}, settings, tmp_path)

    assert table["label"].dtype == np.float32
    assert table["label"].ravel().tolist() == labels
    assert output.vocabulary_file_by_name("classes") is None


def test_encode_label_unknown_class_is_minus_one(tmp_path: Path) -> None:
    _, output = analyze({"x": [1.0] * 6, "label": WORDS}, SETTINGS, tmp_path)

    layer = output.transform_features_layer()
    transformed = layer({"x": tf.constant([[1.0]]), "label": tf.constant([["quince"]])})

    assert transformed["label"].numpy().tolist() == [[-1]]
