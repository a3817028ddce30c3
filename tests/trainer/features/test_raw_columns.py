"""Parsing of raw columns; their transformation is tested with the exported model."""

import numpy as np
import pytest
import tensorflow as tf

from trainer.features.raw_columns import parse_raw, to_dense
from trainer.settings.train import TrainerSettings

SETTINGS = TrainerSettings.model_validate(
    {
        "label": "label",
        "features": {
            "city": "categorical",
            "size": "numeric",
            "code": {"kind": "categorical", "ids": "identity", "size": 3},
            "pair": {"kind": "crossed", "columns": ["city", "code"]},
            "label": "ignore",
        },
    }
)


def test_parse_raw_reads_missing_values() -> None:
    absent, empty = tf.train.Example(), tf.train.Example()
    empty.features.feature["city"].bytes_list.SetInParent()
    empty.features.feature["size"].float_list.SetInParent()
    examples = tf.constant([each.SerializeToString() for each in (absent, empty)])

    columns = parse_raw(examples, SETTINGS)

    assert set(columns) == {"city", "size", "code"}
    assert columns["city"].numpy().tolist() == [b"", b""]
    assert columns["size"].shape == (2,)
    assert np.isnan(columns["size"].numpy()).all()


def test_parse_raw_reads_values() -> None:
    example = tf.train.Example()
    example.features.feature["city"].bytes_list.value.append(b"Oslo")
    example.features.feature["size"].float_list.value.append(1.5)
    example.features.feature["code"].float_list.value.append(2)

    columns = parse_raw(tf.constant([example.SerializeToString()]), SETTINGS)

    found = {name: column.numpy().tolist() for name, column in columns.items()}
    assert found == {"city": [b"Oslo"], "size": [1.5], "code": [2.0]}


def test_parse_raw_refuses_several_values_in_a_cell() -> None:
    example = tf.train.Example()
    example.features.feature["size"].float_list.value.extend([1.5, 2.5])

    with pytest.raises(tf.errors.InvalidArgumentError):
        parse_raw(tf.constant([example.SerializeToString()]), SETTINGS)


def test_to_dense_marks_missing_values() -> None:
    dense = to_dense(
        {
            "word": tf.sparse.SparseTensor([[1, 0]], ["a"], [3, 1]),
            "whole": tf.sparse.SparseTensor([[1, 0]], tf.constant([7], tf.int64), [3, 1]),
            "number": tf.sparse.SparseTensor([[0, 0], [2, 0]], [1.5, 2.5], [3, 1]),
            "other": tf.sparse.SparseTensor([[2, 0]], ["b"], [3, 1]),
            "empty": tf.sparse.SparseTensor(
                np.empty((0, 2), np.int64), tf.constant([], tf.float32), [3, 1]
            ),
        }
    )

    assert dense["word"].numpy().tolist() == [[b""], [b"a"], [b""]]
    assert dense["other"].numpy().tolist() == [[b""], [b""], [b"b"]]
    assert dense["whole"].dtype == tf.float32
    np.testing.assert_array_equal(dense["whole"], [[np.nan], [7], [np.nan]])
    np.testing.assert_array_equal(dense["number"], [[1.5], [np.nan], [2.5]])
    assert np.isnan(dense["empty"]).all()


def test_to_dense_keeps_dense_columns() -> None:
    column = tf.constant([[1], [2]], tf.int64)

    assert to_dense({"x": column})["x"] is column
