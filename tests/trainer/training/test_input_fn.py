"""The input pipeline over transformed examples: batches, order, weights."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.numbered_examples import SPARSE, SPEC, read, write_shard
from tests.helpers.transformed_files import write_transformed
from trainer.signatures import EXAMPLE_WEIGHT
from trainer.training.input_fn import make_dataset, next_batch, next_element


def test_make_dataset_batches(pattern: str) -> None:
    features, labels = next(iter(make_dataset([pattern], SPEC, "y", 4)))

    assert list(features) == ["x"]
    assert (features["x"].shape, features["x"].dtype) == ((4, 1), tf.float32)
    assert (labels.shape, labels.dtype) == ((4,), tf.int64)
    np.testing.assert_array_equal(features["x"], [[0], [1], [2], [3]])


def test_make_dataset_accepts_scalar_labels(pattern: str) -> None:
    spec = {**SPEC, "y": tf.io.FixedLenFeature([], tf.int64)}

    _, labels = next(iter(make_dataset([pattern], spec, "y", 4)))

    np.testing.assert_array_equal(labels, [0, 1, 2, 3])


def test_make_dataset_unshuffled_is_one_pass(pattern: str) -> None:
    assert list(read(make_dataset([pattern], SPEC, "y", 3))) == list(range(20))


def test_make_dataset_unshuffled_last_batch_is_short(pattern: str) -> None:
    sizes = [len(labels) for _, labels in make_dataset([pattern], SPEC, "y", 8)]

    assert sizes == [8, 8, 4]


def test_make_dataset_reads_files_in_order(tmp_path: Path) -> None:
    write_shard(tmp_path / "a.parquet", [1])
    write_shard(tmp_path / "b.parquet", [2])
    patterns = [str(tmp_path / "b*"), str(tmp_path / "a*")]

    assert list(read(make_dataset(patterns, SPEC, "y", 3))) == [1, 2]


@pytest.mark.parametrize("batch_size", [8, 5000])
def test_make_dataset_shuffled_shape_is_static(pattern: str, batch_size: int) -> None:
    dataset = make_dataset([pattern], SPEC, "y", batch_size, shuffle_seed=1)

    features, labels = next(iter(dataset))

    assert (features["x"].shape, features["x"].dtype) == ((batch_size, 1), tf.float32)
    assert (labels.shape, labels.dtype) == ((batch_size,), tf.int64)
    x_spec, y_spec = dataset.element_spec[0]["x"], dataset.element_spec[1]
    assert (x_spec.shape, y_spec.shape) == ((batch_size, 1), (batch_size,))


def test_make_dataset_names_unmatched_pattern(tmp_path: Path) -> None:
    with pytest.raises(tf.errors.NotFoundError, match=r"no examples match .*absent-\*"):
        make_dataset([str(tmp_path / "absent-*")], SPEC, "y", 4)


# weights


WEIGHTED = {**SPEC, "w": tf.io.FixedLenFeature([1], tf.float32)}


@pytest.fixture
def weighted(tmp_path: Path) -> str:
    """Three examples of the classes 0, 2 and 2 with weights 0.5, 0 and 4."""
    tensors = {"x": [[1.0]] * 3, "w": [[0.5], [0.0], [4.0]], "y": [[0], [2], [2]]}
    write_transformed(tmp_path / "data.parquet", WEIGHTED, tensors)
    return str(tmp_path / "data.parquet")


@pytest.mark.parametrize(
    ("weight", "class_weights", "expected"),
    [
        ("w", None, [0.5, 0, 4]),
        (None, [3.0, 1.0, 0.25], [3, 0.25, 0.25]),
        ("w", [3.0, 1.0, 0.25], [1.5, 0, 1]),
    ],
)
def test_make_dataset_example_weights(
    weighted: str, weight: str | None, class_weights: list[float] | None, expected: list[float]
) -> None:
    spec = WEIGHTED if weight else SPEC
    dataset = make_dataset([weighted], spec, "y", 4, weight=weight, class_weights=class_weights)

    features, labels = next(iter(dataset))

    assert list(features) == ["x", EXAMPLE_WEIGHT]
    assert features[EXAMPLE_WEIGHT].dtype == tf.float32
    np.testing.assert_allclose(features[EXAMPLE_WEIGHT], np.array(expected)[:, np.newaxis])
    np.testing.assert_array_equal(labels, [0, 2, 2])


def test_make_dataset_keeps_a_feature_called_example_weight(tmp_path: Path) -> None:
    spec = {**WEIGHTED, "example_weight": tf.io.FixedLenFeature([1], tf.float32)}
    path = tmp_path / "data.parquet"
    rows = {"x": [[1.0], [2.0]], "w": [[7.0], [0.5]], "y": [[0], [1]]}
    write_transformed(path, spec, {**rows, "example_weight": [[3.0], [4.0]]})

    features, _ = next(iter(make_dataset([str(path)], spec, "y", 4, weight="w")))

    np.testing.assert_array_equal(features["example_weight"], [[3], [4]])
    np.testing.assert_array_equal(features[EXAMPLE_WEIGHT], [[7], [0.5]])


def test_make_dataset_float_labels(weighted: str) -> None:
    spec = {"x": SPEC["x"], "w": WEIGHTED["w"]}

    _, labels = next(iter(make_dataset([weighted], spec, "w", 4)))

    assert labels.dtype == tf.float32
    np.testing.assert_array_equal(labels, [0.5, 0, 4])


# the next batch


def test_next_batch_is_that_of_the_dataset(pattern: str) -> None:
    expected = list(islice(batches_of(make_dataset([pattern], SPEC, "y", 8, shuffle_seed=1)), 5))
    options = {"shuffle_seed": 1, "weight": None, "class_weights": None}

    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        batch = next_batch([pattern], SPEC, "y", 8, **options)
        session.run(tf.compat.v1.tables_initializer())
        runs = [session.run(batch) for _ in expected]

    assert [(x["x"].ravel().tolist(), y.tolist()) for x, y in runs] == expected


def test_next_batch_unshuffled_starts_again_when_tables_are_initialized(pattern: str) -> None:
    options = {"shuffle_seed": None, "weight": None, "class_weights": None}

    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        _, labels = next_batch([pattern], SPEC, "y", 8, **options)
        for _ in range(2):
            session.run(tf.compat.v1.tables_initializer())
            assert [len(session.run(labels)) for _ in range(3)] == [8, 8, 4]
            with pytest.raises(tf.errors.OutOfRangeError):
                session.run(labels)


@pytest.mark.parametrize("shuffle_seed", [1, None])
def test_next_batch_has_as_many_ops_for_any_number_of_columns(
    shuffle_seed: int | None, tmp_path: Path
) -> None:
    options = {"shuffle_seed": shuffle_seed, "weight": None, "class_weights": None}

    def count_ops(n_columns: int) -> int:
        features = {
            f"x{index}": tf.io.FixedLenFeature([1], tf.float32) for index in range(n_columns)
        }
        path = tmp_path / f"{n_columns}.parquet"
        columns = dict.fromkeys(features, np.ones((2, 1), np.float32))
        spec = {**features, "y": SPEC["y"]}
        write_transformed(path, spec, {**columns, "y": np.ones((2, 1), np.int64)})
        with tf.Graph().as_default() as graph:
            next_batch([str(path)], spec, "y", 1, **options)
            assert all(len(function.signature.output_arg) <= 2 for function in functions_of(graph))
        return len(graph.get_operations())

    assert count_ops(20) == count_ops(2)


def functions_of(graph: tf.Graph) -> Any:
    return graph.as_graph_def().library.function


# the next element


def batches_of(dataset: tf.data.Dataset) -> Iterator[tuple[list[float], list[int]]]:
    for features, labels in dataset:
        yield features["x"].numpy().ravel().tolist(), labels.numpy().tolist()


def test_next_element_runs_to_the_end(pattern: str) -> None:
    expected = list(batches_of(make_dataset([pattern], SPEC, "y", 8)))

    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        features, labels = element = next_element(make_dataset([pattern], SPEC, "y", 8))
        assert features["x"].shape.as_list() == [None, 1]
        session.run(tf.compat.v1.tables_initializer())
        runs = [session.run(element) for _ in expected]
        with pytest.raises(tf.errors.OutOfRangeError):
            session.run(labels)

    assert [(x["x"].ravel().tolist(), y.tolist()) for x, y in runs] == expected


def test_next_element_returns_sparse_dataset(pattern: str) -> None:
    with tf.Graph().as_default():
        dataset = make_dataset([pattern], SPARSE, "y", 8)

        assert next_element(dataset) is dataset
