"""Records by the csv module are the same as Arrow's, each with its lines."""

import csv
import io
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabular.csv.dialect import Dialect
from tabular.csv.reader import read_batches
from tabular.csv.records import Record, read_records, select_records

CELL = st.text(st.sampled_from('a1 ,"\r\n\t\x0b\x1e\x85\u2028é;'), max_size=6)


@st.composite
def csv_texts(draw: st.DrawFn) -> str:
    """Draws CSV of two or three columns, with any line ends, quotes and blank lines."""
    width = draw(st.integers(2, 3))
    rows = draw(st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1, max_size=8))
    line_end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    lines = [",".join(f"c{i}" for i in range(width))]
    for row in rows:
        lines += [""] * draw(st.integers(0, 2))
        lines.append(",".join(draw(cells(text)) for text in row))
    return line_end.join(lines) + draw(st.sampled_from(["", line_end]))


def cells(text: str) -> st.SearchStrategy[str]:
    """Draws a way to write a cell: in quotes if needed, or with a quote inside or after it."""
    quoted = '"' + text.replace('"', '""') + '"'
    if re.search('[,"\r\n]', text):
        return st.just(quoted)
    return st.sampled_from([quoted, text, quoted + "z", f"z{text}"] + [f'{text}"'] * bool(text))


@settings(deadline=None)
@given(csv_texts())
def test_read_records_gives_the_rows_of_arrow(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.mktemp("rows") / "rows.csv"
    path.write_bytes(text.encode())

    rows = [list(row.values()) for batch in read_batches(path) for row in batch.to_pylist()]
    records = list(read_records(path, Dialect()))

    assert [[cell or None for cell in record.cells] for record in records[1:]] == rows
    assert all(record.is_closed for record in records)


@settings(deadline=None)
@given(csv_texts())
def test_read_records_gives_the_lines_of_a_record(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.mktemp("rows") / "rows.csv"
    path.write_bytes(text.encode())
    lines = io.StringIO(text, newline="").readlines()

    for record in read_records(path, Dialect()):
        part = "".join(lines[record.line - 1 : record.last_line])
        assert list(csv.reader(io.StringIO(part, newline=""))) == [record.cells]


@pytest.mark.parametrize("end", ["", "\n", "\nmore,rows\n"])
def test_read_records_marks_an_open_quote(tmp_path: Path, end: str) -> None:
    (tmp_path / "rows.csv").write_text(f'a,b\n1,2\n\n3,"4{end}')

    *closed, last = read_records(tmp_path / "rows.csv", Dialect())

    assert [record.is_closed for record in closed] == [True, True]
    assert (last.line, last.cells, last.is_closed) == (4, ["3", f"4{end}"], False)


def test_read_records_restores_the_limit_of_csv(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n")
    limit = csv.field_size_limit()

    list(read_records(tmp_path / "rows.csv", Dialect()))

    assert csv.field_size_limit() == limit


def test_read_records_keeps_bad_bytes(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(b"a\n\xe9\n")

    assert list(read_records(tmp_path / "rows.csv", Dialect()))[1] == Record(
        2, 2, ["\udce9"], "\udce9"
    )


def test_read_records_drops_the_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(b'\xef\xbb\xbf"a,1",b\n')

    assert list(read_records(tmp_path / "rows.csv", Dialect())) == [
        Record(1, 1, ["a,1", "b"], '"a,1",b')
    ]


def test_select_records_counts_rows_from_0(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text('\na,b\n\n1,"2\n2"\n3,4\n\n5,6\n7,8\n')

    records = select_records(str(tmp_path / "rows.csv"), Dialect(), {0, 1, 2})

    assert [(row, record.line) for row, record in records] == [(0, 4), (1, 6), (2, 8)]
