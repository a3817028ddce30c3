"""Reading transformed examples from Parquet."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.example_files import cut
from tests.helpers.transformed_files import write_transformed
from trainer.training.transformed_examples import find_files, read_dense, read_serialized

DENSE = {
    "scalar": tf.io.FixedLenFeature([], tf.int64),
    "one": tf.io.FixedLenFeature([1], tf.float32),
    "one.two/-": tf.io.FixedLenFeature([2], tf.float32),
    "matrix": tf.io.FixedLenFeature([2, 3], tf.int64),
    "word": tf.io.FixedLenFeature([1], tf.string),
}
COLUMNS = {
    "scalar": np.array([2**60, -1, 0]),
    "one": np.array([[0.5], [np.nan], [-np.inf]], dtype=np.float32),
    "one.two/-": np.arange(6, dtype=np.float32).reshape(3, 2),
    "matrix": np.arange(18).reshape(3, 2, 3),
    "word": np.array([["ant"], [""], ["Ä\0"]], dtype=object),
}


@pytest.fixture
def path(tmp_path: Path) -> str:
    write_transformed(tmp_path / "data.parquet", DENSE, COLUMNS)
    return str(tmp_path / "data.parquet")


def test_read_dense_shapes_and_dtypes(path: str) -> None:
    (block,) = read_dense([path], DENSE, 10)

    words = block.pop("word")
    assert words.tolist() == [[b"ant"], [b""], ["Ä\0".encode()]]
    assert list(block) == ["scalar", "one", "one.two/-", "matrix"]
    for name, values in block.items():
        assert (values.dtype, values.shape) == (COLUMNS[name].dtype, COLUMNS[name].shape)
        np.testing.assert_array_equal(values, COLUMNS[name])


def test_read_dense_only_features_of_spec(path: str) -> None:
    (block,) = read_dense([path], {"one": DENSE["one"]}, 10)

    assert list(block) == ["one"]


def test_read_dense_blocks_in_file_order(tmp_path: Path) -> None:
    spec = {"scalar": DENSE["scalar"]}
    for name, numbers in (("b", range(5)), ("a", range(5, 7)), ("c", range(0))):
        numbers_array = np.array(numbers, dtype=np.int64)
        write_transformed(tmp_path / f"{name}.parquet", spec, {"scalar": numbers_array})
    paths = [str(tmp_path / f"{name}.parquet") for name in "bca"]

    found = [block["scalar"].tolist() for block in read_dense(paths, spec, 2)]

    assert found == [[0, 1], [2, 3], [4], [5, 6]]


@pytest.mark.parametrize(
    ("spec", "tensor"),
    [
        (tf.io.VarLenFeature(tf.float32), tf.sparse.from_dense([[1.0, 2.0], [0, 0], [3.0, 0]])),
        (
            tf.io.RaggedFeature(tf.string, row_splits_dtype=tf.int64),
            tf.ragged.constant([["ant", "bee"], [], ["Ä"]], row_splits_dtype=tf.int64),
        ),
        (
            tf.io.RaggedFeature(
                tf.int64,
                value_key="inner",
                partitions=[tf.io.RaggedFeature.RowLengths("lengths")],
                row_splits_dtype=tf.int64,
            ),
            tf.ragged.constant([[[1], [2, 3]], [], [[]]], tf.int64, row_splits_dtype=tf.int64),
        ),
        (
            tf.io.SparseFeature("several$sparse_indices_0", "several$sparse_values", tf.float32, 9),
            tf.sparse.SparseTensor([[0, 8], [2, 1]], [0.5, 1.5], [3, 9]),
        ),
    ],
)
def test_read_serialized_can_be_parsed(tmp_path: Path, spec: Any, tensor: Any) -> None:
    specs = {"several": spec, "one": DENSE["one"]}
    write_transformed(tmp_path / "data.parquet", specs, {"several": tensor, "one": COLUMNS["one"]})

    blocks = list(read_serialized([str(tmp_path / "data.parquet")], specs, 2))

    assert [len(block) for block in blocks] == [2, 1]
    parsed = tf.io.parse_example(np.concatenate(blocks), specs)
    np.testing.assert_array_equal(parsed["one"], COLUMNS["one"])
    if isinstance(tensor, tf.SparseTensor):
        parsed["several"], tensor = map(tf.sparse.to_dense, (parsed["several"], tensor))
        np.testing.assert_array_equal(parsed["several"], tensor)
    else:
        assert parsed["several"].to_list() == tensor.to_list()


@pytest.mark.parametrize("n_bytes", [1, 30, 300])
def test_read_names_damaged_file(path: str, n_bytes: int) -> None:
    cut(Path(path), n_bytes)

    with pytest.raises(ValueError, match=r"data\.parquet: examples cannot be read: "):
        list(read_dense([path], DENSE, 10))
    with pytest.raises(ValueError, match=r"data\.parquet: examples cannot be read: "):
        list(read_serialized([path], DENSE, 10))


def test_find_files_sorts_by_path(tmp_path: Path) -> None:
    for name in "cab":
        (tmp_path / name).touch()

    found = find_files([str(tmp_path / "[bc]"), str(tmp_path / "a")])

    assert found == [str(tmp_path / name) for name in "abc"]
