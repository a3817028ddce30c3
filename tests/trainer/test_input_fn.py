"""The tf.data pipeline over transformed examples."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from trainer.input_fn import make_dataset

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


def test_make_dataset_names_the_pattern_that_no_file_matches(tmp_path: Path) -> None:
    with pytest.raises(tf.errors.NotFoundError, match=r"no examples match .*absent-\*"):
        make_dataset([str(tmp_path / "absent-*")], SPEC, "y", 4)
