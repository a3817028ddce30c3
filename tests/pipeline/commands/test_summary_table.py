"""The table of columns in terminals of any width and encoding."""

import io
from collections.abc import Sequence

import pytest
from rich.cells import cell_len
from rich.console import Console

from pipeline.commands.summary_table import MAX_LINES, print_summary
from pipeline.data.findings import ColumnSummary, DataSummary, Finding

LONG = ColumnSummary(
    "A name that goes on and on and on and on", "numbers", "numbers", "", "numeric"
)
WORDS = ("red", "green", "blue", "yellow", "orange", "purple", "magenta", "turquoise")
COLORS = ColumnSummary("color", "words", "12 words", "30 %", "categorical", commonest=WORDS)
WIDE = ColumnSummary(
    "価格の列の名前がとても長い場合はどうなりますか", "words", "2 words", "", "text"
)
SAME = (Finding("every cell is empty"),)
DAY = ColumnSummary("day", "dates", "dates", "5", "datetime", (Finding("day or month", look=True),))


def printed(
    columns: Sequence[ColumnSummary],
    width: int = 80,
    encoding: str = "utf-8",
    findings: Sequence[Finding] = (),
) -> list[str]:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(file=stream, width=width, force_terminal=True, color_system=None)
    print_summary(console, DataSummary(tuple(columns), tuple(findings)))
    stream.seek(0)
    return [line.rstrip() for line in stream.read().splitlines()]


@pytest.mark.parametrize("width", [60, 80, 120, 200])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_table_fits_terminal(width: int, encoding: str) -> None:
    lines = printed([LONG, COLORS, WIDE, DAY], width, encoding)
    assert len(lines) == len(["header", LONG, COLORS, WIDE, DAY, "", "day: day or month"])
    assert max(map(cell_len, lines)) <= width
    starts = {
        cell_len(line[: line.index(kind)])
        for line, kind in zip(lines[1:4], ["numeric", "categorical", "text"], strict=True)
    }
    assert len(starts) == 1


def test_table_cuts_names_and_words_and_no_missing_values() -> None:
    _, long, colors, *_ = printed([LONG, COLORS])
    assert "A name that goes on and on an..." in long
    assert "12 words: red, gree..." in colors
    assert colors.split()[-3:] == ["30", "%", "categorical"]


def test_table_shows_all_in_wide_terminal() -> None:
    _, long, colors, *_ = printed([LONG, COLORS], 200)
    assert LONG.name in long
    assert ", ".join(WORDS) in colors


def test_table_escapes_what_a_terminal_would_obey() -> None:
    name = "\x1b[31mred\n"
    lines = printed([ColumnSummary(name, "words", "2 words", "", "ignore", SAME)], encoding="ascii")
    assert lines[1].split()[0] == r"\x1b[31mred\n"
    assert lines[3] == r"  \x1b[31mred\n: left out: every cell is empty"


def test_sentences_are_indented_in_a_terminal() -> None:
    finding = Finding("a long sentence that goes on for more than a line of this terminal")
    column = ColumnSummary("x", "numbers", "numbers", "", "numeric", (finding,))
    assert printed([column], 40)[3:] == [
        "  x: a long sentence that goes on for",
        "  more than a line of this terminal",
    ]


def test_table_marks_what_needs_a_look_and_tells_it_first() -> None:
    empty = ColumnSummary("none", "empty", "empty", "", "ignore", SAME)
    lines = printed([empty, DAY], findings=[Finding("a file"), Finding("odd", look=True)])
    assert [line[0] for line in lines[1:3]] == [" ", "!"]
    assert lines[4:] == [
        "! day: day or month",
        "  none: left out: every cell is empty",
        "  a file",
        "! odd",
    ]


def test_table_has_a_line_for_many_columns_that_are_alike() -> None:
    many = [
        ColumnSummary(f"x{n}", "numbers", f"numbers, 0 to {n}", "", "numeric")
        for n in range(MAX_LINES)
    ]
    empty = [ColumnSummary(f"e{n}", "empty", "empty", "", "ignore", SAME) for n in range(9)]

    lines = printed([*many, *empty, DAY])

    assert [line.split()[:3] for line in lines[1:4]] == [
        ["!", "day", "dates"],
        [f"{MAX_LINES}:", "x0,", "x1,"],
        ["9:", "e0,", "e1,"],
    ]
    assert lines[-1] == "  e0, e1, e2, e3, e4 and 4 more: left out: every cell is empty"


def test_table_of_few_columns_keeps_their_order() -> None:
    assert [line.split()[1] for line in printed([DAY, DAY, DAY])[1:4]] == ["day"] * 3
