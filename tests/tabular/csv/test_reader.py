"""CSV files as record batches of text."""

from pathlib import Path

import pyarrow as pa
import pytest

from tabular.csv.reader import BLOCK_BYTES, read_batches, read_header


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rows.csv"


def read_rows(path: Path) -> list[dict[str, str | None]]:
    return [row for batch in read_batches(path) for row in batch.to_pylist()]


@pytest.mark.parametrize(
    ("content", "header"),
    [
        (b"a,b\n1,2\n", ["a", "b"]),
        (b"\xef\xbb\xbfa,b\n1,2\n", ["a", "b"]),
        (b'\xef\xbb\xbf"a","b, c"\n1,2\n', ["a", "b, c"]),
        (b"a, b ,a\r\n", ["a", "b", "a"]),
        (b"\n\r\na,b\n1,2\n", ["a", "b"]),
        (b"a,b", ["a", "b"]),
        (b", \n", ["Unnamed: 0", "Unnamed: 1"]),
        (b",Unnamed: 0\n", ["Unnamed: 0_", "Unnamed: 0"]),
        (b"", []),
        (b"\n\n", []),
    ],
)
def test_read_header_gives_the_first_record(path: Path, content: bytes, header: list[str]) -> None:
    path.write_bytes(content)

    assert read_header(path) == header


@pytest.mark.parametrize("content", [b"a,\xe9\n1,2\n", b"a,b\0\n1,2\n"], ids=["UTF-8", "NUL"])
def test_read_header_refuses_what_is_not_text(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    with pytest.raises(pa.ArrowInvalid, match=r"rows\.csv"):
        read_header(path)


def test_read_batches_gives_null_for_empty_cells(path: Path) -> None:
    path.write_text('a,b,c\n1,x,1.50\n,"",NA\nnull, ,"a ""b"", c"\n')

    assert read_rows(path) == [
        {"a": "1", "b": "x", "c": "1.50"},
        {"a": None, "b": None, "c": "NA"},
        {"a": "null", "b": " ", "c": 'a "b", c'},
    ]


def test_read_batches_gives_string_columns(path: Path) -> None:
    path.write_text("\n\na,b\n1,2.5\n")  # blank lines are not the header

    (batch,) = read_batches(path)

    assert batch.schema.types == [pa.string(), pa.string()]


def test_read_batches_drops_the_byte_order_mark(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbfa,b\n1,2\n")

    assert read_rows(path) == [{"a": "1", "b": "2"}]


def test_read_batches_drops_blank_lines_outside_quotes(path: Path) -> None:
    path.write_bytes(b'a,b\r\n\r\n1,"x\r\ny"\r\n\n\n2,z')

    assert read_rows(path) == [{"a": "1", "b": "x\r\ny"}, {"a": "2", "b": "z"}]


def test_read_batches_reads_blocks(path: Path) -> None:
    row = f"1,{'x' * 999}\n"
    count = 2 * BLOCK_BYTES // len(row)
    path.write_text("a,b\n" + row * count)

    sizes = [batch.num_rows for batch in read_batches(path)]

    assert len(sizes) >= 2
    assert sum(sizes) == count
    assert max(sizes) * len(row) <= BLOCK_BYTES + len(row)


def test_read_batches_bounds_the_blocks_ahead(path: Path) -> None:
    row = f"1,{'x' * 9999}\n"
    path.write_text("a,b\n" + row * (60 * BLOCK_BYTES // len(row)))
    before = pa.total_allocated_bytes()

    peak = max(pa.total_allocated_bytes() - before for _ in read_batches(path))
    path.unlink()  # 240 MB

    assert peak < 45 * BLOCK_BYTES


@pytest.mark.parametrize(
    "rows", [b"1\n", b"1,2,3\n", b"1,\xe9\n", b"1,2\n" * 5000 + b"1,\xe9\n", b"1,\xed\xa0\x80\n"]
)
def test_read_batches_refuses_ragged_rows_and_bytes(path: Path, rows: bytes) -> None:
    path.write_bytes(b"a,b\n1,2\n" + rows)

    with pytest.raises(pa.ArrowInvalid):
        list(read_batches(path))
