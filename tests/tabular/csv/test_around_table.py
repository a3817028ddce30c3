"""Title lines, `sep=;` and Ctrl-Z are left out, by both ways of reading a file alike."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabular.csv.around_table import split_lines
from tabular.csv.decoding import read_chunks, read_lines
from tabular.csv.dialect import Dialect
from tabular.csv.reader import read_batches
from tabular.csv.records import read_records

TABLE = "a;b\n1;2\n3;4\n"
ROWS = [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]


@pytest.mark.parametrize(
    ("text", "skip_lines", "first_line"),
    [
        ("sep=;\n" + TABLE, 0, 2),
        ("\ufeffsep=;\r\n" + TABLE.replace("\n", "\r\n"), 0, 2),
        ('"sep=;"\n' + TABLE, 0, 2),
        ("SEP=;\r" + TABLE.replace("\n", "\r"), 0, 2),
        ("sep=;\n\n" + TABLE, 0, 3),
        ("sep=;\nExport of May\n" + TABLE, 2, 3),
        ("Export of May\n\nby me; and you\n" + TABLE, 3, 4),
        ("\n\n" + TABLE, 0, 3),
        ("\n\n" + TABLE, 1, 3),
        (TABLE + "\x1a", 0, 1),
        (TABLE.rstrip() + "\x1a", 0, 1),
        (TABLE + "\x1a\r\n", 0, 1),
        (TABLE.rstrip() + "\x1a\x1a\n\n", 0, 1),
    ],
)
@pytest.mark.parametrize("comment", [None, "#"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_only_the_table_is_read(
    tmp_path: Path, text: str, skip_lines: int, first_line: int, comment: str | None, encoding: str
) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(text.encode(encoding))
    dialect = Dialect(";", skip_lines=skip_lines, comment=comment, encoding=encoding)

    assert [row for batch in read_batches(path, dialect) for row in batch.to_pylist()] == ROWS
    assert [record.line for record in read_records(path, dialect)] == [
        first_line,
        first_line + 1,
        first_line + 2,
    ]


@pytest.mark.parametrize(
    "text",
    ["sep=,\n" + TABLE, "sep=\n" + TABLE, "a sep=;\n" + TABLE, "a;b\nsep=;\n", "a;b\n1\x1a;2\n\n"],
)
def test_other_lines_and_marks_stay(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(text)

    assert "".join(read_lines(path, Dialect(";"))) == text


def test_lines_to_skip_may_be_longer_than_a_chunk(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("x" * 3_000_000 + "\ny\n" + TABLE)

    rows = [
        row for batch in read_batches(path, Dialect(";", skip_lines=2)) for row in batch.to_pylist()
    ]

    assert rows == ROWS


def test_more_lines_to_skip_than_there_are(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a\nb")

    assert list(read_lines(path, Dialect(skip_lines=5))) == ["\n"]


@settings(deadline=None)
@given(st.text(st.sampled_from("a#;\r\n\x1a\0"), max_size=30), st.integers(0, 3))
def test_lines_and_chunks_are_the_same_text(
    tmp_path_factory: pytest.TempPathFactory, text: str, skip_lines: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "text.csv"
    path.write_bytes(text.encode())
    dialect = Dialect(";", skip_lines=skip_lines)

    assert "".join(read_lines(path, dialect)) == "".join(read_chunks(path, dialect))


@given(st.lists(st.text(st.sampled_from("ab\r\n\u2028"), max_size=4)))
def test_split_lines_is_the_same_for_any_chunks(chunks: list[str]) -> None:
    assert list(split_lines(iter(chunks))) == list(split_lines(iter(["".join(chunks)])))
