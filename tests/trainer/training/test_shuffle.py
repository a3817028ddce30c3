"""The order of shuffled examples, in datasets as training reads them."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.numbered_examples import SPARSE, SPEC, read, write_shard
from tests.helpers.transformed_files import write_transformed
from trainer.signatures import EXAMPLE_WEIGHT
from trainer.training import input_fn, shuffle
from trainer.training.input_fn import make_dataset


@pytest.fixture
def chunks_of_seven(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes every chunk seven examples: x has 4 bytes, y 8, and the index of an example 40."""
    monkeypatch.setattr(shuffle, "_CHUNK_BYTES", 7 * (4 + 8 + 40))
    monkeypatch.setattr(shuffle, "_CHUNK_EXAMPLES", 7)
    monkeypatch.setattr(input_fn, "_BLOCK_EXAMPLES", 3)
    monkeypatch.setattr(shuffle, "_PIECE_EXAMPLES", 4)


def test_shuffle_passes_are_complete(pattern: str) -> None:
    numbers = list(islice(read(make_dataset([pattern], SPEC, "y", 8, shuffle_seed=1)), 60))

    for start in (0, 20, 40):
        assert sorted(numbers[start : start + 20]) == list(range(20))


def test_shuffle_passes_differ(pattern: str) -> None:
    numbers = list(islice(read(make_dataset([pattern], SPEC, "y", 8, shuffle_seed=1)), 40))

    assert numbers[:20] != sorted(numbers[:20])
    assert numbers[:20] != numbers[20:]


def test_shuffle_order_depends_on_seed(pattern: str) -> None:
    def order(seed: int) -> list[int]:
        return list(islice(read(make_dataset([pattern], SPEC, "y", 8, shuffle_seed=seed)), 40))

    assert order(1) == order(1)
    assert order(1) != order(2)


def test_shuffle_seed_zero_shuffles(pattern: str) -> None:
    numbers = list(islice(read(make_dataset([pattern], SPEC, "y", 8, shuffle_seed=0)), 40))

    assert numbers[:20] != sorted(numbers[:20])


def test_shuffle_whole_chunk(tmp_path: Path) -> None:
    write_shard(tmp_path / "data.parquet", range(25_000))

    numbers = read(make_dataset([str(tmp_path / "data.parquet")], SPEC, "y", 8, shuffle_seed=1))

    # The mean of 2,000 numbers is 12,500, with a standard error of 161.
    assert np.mean(list(islice(numbers, 2000))) == pytest.approx(12_500, abs=800)


@pytest.mark.usefixtures("chunks_of_seven")
@pytest.mark.parametrize("spec", [SPEC, SPARSE])
def test_shuffle_each_chunk(pattern: str, spec: dict[str, tf.io.FixedLenFeature]) -> None:
    numbers = list(islice(read(make_dataset([pattern], spec, "y", 8, shuffle_seed=1)), 60))

    for start in (0, 20, 40):
        for first, end in ((0, 7), (7, 14), (14, 20)):
            assert sorted(numbers[start + first : start + end]) == list(range(first, end))
    assert numbers[:7] != sorted(numbers[:7])
    assert numbers[:7] != numbers[20:27]
    assert [number - 7 for number in numbers[7:14]] != numbers[:7]


@pytest.mark.usefixtures("chunks_of_seven")
def test_shuffle_sparse_like_dense(pattern: str) -> None:
    dense, sparse = (
        list(islice(read(make_dataset([pattern], spec, "y", 8, shuffle_seed=1)), 60))
        for spec in (SPEC, SPARSE)
    )

    assert dense == sparse


@pytest.mark.parametrize("n_examples", [6, 7, 8, 1])
@pytest.mark.usefixtures("chunks_of_seven")
def test_shuffle_sizes_around_a_chunk(tmp_path: Path, n_examples: int) -> None:
    write_shard(tmp_path / "data.parquet", range(n_examples))
    numbers = read(make_dataset([str(tmp_path / "data.parquet")], SPEC, "y", 5, shuffle_seed=1))

    for _ in range(4):
        assert sorted(islice(numbers, n_examples)) == list(range(n_examples))


def test_shuffle_reads_single_chunk_once(tmp_path: Path, pattern: str) -> None:
    numbers = read(make_dataset([pattern], SPEC, "y", 8, shuffle_seed=1))
    begun = list(islice(numbers, 1))
    for path in tmp_path.glob("data-*"):
        path.unlink()

    following = list(islice(numbers, 999))

    assert sorted(begun + following) == sorted([*range(20)] * 50)


def test_shuffle_graph_holds_no_examples(tmp_path: Path) -> None:
    write_shard(tmp_path / "data.parquet", range(5000))

    with tf.Graph().as_default() as graph:
        make_dataset([str(tmp_path / "data.parquet")], SPEC, "y", 8, shuffle_seed=1)

    assert graph.as_graph_def().ByteSize() < 20_000  # the examples alone have 60,000


@pytest.mark.parametrize("words_spec", [tf.io.FixedLenFeature([1], tf.string), None])
def test_shuffle_words(tmp_path: Path, words_spec: tf.io.FixedLenFeature | None) -> None:
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


@pytest.mark.parametrize("chunk_bytes", [2**20, 3 * (4 + 8 + 40)])
def test_shuffle_keeps_weights_with_examples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk_bytes: int
) -> None:
    monkeypatch.setattr(shuffle, "_CHUNK_BYTES", chunk_bytes)
    write_shard(tmp_path / "data.parquet", range(20))
    path, weights = str(tmp_path / "data.parquet"), np.arange(10) + 0.5
    dataset = make_dataset(
        [path], SPEC, "y", 8, shuffle_seed=1, class_weights=weights.tolist(), weight="x"
    )

    for features, labels in islice(dataset, 10):
        found = features[EXAMPLE_WEIGHT].numpy().ravel() / weights[labels]  # x itself
        np.testing.assert_array_equal(np.round(found).astype(int) % 10, labels)


def test_shuffle_keeps_labels_with_features(pattern: str) -> None:
    for features, labels in islice(make_dataset([pattern], SPEC, "y", 8, shuffle_seed=1), 10):
        np.testing.assert_array_equal(features["x"].numpy().ravel() % 10, labels)
