"""Cells that are not numbers, and how `check_data` lists wrong cells."""

import re
from pathlib import Path

import pytest

from pipeline.data.check import check_data
from tests.helpers.data_checks import (
    ROWS,
    check_error,
    check_error_at,
    make_config,
    make_csv,
    replace_rows,
)


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("five", "'five' is not a number; expected one such as 5.1"),
        (" 5", "' 5' is not a number"),
        ("+-5", "'+-5' is not a number"),
        ("(5)", "'(5)' is not a number"),
        ("5 cm", "'5 cm' is not a number"),
        ("1_000", "'1_000' is not a number"),
        ("0x1F", "'0x1F' is not a number"),
        ('"1,5"', "'1,5' is not a number"),
        ('"5\n"', "'5\\n' is not a number"),
        ("", "the cell is empty; expected a number"),
        ('""', "the cell is empty; expected a number"),
        ("nan", "'nan' is not finite; expected a number"),
        ("NaN", "'NaN' is not finite"),
        ("inf", "'inf' is not finite"),
        ("-Infinity", "'-Infinity' is not finite"),
        ("1e999", "'1e999' is infinite in float32; expected a number up to 3.4e38"),
        ("-3.5e38", "'-3.5e38' is infinite in float32"),
    ],
)
@pytest.mark.parametrize("beside", ["5", "word"], ids=["among numbers", "among words"])
def test_refuses_a_cell_that_is_not_a_number(
    path: Path, cell: str, words: str, beside: str
) -> None:
    message = check_error(path, replace_rows({6: f"1,{cell},a", 20: f"1,{beside},a"}))

    assert message.splitlines()[0].startswith(f"6: y: {words}")


@pytest.mark.parametrize(
    "cell", ["5", "-5.", ".5", "1e-3", "1E+5", "3.4e38", "1e-60", "007", "+5", "+.5", "\u22125"]
)
def test_accepts_a_number(path: Path, cell: str) -> None:
    path.write_text(replace_rows({6: f"1,{cell},a"}))

    assert sum(check_data(make_config(path)).rows.values()) == 20


def test_wrong_cells_are_ordered_and_counted(path: Path) -> None:
    message = check_error(path, replace_rows({4: "1,?,a", 5: "?,?,a", 7: "?,1,", 9: "?,?,a"}))

    places = [re.match(r"\d+: \w+", line) for line in message.splitlines()[:5]]
    assert [place[0] for place in places if place] == ["4: y", "5: x", "5: y", "7: kind", "7: x"]
    assert message.splitlines()[5:] == ["and 2 more"]


def test_wrong_cells_in_every_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(replace_rows({3: "1,?,a"}))
    (tmp_path / "b.csv").write_text(replace_rows({8: "1,?,a"}))

    first, second = check_error_at(tmp_path).splitlines()

    assert first.startswith(f"{tmp_path / 'a.csv'}:3: y: ")
    assert second.startswith(f"{tmp_path / 'b.csv'}:8: y: ")


def test_wrong_cells_are_counted_over_files(tmp_path: Path) -> None:
    for name, count in (("a.csv", 3), ("b.csv", 6), ("c.csv", 6)):
        (tmp_path / name).write_text(make_csv(*ROWS, *["1,?,a"] * count))

    *_, fifth, rest = check_error_at(tmp_path).splitlines()

    assert fifth.startswith(f"{tmp_path / 'b.csv'}:23: y: ")
    assert rest == "and 10 more"


def test_wrong_cells_in_every_block(path: Path) -> None:
    wrong = ["1,?,a,x"] * 3
    rows = [f"1,2,{'ab'[i % 2]},{'x' * 2000}" for i in range(5000)]  # 10 MB, blocks of 2 MiB
    content = make_csv(*wrong, *rows, *wrong, header="x,y,kind,note")

    *places, rest = check_error(path, content).splitlines()

    assert [place.split(":")[0] for place in places] == ["2", "3", "4", "5005", "5006"]
    assert rest == "and 1 more"


def test_wrong_cell_after_cells_of_many_lines(path: Path) -> None:
    rows = [f'{row},"one\r\ntwo"' for row in ROWS[:3]]
    content = make_csv(*rows, "1,?,a,x", header="x,y,kind,note")

    assert check_error(path, content).startswith("8: y: '?'")


def test_line_end_in_a_cell_hints_at_a_quote(path: Path) -> None:
    message = check_error(path, replace_rows({5: '1,"2,a', 8: '1,"2,a'}))

    assert message.startswith("5: y: '2,a\\n")
    assert "is a quote left open before it?" in message


def test_shortens_a_long_cell(path: Path) -> None:
    message = check_error(path, replace_rows({5: f"1,{'x' * 500_000},a"}))

    assert f"'{'x' * 60}...' is not a number" in message


def test_shows_five_places_and_counts_the_rest(path: Path) -> None:
    lines = check_error(path, make_csv(*ROWS, *["1,a"] * 12)).splitlines()

    assert len(lines) == 6
    assert lines[4].startswith("26: ")
    assert lines[5] == "and 7 more"
