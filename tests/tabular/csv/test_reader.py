"""CSV files as record batches: rows, types, splits."""

import math
from collections import Counter
from fractions import Fraction
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.csv_example_gen.splits import hash_buckets, split_rows
from tabular.csv.reader import BLOCK_BYTES, read_batches, read_header
from tabular.csv.types import ColumnType, can_cast, column_type, widen_types

TRAIN, EVAL = 0, 1


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rows.csv"


def make_batch(*columns: list[str | None]) -> pa.RecordBatch:
    arrays = [pa.array(column, pa.string()) for column in columns]
    return pa.RecordBatch.from_arrays(arrays, [f"c{i}" for i in range(len(columns))])


def read_rows(path: Path) -> list[dict[str, str | None]]:
    return [row for batch in read_batches(path) for row in batch.to_pylist()]


# read_header


@pytest.mark.parametrize(
    ("content", "header"),
    [
        (b"a,b\n1,2\n", ["a", "b"]),
        (b"\xef\xbb\xbfa,b\n1,2\n", ["a", "b"]),
        (b'\xef\xbb\xbf"a","b, c"\n1,2\n', ["a", "b, c"]),
        (b"a, b ,a\r\n", ["a", " b ", "a"]),
        (b"\n\r\na,b\n1,2\n", ["a", "b"]),
        (b"a,b", ["a", "b"]),
        (b",\n", ["", ""]),
        (b"", []),
        (b"\n\n", []),
    ],
)
def test_read_header_gives_the_first_record(path: Path, content: bytes, header: list[str]) -> None:
    path.write_bytes(content)

    assert read_header(path) == header


@pytest.mark.parametrize("content", [b"a,\xe9\n1,2\n", b"a,b\0\n1,2\n"], ids=["UTF-8", "NUL"])
def test_read_header_refuses_what_is_no_text(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    with pytest.raises(pa.ArrowInvalid, match=r"rows\.csv"):
        read_header(path)


# read_batches


def test_read_batches_gives_text_and_null_for_empty_cells(path: Path) -> None:
    path.write_text('a,b,c\n1,x,1.50\n,"",NA\nnull, ,"a ""b"", c"\n')

    assert read_rows(path) == [
        {"a": "1", "b": "x", "c": "1.50"},
        {"a": None, "b": None, "c": "NA"},
        {"a": "null", "b": " ", "c": 'a "b", c'},
    ]


def test_read_batches_gives_string_columns_whatever_the_cells(path: Path) -> None:
    path.write_text("\n\na,b\n1,2.5\n")  # blank lines before the header were taken for it

    (batch,) = read_batches(path)

    assert batch.schema.types == [pa.string(), pa.string()]


def test_read_batches_leaves_the_byte_order_mark_out(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbfa,b\n1,2\n")

    assert read_rows(path) == [{"a": "1", "b": "2"}]


def test_read_batches_keeps_line_ends_inside_quotes_and_leaves_blank_lines_out(path: Path) -> None:
    path.write_bytes(b'a,b\r\n\r\n1,"x\r\ny"\r\n\n\n2,z')

    assert read_rows(path) == [{"a": "1", "b": "x\r\ny"}, {"a": "2", "b": "z"}]


def test_read_batches_reads_a_large_file_in_blocks(path: Path) -> None:
    row = f"1,{'x' * 999}\n"
    count = 2 * BLOCK_BYTES // len(row)
    path.write_text("a,b\n" + row * count)

    sizes = [batch.num_rows for batch in read_batches(path)]

    assert len(sizes) >= 2
    assert sum(sizes) == count
    assert max(sizes) * len(row) <= BLOCK_BYTES + len(row)


def test_read_batches_reads_ahead_a_bounded_number_of_blocks(path: Path) -> None:
    row = f"1,{'x' * 9999}\n"
    path.write_text("a,b\n" + row * (60 * BLOCK_BYTES // len(row)))
    before = pa.total_allocated_bytes()

    peak = max(pa.total_allocated_bytes() - before for _ in read_batches(path))
    path.unlink()  # 240 MB

    assert peak < 45 * BLOCK_BYTES


@pytest.mark.parametrize(
    "rows", [b"1\n", b"1,2,3\n", b"1,\xe9\n", b"1,2\n" * 5000 + b"1,\xe9\n", b"1,\xed\xa0\x80\n"]
)
def test_read_batches_refuses_ragged_rows_and_bad_utf8(path: Path, rows: bytes) -> None:
    path.write_bytes(b"a,b\n1,2\n" + rows)

    with pytest.raises(pa.ArrowInvalid):
        list(read_batches(path))


# Types


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([], ColumnType.UNKNOWN),
        ([None, None], ColumnType.UNKNOWN),
        (["1", "-2", "007"], ColumnType.INT),
        (["1", None], ColumnType.INT),
        (["9223372036854775807"], ColumnType.INT),
        (["9223372036854775808"], ColumnType.FLOAT),
        (["1", "2.5"], ColumnType.FLOAT),
        (["1e3", ".5", "-1."], ColumnType.FLOAT),
        (["nan", "-inf"], ColumnType.FLOAT),
        (["1", "x"], ColumnType.BYTES),
        (["1.5", " 1.5"], ColumnType.BYTES),
        (["+1"], ColumnType.BYTES),
        (["1,5"], ColumnType.BYTES),
        (["True"], ColumnType.BYTES),
        (["2024-01-01"], ColumnType.BYTES),
        (["0x1F"], ColumnType.BYTES),
    ],
)
def test_column_type_is_the_narrowest(cells: list[str | None], expected: ColumnType) -> None:
    assert column_type(pa.array(cells, pa.string())) == expected


@pytest.mark.parametrize("at_least", [ColumnType.INT, ColumnType.FLOAT, ColumnType.BYTES])
def test_column_type_is_not_below_the_given_one(at_least: ColumnType) -> None:
    assert column_type(pa.array(["1"]), at_least) == at_least


@settings(deadline=None)
@given(st.lists(st.from_regex(r"[-+]?[0-9a-fA-FxXn]{1,5}\.?[0-9]{0,2}", fullmatch=True)))
def test_column_type_can_be_cast_to_by_the_executor(cells: list[str]) -> None:
    column = pa.array(cells, pa.string())
    found = column_type(column)

    assert found != ColumnType.INT or can_cast(column, pa.int64())
    assert found not in (ColumnType.INT, ColumnType.FLOAT) or can_cast(column, pa.float32())


def test_infer_types_widens_over_files(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("int,float,bytes,unknown,late\n1,1,1,,\n")
    (tmp_path / "2.csv").write_text("int,float,bytes,unknown,late\n2,2.5,x,,\n")
    (tmp_path / "3.csv").write_text("int,float,bytes,unknown,late\n,3,3,,3\n")

    types: dict[str, ColumnType] = {}
    for i in (1, 2, 3):
        for batch in read_batches(tmp_path / f"{i}.csv"):
            types |= widen_types(types, batch, ".")

    assert types == {
        "int": ColumnType.INT,
        "float": ColumnType.FLOAT,
        "bytes": ColumnType.BYTES,
        "unknown": ColumnType.UNKNOWN,
        "late": ColumnType.INT,
    }


# hash_buckets


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
def test_hash_buckets_are_the_smallest_whole_numbers(
    shares: dict[str, float], buckets: dict[str, int]
) -> None:
    assert hash_buckets(shares) == buckets


@settings(deadline=None)
@given(st.integers(1, 500), st.integers(1, 500), st.sampled_from([1, 0.1, 1e-7, 1e9]))
def test_hash_buckets_keep_the_ratio_in_lowest_terms(first: int, second: int, unit: float) -> None:
    buckets = hash_buckets({"train": first * unit, "eval": second * unit})

    assert Fraction(buckets["train"], buckets["eval"]) == Fraction(first, second)
    assert math.gcd(*buckets.values()) == 1


@settings(deadline=None)
@given(st.floats(min_value=1e-300, max_value=1e300), st.floats(min_value=1e-300, max_value=1e300))
def test_hash_buckets_keep_any_share_to_a_thousandth(first: float, second: float) -> None:
    buckets = hash_buckets({"train": first, "eval": second})

    share = Fraction(first) / (Fraction(first) + Fraction(second))
    assert abs(Fraction(buckets["train"], sum(buckets.values())) - share) <= Fraction(1, 1000)
    assert min(buckets.values()) >= 1


# split_rows


def test_split_rows_is_the_same_for_ever() -> None:
    batch = make_batch(
        ["5.1", "4.9", None, "", "ä", 'a "b", c', "x\ny", "6.0"],
        ["setosa", "setosa", "b", "b", None, "", "z", "virginica"],
    )

    # blake2b("5.1\x1fsetosa", digest_size=8) and so on, each a big-endian number modulo 3, by
    # hashlib alone: 0, 0, 1, 1, 2, 2, 0, 1. Buckets 0 and 1 are train, 2 is eval.
    assert split_rows(batch, [2, 1]) == [0, 0, 0, 0, 1, 1, 0, 0]


def test_split_rows_takes_null_for_the_empty_text() -> None:
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
def test_split_rows_puts_equal_rows_into_the_same_split(
    rows: list[tuple[str, str | None]], data: st.DataObject
) -> None:
    doubled = data.draw(st.permutations(rows + rows))
    splits = split_rows(make_batch(*map(list, zip(*doubled, strict=True))), [3, 2, 1])

    splits_of_row: dict[tuple[str, str | None], set[int]] = {}
    for row, split in zip(doubled, splits, strict=True):
        splits_of_row.setdefault((row[0], row[1] or ""), set()).add(split)
    assert all(len(found) == 1 for found in splits_of_row.values())


def test_split_rows_does_not_depend_on_the_batch() -> None:
    batch = make_batch([str(i) for i in range(100)], [str(i % 7) for i in range(100)])

    parts = [split_rows(batch.slice(begin, 30), [2, 1]) for begin in range(0, 100, 30)]

    assert list(chain.from_iterable(parts)) == split_rows(batch, [2, 1])


@pytest.mark.parametrize("by", [None, "c1"])
def test_split_rows_of_no_rows_is_empty(by: str | None) -> None:
    assert split_rows(make_batch([], []), [2, 1], by) == []


def test_split_rows_by_a_column_is_the_same_for_ever() -> None:
    batch = make_batch(["1", "2", "3", "4", "5", "6"], ["a", "b", None, "c", "a", ""])

    # blake2b("a", digest_size=8) and so on, each a big-endian number modulo 6, by hashlib alone:
    # 5, 5, 0, 3, 5, 0. Buckets 0 to 2 are the first split, 3 and 4 the second, 5 the third.
    assert split_rows(batch, [3, 2, 1], "c1") == [2, 2, 0, 1, 2, 0]


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(), st.none() | st.text(max_size=2)), min_size=1))
def test_split_rows_by_a_column_never_parts_equal_cells(rows: list[tuple[str, str | None]]) -> None:
    batch = make_batch(*map(list, zip(*rows, strict=True)))

    splits = split_rows(batch, [3, 2, 1], "c1")

    splits_of_key: dict[str, set[int]] = {}
    for (_, key), split in zip(rows, splits, strict=True):
        splits_of_key.setdefault(key or "", set()).add(split)
    assert all(len(found) == 1 for found in splits_of_key.values())


def test_split_rows_by_a_column_does_not_depend_on_the_batch() -> None:
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
