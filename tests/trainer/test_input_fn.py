"""The tf.data pipeline over transformed examples."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from trainer import input_fn as module
from trainer.input_fn import balance, count_classes, make_dataset

SPEC = {
    "x": tf.io.FixedLenFeature([1], tf.float32),
    "y": tf.io.FixedLenFeature([1], tf.int64),
}


def write_shard(path: Path, numbers: Sequence[int]) -> None:
    """Writes examples whose x is the number and whose label is its last digit."""
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for number in numbers:
            features = {
                "x": tf.train.Feature(float_list=tf.train.FloatList(value=[number])),
                "y": tf.train.Feature(int64_list=tf.train.Int64List(value=[number % 10])),
            }
            example = tf.train.Example(features=tf.train.Features(feature=features))
            writer.write(example.SerializeToString())


def read(dataset: tf.data.Dataset) -> Iterator[int]:
    """Gives the numbers of the dataset one by one."""
    for features, _ in dataset:
        yield from features["x"].numpy().ravel().astype(int).tolist()


@pytest.fixture
def pattern(tmp_path: Path) -> str:
    """Twenty examples in two shards, the second written first."""
    write_shard(tmp_path / "data-00001.gz", range(12, 20))
    write_shard(tmp_path / "data-00000.gz", range(12))
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
    write_shard(tmp_path / "a.gz", [1])
    write_shard(tmp_path / "b.gz", [2])
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


@pytest.mark.parametrize("n_examples", [30, 60])
def test_make_dataset_shuffles_as_one_buffer_over_all_records_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_examples: int
) -> None:
    monkeypatch.setattr(module, "SHUFFLE_BUFFER_EXAMPLES", 40)  # kept in memory, and not
    monkeypatch.setattr(module, "_PARSED_AT_ONCE", 25)
    write_shard(tmp_path / "data.gz", range(n_examples))
    records = tf.data.TFRecordDataset(str(tmp_path / "data.gz"), "GZIP").shuffle(40, seed=1)
    parsed = records.repeat(4).map(lambda record: tf.io.parse_single_example(record, SPEC)["x"])

    numbers = read(make_dataset([str(tmp_path / "data.gz")], SPEC, "y", 8, shuffle_seed=1))

    expected = [int(number[0]) for number in parsed.as_numpy_iterator()]
    assert list(islice(numbers, 4 * n_examples)) == expected


def test_make_dataset_with_seed_keeps_few_examples_in_memory(tmp_path: Path, pattern: str) -> None:
    numbers = read(make_dataset([pattern], SPEC, "y", 8, shuffle_seed=1))
    for path in tmp_path.glob("data-*"):
        path.unlink()

    assert sorted(islice(numbers, 20)) == list(range(20))


def test_make_dataset_with_seed_holds_no_examples_in_the_graph(tmp_path: Path) -> None:
    write_shard(tmp_path / "data.gz", range(5000))

    with tf.Graph().as_default() as graph:
        make_dataset([str(tmp_path / "data.gz")], SPEC, "y", 8, shuffle_seed=1)

    assert graph.as_graph_def().ByteSize() < 20_000  # the examples take 60,000


@pytest.mark.parametrize("words_spec", [tf.io.FixedLenFeature([1], tf.string), None])
def test_make_dataset_with_seed_gives_words(
    tmp_path: Path, words_spec: tf.io.FixedLenFeature | None
) -> None:
    with tf.io.TFRecordWriter(str(tmp_path / "data.gz"), "GZIP") as writer:
        for class_id, word in ((0, b"a"), (1, b"bee")):
            features = {
                "word": tf.train.Feature(bytes_list=tf.train.BytesList(value=[word])),
                "y": tf.train.Feature(int64_list=tf.train.Int64List(value=[class_id])),
            }
            example = tf.train.Example(features=tf.train.Features(feature=features))
            writer.write(example.SerializeToString())
    spec = {"word": words_spec or tf.io.VarLenFeature(tf.string), "y": SPEC["y"]}
    dataset = make_dataset([str(tmp_path / "data.gz")], spec, "y", 2, shuffle_seed=1)

    features, labels = next(iter(dataset))

    words = features["word"] if words_spec else tf.sparse.to_dense(features["word"])
    assert words.shape == (2, 1)
    found = zip(labels.numpy().tolist(), words.numpy().ravel().tolist(), strict=True)
    assert dict(found) == {0: b"a", 1: b"bee"}


def test_make_dataset_names_the_pattern_that_no_file_matches(tmp_path: Path) -> None:
    with pytest.raises(tf.errors.NotFoundError, match=r"no examples match .*absent-\*"):
        make_dataset([str(tmp_path / "absent-*")], SPEC, "y", 4)


# weights


WEIGHTED = {**SPEC, "w": tf.io.FixedLenFeature([1], tf.float32)}


@pytest.fixture
def weighted(tmp_path: Path) -> str:
    """Three examples of the classes 0, 2 and 2 that weigh 0.5, 0 and 4."""
    with tf.io.TFRecordWriter(str(tmp_path / "data.gz"), "GZIP") as writer:
        for class_id, weight in ((0, 0.5), (2, 0.0), (2, 4.0)):
            features = {
                "x": tf.train.Feature(float_list=tf.train.FloatList(value=[1])),
                "w": tf.train.Feature(float_list=tf.train.FloatList(value=[weight])),
                "y": tf.train.Feature(int64_list=tf.train.Int64List(value=[class_id])),
            }
            example = tf.train.Example(features=tf.train.Features(feature=features))
            writer.write(example.SerializeToString())
    return str(tmp_path / "data.gz")


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


def test_make_dataset_takes_a_weight_that_has_the_name_of_weights(weighted: str) -> None:
    spec = {**SPEC, "example_weight": tf.io.FixedLenFeature([1], tf.float32, [7.0])}

    features, _ = next(iter(make_dataset([weighted], spec, "y", 4, weight="example_weight")))

    np.testing.assert_array_equal(features["example_weight"], [[7], [7], [7]])


def test_make_dataset_refuses_a_feature_that_has_the_name_of_weights(weighted: str) -> None:
    spec = {**WEIGHTED, "example_weight": tf.io.FixedLenFeature([1], tf.float32)}

    with pytest.raises(ValueError, match="no feature can be named example_weight"):
        make_dataset([weighted], spec, "y", 4, weight="w")


def test_make_dataset_gives_numbers_as_labels_where_the_label_is_one(weighted: str) -> None:
    spec = {"x": SPEC["x"], "w": WEIGHTED["w"]}

    _, labels = next(iter(make_dataset([weighted], spec, "w", 4)))

    assert labels.dtype == tf.float32
    np.testing.assert_array_equal(labels, [0.5, 0, 4])


def test_count_classes_counts_all_files(pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_COUNTED_AT_ONCE", 7)

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
