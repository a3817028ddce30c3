"""Hash buckets, and the splits of rows."""

import math
from collections import Counter
from fractions import Fraction
from itertools import chain

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.csv_example_gen.splits import hash_buckets, split_rows

TRAIN, EVAL = 0, 1


def make_batch(*columns: list[str | None]) -> pa.RecordBatch:
    arrays = [pa.array(column, pa.string()) for column in columns]
    return pa.RecordBatch.from_arrays(arrays, [f"c{i}" for i in range(len(columns))])


@pytest.mark.parametrize(
    ("shares", "buckets"),
    [
        ({"train": 2, "eval": 1}, {"train": 2, "eval": 1}),
        ({"train": 0.8, "eval": 0.2}, {"train": 4, "eval": 1}),
        ({"train": 80, "eval": 20}, {"train": 4, "eval": 1}),
        ({"train": 0.7, "eval": 0.2}, {"train": 7, "eval": 2}),
        ({"train": 1 / 3, "eval": 2 / 3}, {"train": 1, "eval": 2}),
        ({"train": 0.5, "eval": 0.5}, {"train": 1, "eval": 1}),
        ({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 2, "c": 3}),
        ({"train": 999, "eval": 1}, {"train": 999, "eval": 1}),
        ({"train": 1e6, "eval": 1}, {"train": 1000, "eval": 1}),
        ({"train": 1e-9, "eval": 5}, {"train": 1, "eval": 1000}),
    ],
)
def test_hash_buckets_are_the_smallest_numbers(
    shares: dict[str, float], buckets: dict[str, int]
) -> None:
    assert hash_buckets(shares) == buckets


@settings(deadline=None)
@given(st.integers(1, 500), st.integers(1, 500), st.sampled_from([1, 0.1, 1e-7, 1e9]))
def test_hash_buckets_keep_the_ratio(first: int, second: int, unit: float) -> None:
    buckets = hash_buckets({"train": first * unit, "eval": second * unit})

    assert Fraction(buckets["train"], buckets["eval"]) == Fraction(first, second)
    assert math.gcd(*buckets.values()) == 1


@settings(deadline=None)
@given(st.floats(min_value=1e-300, max_value=1e300), st.floats(min_value=1e-300, max_value=1e300))
def test_hash_buckets_are_exact_to_a_thousandth(first: float, second: float) -> None:
    buckets = hash_buckets({"train": first, "eval": second})

    share = Fraction(first) / (Fraction(first) + Fraction(second))
    assert abs(Fraction(buckets["train"], sum(buckets.values())) - share) <= Fraction(1, 1000)
    assert min(buckets.values()) >= 1


def test_split_rows_is_the_same_for_ever() -> None:
    batch = make_batch(
        ["5.1", "4.9", None, "", "ä", 'a "b", c', "x\ny", "6.0"],
        ["setosa", "setosa", "b", "b", None, "", "z", "virginica"],
    )

    # blake2b("5.1\x1fsetosa", digest_size=8) and so on, each a big-endian number modulo 3, by
    # hashlib alone: 0, 0, 1, 1, 2, 2, 0, 1. Buckets 0 and 1 are train, 2 is eval.
    assert split_rows(batch, [2, 1]) == [0, 0, 0, 0, 1, 1, 0, 0]


def test_split_rows_hashes_null_as_the_empty_text() -> None:
    batch = make_batch([None, ""] * 20, [str(i // 2) for i in range(40)])

    splits = split_rows(batch, [1, 1])

    assert splits[::2] == splits[1::2]


def test_split_rows_tells_cells_apart() -> None:
    rows = [(f"{i}1", "2") for i in range(200)]
    shifted = [(f"{i}", "12") for i in range(200)]

    first = split_rows(make_batch(*map(list, zip(*rows, strict=True))), [1, 1])
    second = split_rows(make_batch(*map(list, zip(*shifted, strict=True))), [1, 1])

    assert first != second


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(), st.none() | st.text()), min_size=1), st.data())
def test_split_rows_keeps_equal_rows_together(
    rows: list[tuple[str, str | None]], data: st.DataObject
) -> None:
    doubled = data.draw(st.permutations(rows + rows))
    splits = split_rows(make_batch(*map(list, zip(*doubled, strict=True))), [3, 2, 1])

    splits_of_row: dict[tuple[str, str | None], set[int]] = {}
    for row, split in zip(doubled, splits, strict=True):
        splits_of_row.setdefault((row[0], row[1] or ""), set()).add(split)
    assert all(len(found) == 1 for found in splits_of_row.values())


def test_split_rows_is_independent_of_batches() -> None:
    batch = make_batch([str(i) for i in range(100)], [str(i % 7) for i in range(100)])

    parts = [split_rows(batch.slice(begin, 30), [2, 1]) for begin in range(0, 100, 30)]

    assert list(chain.from_iterable(parts)) == split_rows(batch, [2, 1])


@pytest.mark.parametrize("by", [None, "c1"])
def test_split_rows_of_no_rows_is_empty(by: str | None) -> None:
    assert split_rows(make_batch([], []), [2, 1], by) == []


def test_split_by_a_column_is_the_same_for_ever() -> None:
    batch = make_batch(["1", "2", "3", "4", "5", "6"], ["a", "b", None, "c", "a", ""])

    # blake2b("a", digest_size=8) and so on, each a big-endian number modulo 6, by hashlib alone:
    # 5, 5, 0, 3, 5, 0. Buckets 0 to 2 are the first split, 3 and 4 the second, 5 the third.
    assert split_rows(batch, [3, 2, 1], "c1") == [2, 2, 0, 1, 2, 0]


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(), st.none() | st.text(max_size=2)), min_size=1))
def test_split_by_a_column_keeps_equal_cells_together(rows: list[tuple[str, str | None]]) -> None:
    batch = make_batch(*map(list, zip(*rows, strict=True)))

    splits = split_rows(batch, [3, 2, 1], "c1")

    splits_of_key: dict[str, set[int]] = {}
    for (_, key), split in zip(rows, splits, strict=True):
        splits_of_key.setdefault(key or "", set()).add(split)
    assert all(len(found) == 1 for found in splits_of_key.values())


def test_split_by_a_column_is_independent_of_batches() -> None:
    keys = [None if i % 10 == 0 else str(i % 10) for i in range(100)]
    batch = make_batch([str(i) for i in range(100)], keys)

    parts = [split_rows(batch.slice(begin, 30), [2, 1], "c1") for begin in range(0, 100, 30)]

    assert list(chain.from_iterable(parts)) == split_rows(batch, [2, 1], "c1")
    assert len(set(split_rows(batch, [2, 1], "c1"))) == 2


@pytest.mark.parametrize(("buckets", "share"), [([2, 1], 1 / 3), ([4, 1], 0.2), ([1, 1], 0.5)])
def test_split_rows_keeps_the_shares(buckets: list[int], share: float) -> None:
    count = 10_000
    splits = split_rows(make_batch([str(i) for i in range(count)], ["a", "b"] * 5000), buckets)

    deviation = math.sqrt(share * (1 - share) / count)
    assert set(splits) == {TRAIN, EVAL}
    assert Counter(splits)[EVAL] / count == pytest.approx(share, abs=4 * deviation)
