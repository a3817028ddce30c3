"""The input pipeline over transformed examples: batches, order, weights."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.transformed_files import write_transformed
from trainer.training import input_fn as module
from trainer.training.input_fn import make_dataset, next_element

SPEC = {
    "x": tf.io.FixedLenFeature([1], tf.float32),
    "y": tf.io.FixedLenFeature([1], tf.int64),
}
SPARSE = {**SPEC, "z": tf.io.VarLenFeature(tf.float32)}


def write_shard(path: Path, numbers: Sequence[int]) -> None:
    """Writes examples: x is the number, y its last digit, z the digit if it is not 0."""
    column = np.array(numbers)[:, np.newaxis]
    sparse = tf.sparse.from_dense((column % 10).astype(np.float32))
    tensors = {"x": column.astype(np.float32), "y": column % 10, "z": sparse}
    write_transformed(path, SPARSE, tensors)


def read(dataset: tf.data.Dataset) -> Iterator[int]:
    """Yields the numbers of the dataset one by one."""
    for features, _ in dataset:
        yield from features["x"].numpy().ravel().astype(int).tolist()


@pytest.fixture
def pattern(tmp_path: Path) -> str:
    """Twenty examples in two shards, the second written first."""
    write_shard(tmp_path / "data-00001.parquet", range(12, 20))
    write_shard(tmp_path / "data-00000.parquet", range(12))
    return str(tmp_path / "data-*")


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


def test_make_dataset_keeps_labels_with_features(pattern: str) -> None:
    for features, labels in islice(make_dataset([pattern], SPEC, "y", 8, shuffle_seed=1), 10):
        np.testing.assert_array_equal(features["x"].numpy().ravel() % 10, labels)


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


def test_make_dataset_shuffled_passes_are_complete(pattern: str) -> None:
    numbers = list(islice(read(make_dataset([pattern], SPEC, "y", 8, shuffle_seed=1)), 60))

    for start in (0, 20, 40):
        assert sorted(numbers[start : start + 20]) == list(range(20))


def test_make_dataset_shuffled_passes_differ(pattern: str) -> None:
    numbers = list(islice(read(make_dataset([pattern], SPEC, "y", 8, shuffle_seed=1)), 40))

    assert numbers[:20] != sorted(numbers[:20])
    assert numbers[:20] != numbers[20:]


def test_make_dataset_order_depends_on_seed(pattern: str) -> None:
    def order(seed: int) -> list[int]:
        return list(islice(read(make_dataset([pattern], SPEC, "y", 8, shuffle_seed=seed)), 40))

    assert order(1) == order(1)
    assert order(1) != order(2)


def test_make_dataset_seed_zero_shuffles(pattern: str) -> None:
    numbers = list(islice(read(make_dataset([pattern], SPEC, "y", 8, shuffle_seed=0)), 40))

    assert numbers[:20] != sorted(numbers[:20])


def test_make_dataset_shuffles_whole_chunk(tmp_path: Path) -> None:
    write_shard(tmp_path / "data.parquet", range(25_000))

    numbers = read(make_dataset([str(tmp_path / "data.parquet")], SPEC, "y", 8, shuffle_seed=1))

    # The mean of 2,000 numbers is 12,500, with a standard error of 161.
    assert np.mean(list(islice(numbers, 2000))) == pytest.approx(12_500, abs=800)


@pytest.fixture
def chunks_of_seven(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes every chunk seven examples: x has 4 bytes, y 8, and the index of an example 40."""
    monkeypatch.setattr(module, "_CHUNK_BYTES", 7 * (4 + 8 + 40))
    monkeypatch.setattr(module, "_CHUNK_EXAMPLES", 7)
    monkeypatch.setattr(module, "_BLOCK_EXAMPLES", 3)
    monkeypatch.setattr(module, "_PIECE_EXAMPLES", 4)


@pytest.mark.usefixtures("chunks_of_seven")
@pytest.mark.parametrize("spec", [SPEC, SPARSE])
def test_make_dataset_shuffles_each_chunk(
    pattern: str, spec: dict[str, tf.io.FixedLenFeature]
) -> None:
    numbers = list(islice(read(make_dataset([pattern], spec, "y", 8, shuffle_seed=1)), 60))

    for start in (0, 20, 40):
        for first, end in ((0, 7), (7, 14), (14, 20)):
            assert sorted(numbers[start + first : start + end]) == list(range(first, end))
    assert numbers[:7] != sorted(numbers[:7])
    assert numbers[:7] != numbers[20:27]
    assert [number - 7 for number in numbers[7:14]] != numbers[:7]


@pytest.mark.usefixtures("chunks_of_seven")
def test_make_dataset_shuffles_sparse_like_dense(pattern: str) -> None:
    dense, sparse = (
        list(islice(read(make_dataset([pattern], spec, "y", 8, shuffle_seed=1)), 60))
        for spec in (SPEC, SPARSE)
    )

    assert dense == sparse


@pytest.mark.parametrize("n_examples", [6, 7, 8, 1])
@pytest.mark.usefixtures("chunks_of_seven")
def test_make_dataset_sizes_around_a_chunk(tmp_path: Path, n_examples: int) -> None:
    write_shard(tmp_path / "data.parquet", range(n_examples))
    numbers = read(make_dataset([str(tmp_path / "data.parquet")], SPEC, "y", 5, shuffle_seed=1))

    for _ in range(4):
        assert sorted(islice(numbers, n_examples)) == list(range(n_examples))


def test_make_dataset_reads_single_chunk_once(tmp_path: Path, pattern: str) -> None:
    numbers = read(make_dataset([pattern], SPEC, "y", 8, shuffle_seed=1))
    begun = list(islice(numbers, 1))
    for path in tmp_path.glob("data-*"):
        path.unlink()

    following = list(islice(numbers, 999))

    assert sorted(begun + following) == sorted([*range(20)] * 50)


def test_make_dataset_graph_holds_no_examples(tmp_path: Path) -> None:
    write_shard(tmp_path / "data.parquet", range(5000))

    with tf.Graph().as_default() as graph:
        make_dataset([str(tmp_path / "data.parquet")], SPEC, "y", 8, shuffle_seed=1)

    assert graph.as_graph_def().ByteSize() < 20_000  # the examples alone have 60,000


@pytest.mark.parametrize("words_spec", [tf.io.FixedLenFeature([1], tf.string), None])
def test_make_dataset_shuffles_words(
    tmp_path: Path, words_spec: tf.io.FixedLenFeature | None
) -> None:
    spec = {"word": words_spec or tf.io.VarLenFeature(tf.string), "y": SPEC["y"]}
    words = np.array([["a"], ["bee"]], dtype=object)
    tensors = {"word": words if words_spec else tf.sparse.from_dense(words), "y": [[0], [1]]}
    write_transformed(tmp_path / "data.parquet", spec, tensors)
    dataset = make_dataset([str(tmp_path / "data.parquet")], spec, "y", 2, shuffle_seed=1)

    features, labels = next(iter(dataset))

    words = features["word"] if words_spec else tf.sparse.to_dense(features["word"])
    assert words.shape == (2, 1)
    found = zip(labels.numpy().tolist(), words.numpy().ravel().tolist(), strict=True)
    assert dict(found) == {0: b"a", 1: b"bee"}


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

    assert list(features) == ["x", "example_weight"]
    assert features["example_weight"].dtype == tf.float32
    np.testing.assert_allclose(features["example_weight"], np.array(expected)[:, np.newaxis])
    np.testing.assert_array_equal(labels, [0, 2, 2])


@pytest.mark.parametrize("chunk_bytes", [2**20, 3 * (4 + 8 + 40)])
def test_make_dataset_keeps_weights_with_examples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk_bytes: int
) -> None:
    monkeypatch.setattr(module, "_CHUNK_BYTES", chunk_bytes)
    write_shard(tmp_path / "data.parquet", range(20))
    path, weights = str(tmp_path / "data.parquet"), np.arange(10) + 0.5
    dataset = make_dataset(
        [path], SPEC, "y", 8, shuffle_seed=1, class_weights=weights.tolist(), weight="x"
    )

    for features, labels in islice(dataset, 10):
        found = features["example_weight"].numpy().ravel() / weights[labels]  # x itself
        np.testing.assert_array_equal(np.round(found).astype(int) % 10, labels)


def test_make_dataset_weight_named_example_weight(tmp_path: Path) -> None:
    spec = {"example_weight": WEIGHTED["w"], "y": SPEC["y"]}
    path = tmp_path / "data.parquet"
    write_transformed(path, spec, {"example_weight": [[7.0], [0.5]], "y": [[0], [1]]})

    features, _ = next(iter(make_dataset([str(path)], spec, "y", 4, weight="example_weight")))

    np.testing.assert_array_equal(features["example_weight"], [[7], [0.5]])


def test_make_dataset_refuses_reserved_feature(weighted: str) -> None:
    spec = {**WEIGHTED, "example_weight": tf.io.FixedLenFeature([1], tf.float32)}

    with pytest.raises(ValueError, match="a feature cannot be named example_weight"):
        make_dataset([weighted], spec, "y", 4, weight="w")


def test_make_dataset_float_labels(weighted: str) -> None:
    spec = {"x": SPEC["x"], "w": WEIGHTED["w"]}

    _, labels = next(iter(make_dataset([weighted], spec, "w", 4)))

    assert labels.dtype == tf.float32
    np.testing.assert_array_equal(labels, [0.5, 0, 4])


# the next element


def batches_of(dataset: tf.data.Dataset) -> list[tuple[list[float], list[int]]]:
    return [
        (features["x"].numpy().ravel().tolist(), labels.numpy().tolist())
        for features, labels in dataset
    ]


def test_next_element_runs_to_the_end(pattern: str) -> None:
    expected = batches_of(make_dataset([pattern], SPEC, "y", 8))

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
