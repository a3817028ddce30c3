"""The table is found below titles and comments, and what is above it becomes a setting."""

from pathlib import Path

import pytest

from pipeline.init.find_table import Table, find_table

ROWS = "".join(f"{i}.5,{i},{'uv'[i % 2]}\n" for i in range(20))
TABLE = "a,b,y\n" + ROWS


def find(tmp_path: Path, text: str, label: str = "y") -> Table:
    path = tmp_path / "data.csv"
    path.write_text(text, newline="")
    return find_table(path, "utf-8", label)


@pytest.mark.parametrize(
    ("text", "skip_lines", "comment"),
    [
        (TABLE, 0, None),
        ("\n\n" + TABLE, 0, None),
        ("# exported by a tool\n" + TABLE, 0, "#"),
        ("% one\n% two, three\n\n" + TABLE, 0, "%"),
        ("# with, two, commas\n" + TABLE, 0, "#"),
        ("# one\n" + TABLE + "# two\n", 0, "#"),
        ("Export of May\n" + TABLE, 1, None),
        ("Export of May\n\nby me, and you\n\n" + TABLE, 3, None),
        ("Export,,\n,,\n" + TABLE, 2, None),
        ("\nExport of May\r\n\r\n" + TABLE.replace("\n", "\r\n"), 2, None),
        ("## VCF\n#a,b,y\n" + ROWS, 1, None),
        ("# one\n" + TABLE + "#1,2,u\n", 1, None),
        ("Export of May\n" + ROWS, 1, None),
    ],
)
def test_find_table_below_other_lines(
    tmp_path: Path, text: str, skip_lines: int, comment: str | None
) -> None:
    table = find(tmp_path, text)

    assert (table.separator, table.skip_lines, table.comment) == (",", skip_lines, comment)
    assert all(len(cells) == 3 for cells in table.records)


@pytest.mark.parametrize("text", ["#id,b,y\n" + ROWS, ",b,y\n" + ROWS, "y\n" * 30, "a,y\n,u\n,v\n"])
def test_header_is_not_taken_for_a_title(tmp_path: Path, text: str) -> None:
    table = find(tmp_path, text)

    assert (table.skip_lines, table.comment) == (0, None)
    assert table.records[0] == text.splitlines()[0].split(",")


@pytest.mark.parametrize("header", ["b,y", "a,b,c,y"])
def test_header_of_another_width_is_not_taken_for_a_title(tmp_path: Path, header: str) -> None:
    table = find(tmp_path, f"{header}\n{ROWS}")

    assert table.skip_lines == 0
    assert table.records[0] == header.split(",")


@pytest.mark.parametrize("mark", [";", "\t", "|", ":", "^"])
def test_separator_line_names_the_separator(tmp_path: Path, mark: str) -> None:
    table = find(tmp_path, f"sep={mark}\n" + TABLE.replace(",", mark).replace(".", ","))

    assert table.separator == mark
    assert table.skip_lines == 0
    assert table.records[0] == ["a", "b", "y"]


def test_tabs_separate_cells_with_commas(tmp_path: Path) -> None:
    table = find(tmp_path, "a\tb\ty\n" + "1,5\tone, two\tu\n" * 9)

    assert table.separator == "\t"
