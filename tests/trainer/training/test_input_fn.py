"""The tf.data pipeline over transformed examples."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.transformed_files import write_transformed
from trainer.training import input_fn as module
from trainer.training.input_fn import balance, count_classes, make_dataset, take

SPEC = {
    "x": tf.io.FixedLenFeature([1], tf.float32),
    "y": tf.io.FixedLenFeature([1], tf.int64),
}
SPARSE = {**SPEC, "z": tf.io.VarLenFeature(tf.float32)}


def write_shard(path: Path, numbers: Sequence[int]) -> None:
    """Writes examples whose x is the number, whose label is its last digit, and z that if not 0."""
    column = np.array(numbers)[:, np.newaxis]
    sparse = tf.sparse.from_dense((column % 10).astype(np.float32))
    tensors = {"x": column.astype(np.float32), "y": column % 10, "z": sparse}
    write_transformed(path, SPARSE, tensors)


def read(dataset: tf.data.Dataset) -> Iterator[int]:
    """Gives the numbers of the dataset one by one."""
    for features, _ in dataset:
        yield from features["x"].numpy().ravel().astype(int).tolist()


@pytest.fixture
def pattern(tmp_path: Path) -> str:
    """Twenty examples in two shards, the second written first."""
    write_shard(tmp_path / "data-00001.parquet", range(12, 20))
    write_shard(tmp_path / "data-00000.parquet", range(12))
    return str(tmp_path / "data-*")


def test_make_dataset_gives_batches_of_features_and_labels(pattern: str) -> None:
    features, labels = next(iter(make_dataset([pattern], SPEC, "y", 4)))

    assert list(features) == ["x"]
    assert (features["x"].shape, features["x"].dtype) == ((4, 1), tf.float32)
    assert (labels.shape, labels.dtype) == ((4,), tf.int64)
    np.testing.assert_array_equal(features["x"], [[0], [1], [2], [3]])


def test_make_dataset_takes_labels_without_a_dimension_of_their_own(pattern: str) -> None:
    spec = {**SPEC, "y": tf.io.FixedLenFeature([], tf.int64)}

    _, labels = next(iter(make_dataset([pattern], spec, "y", 4)))

    np.testing.assert_array_equal(labels, [0, 1, 2, 3])


def test_make_dataset_keeps_features_and_labels_together(pattern: str) -> None:
    for features, labels in islice(make_dataset([pattern], SPEC, "y", 8, shuffle_seed=1), 10):
        np.testing.assert_array_equal(features["x"].numpy().ravel() % 10, labels)


def test_make_dataset_without_seed_passes_once_in_order(pattern: str) -> None:
    assert list(read(make_dataset([pattern], SPEC, "y", 3))) == list(range(20))


def test_make_dataset_without_seed_ends_with_a_short_batch(pattern: str) -> None:
    sizes = [len(labels) for _, labels in make_dataset([pattern], SPEC, "y", 8)]

    assert sizes == [8, 8, 4]


def test_make_dataset_reads_the_files_of_all_patterns_in_order(tmp_path: Path) -> None:
    write_shard(tmp_path / "a.parquet", [1])
    write_shard(tmp_path / "b.parquet", [2])
    patterns = [str(tmp_path / "b*"), str(tmp_path / "a*")]

    assert list(read(make_dataset(patterns, SPEC, "y", 3))) == [1, 2]


def test_make_dataset_with_seed_covers_all_examples_in_every_pass(pattern: str) -> None:
    numbers = list(islice(read(make_dataset([pattern], SPEC, "y", 8, shuffle_seed=1)), 60))

    for start in (0, 20, 40):
        assert sorted(numbers[start : start + 20]) == list(range(20))


def test_make_dataset_with_seed_shuffles_anew_in_every_pass(pattern: str) -> None:
    numbers = list(islice(read(make_dataset([pattern], SPEC, "y", 8, shuffle_seed=1)), 40))

    assert numbers[:20] != sorted(numbers[:20])
    assert numbers[:20] != numbers[20:]


def test_make_dataset_with_the_same_seed_gives_the_same_order(pattern: str) -> None:
    def order(seed: int) -> list[int]:
        return list(islice(read(make_dataset([pattern], SPEC, "y", 8, shuffle_seed=seed)), 40))

    assert order(1) == order(1)
    assert order(1) != order(2)


def test_make_dataset_with_seed_zero_shuffles_too(pattern: str) -> None:
    numbers = list(islice(read(make_dataset([pattern], SPEC, "y", 8, shuffle_seed=0)), 40))

    assert numbers[:20] != sorted(numbers[:20])


def test_make_dataset_with_seed_mixes_all_that_is_one_chunk(tmp_path: Path) -> None:
    write_shard(tmp_path / "data.parquet", range(25_000))

    numbers = read(make_dataset([str(tmp_path / "data.parquet")], SPEC, "y", 8, shuffle_seed=1))

    # The mean of 2,000 is 12,500, give or take 161.
    assert np.mean(list(islice(numbers, 2000))) == pytest.approx(12_500, abs=800)


@pytest.fixture
def chunks_of_seven(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of numbers, and of all else: x is of 4 bytes, y of 8, and 40 are needed to shuffle them."""
    monkeypatch.setattr(module, "SHUFFLED_AT_ONCE_BYTES", 7 * (4 + 8 + 40))
    monkeypatch.setattr(module, "_SHUFFLED_AT_ONCE", 7)
    monkeypatch.setattr(module, "_READ_AT_ONCE", 3)
    monkeypatch.setattr(module, "_DEALT_AT_ONCE", 4)


@pytest.mark.usefixtures("chunks_of_seven")
@pytest.mark.parametrize("spec", [SPEC, SPARSE])
def test_make_dataset_with_seed_shuffles_each_chunk(
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
def test_make_dataset_shuffles_sparse_features_as_dense_ones(pattern: str) -> None:
    dense, sparse = (
        list(islice(read(make_dataset([pattern], spec, "y", 8, shuffle_seed=1)), 60))
        for spec in (SPEC, SPARSE)
    )

    assert dense == sparse


@pytest.mark.parametrize("n_examples", [6, 7, 8, 1])
@pytest.mark.usefixtures("chunks_of_seven")
def test_make_dataset_with_seed_has_a_pass_around_the_size_of_a_chunk(
    tmp_path: Path, n_examples: int
) -> None:
    write_shard(tmp_path / "data.parquet", range(n_examples))
    numbers = read(make_dataset([str(tmp_path / "data.parquet")], SPEC, "y", 5, shuffle_seed=1))

    for _ in range(4):
        assert sorted(islice(numbers, n_examples)) == list(range(n_examples))


def test_make_dataset_with_seed_reads_once_what_is_one_chunk(tmp_path: Path, pattern: str) -> None:
    numbers = read(make_dataset([pattern], SPEC, "y", 8, shuffle_seed=1))
    begun = list(islice(numbers, 1))
    for path in tmp_path.glob("data-*"):
        path.unlink()

    following = list(islice(numbers, 999))

    assert sorted(begun + following) == sorted([*range(20)] * 50)


def test_make_dataset_with_seed_holds_no_examples_in_the_graph(tmp_path: Path) -> None:
    write_shard(tmp_path / "data.parquet", range(5000))

    with tf.Graph().as_default() as graph:
        make_dataset([str(tmp_path / "data.parquet")], SPEC, "y", 8, shuffle_seed=1)

    assert graph.as_graph_def().ByteSize() < 20_000  # the examples take 60,000


@pytest.mark.parametrize("words_spec", [tf.io.FixedLenFeature([1], tf.string), None])
def test_make_dataset_with_seed_gives_words(
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
def test_make_dataset_with_seed_gives_whole_batches_of_known_shape(
    pattern: str, batch_size: int
) -> None:
    dataset = make_dataset([pattern], SPEC, "y", batch_size, shuffle_seed=1)

    features, labels = next(iter(dataset))

    assert (features["x"].shape, features["x"].dtype) == ((batch_size, 1), tf.float32)
    assert (labels.shape, labels.dtype) == ((batch_size,), tf.int64)
    x_spec, y_spec = dataset.element_spec[0]["x"], dataset.element_spec[1]
    assert (x_spec.shape, y_spec.shape) == ((batch_size, 1), (batch_size,))


def test_make_dataset_names_the_pattern_that_no_file_matches(tmp_path: Path) -> None:
    with pytest.raises(tf.errors.NotFoundError, match=r"no examples match .*absent-\*"):
        make_dataset([str(tmp_path / "absent-*")], SPEC, "y", 4)


# weights


WEIGHTED = {**SPEC, "w": tf.io.FixedLenFeature([1], tf.float32)}


@pytest.fixture
def weighted(tmp_path: Path) -> str:
    """Three examples of the classes 0, 2 and 2 that weigh 0.5, 0 and 4."""
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
def test_make_dataset_gives_the_weight_of_each_example(
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
def test_make_dataset_with_seed_keeps_each_weight_with_its_example(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk_bytes: int
) -> None:
    monkeypatch.setattr(module, "SHUFFLED_AT_ONCE_BYTES", chunk_bytes)
    write_shard(tmp_path / "data.parquet", range(20))
    path, weights = str(tmp_path / "data.parquet"), np.arange(10) + 0.5
    dataset = make_dataset(
        [path], SPEC, "y", 8, shuffle_seed=1, class_weights=weights.tolist(), weight="x"
    )

    for features, labels in islice(dataset, 10):
        found = features["example_weight"].numpy().ravel() / weights[labels]  # x itself
        np.testing.assert_array_equal(np.round(found).astype(int) % 10, labels)


def test_make_dataset_takes_a_weight_that_has_the_name_of_weights(tmp_path: Path) -> None:
    spec = {"example_weight": WEIGHTED["w"], "y": SPEC["y"]}
    path = tmp_path / "data.parquet"
    write_transformed(path, spec, {"example_weight": [[7.0], [0.5]], "y": [[0], [1]]})

    features, _ = next(iter(make_dataset([str(path)], spec, "y", 4, weight="example_weight")))

    np.testing.assert_array_equal(features["example_weight"], [[7], [0.5]])


def test_make_dataset_refuses_a_feature_that_has_the_name_of_weights(weighted: str) -> None:
    spec = {**WEIGHTED, "example_weight": tf.io.FixedLenFeature([1], tf.float32)}

    with pytest.raises(ValueError, match="no feature can be named example_weight"):
        make_dataset([weighted], spec, "y", 4, weight="w")


def test_make_dataset_gives_numbers_as_labels_where_the_label_is_one(weighted: str) -> None:
    spec = {"x": SPEC["x"], "w": WEIGHTED["w"]}

    _, labels = next(iter(make_dataset([weighted], spec, "w", 4)))

    assert labels.dtype == tf.float32
    np.testing.assert_array_equal(labels, [0.5, 0, 4])


# taken in a session


def batches_of(dataset: tf.data.Dataset) -> list[tuple[list[float], list[int]]]:
    return [
        (features["x"].numpy().ravel().tolist(), labels.numpy().tolist())
        for features, labels in dataset
    ]


def test_take_gives_an_element_in_each_run_until_the_end(pattern: str) -> None:
    expected = batches_of(make_dataset([pattern], SPEC, "y", 8))

    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        features, labels = taken = take(make_dataset([pattern], SPEC, "y", 8))
        assert features["x"].shape.as_list() == [None, 1]
        session.run(tf.compat.v1.tables_initializer())
        runs = [session.run(taken) for _ in expected]
        with pytest.raises(tf.errors.OutOfRangeError):
            session.run(labels)

    assert [(x["x"].ravel().tolist(), y.tolist()) for x, y in runs] == expected


def test_take_leaves_sparse_features_to_estimator(pattern: str) -> None:
    with tf.Graph().as_default():
        dataset = make_dataset([pattern], SPARSE, "y", 8)

        assert take(dataset) is dataset


# classes


def test_count_classes_counts_all_files(pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_READ_AT_ONCE", 7)

    counts = count_classes([pattern], SPEC, "y", 11)

    assert counts.tolist() == [*[2] * 10, 0]  # last digits of twenty numbers


@pytest.mark.parametrize(
    ("counts", "weights"),
    [
        ([1, 3], [2, 2 / 3]),  # 4 / (2 * 1), 4 / (2 * 3)
        ([5, 5], [1, 1]),
        ([4, 0], [0.5, 2]),  # 4 / (2 * 1), as if there were one
    ],
)
def test_balance_has_all_classes_weigh_alike(counts: list[int], weights: list[float]) -> None:
    np.testing.assert_allclose(balance(np.array(counts)), weights)
