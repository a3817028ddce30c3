"""Parsing of raw columns; their transformation is tested with the exported model."""

import numpy as np
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


def test_to_dense_marks_missing_values() -> None:
    words = to_dense(tf.sparse.SparseTensor([[1, 0]], ["a"], [2, 1]))
    numbers = to_dense(tf.sparse.SparseTensor([[1, 0]], tf.constant([7], tf.int64), [2, 1]))

    assert words.numpy().tolist() == [[b""], [b"a"]]
    assert numbers.dtype == tf.float32
    np.testing.assert_array_equal(numbers, [[np.nan], [7]])


def test_to_dense_keeps_dense_columns() -> None:
    column = tf.constant([[1], [2]], tf.int64)

    assert to_dense(column) is column
