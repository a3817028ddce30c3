"""Encodings, quotes and rows that keep a file from being a table."""

import gzip
import re
from pathlib import Path
from typing import Any

import pytest

from tabular.csv.reader import BLOCK_BYTES
from tests.helpers.data_checks import ROWS, check_error, make_csv, replace_rows


def test_nul_byte_is_refused_with_its_line(path: Path) -> None:
    assert check_error(path, replace_rows({7: "1,\0,a"})).startswith(
        "7: column 'y': a NUL byte; expected text in UTF-8: remove it"
    )


def test_nul_byte_beyond_the_first_chunk(path: Path) -> None:
    rows = ["1.5,2,a"] * 200_000  # 1.6 MB, read in chunks of 1 MiB

    assert check_error(path, make_csv(*rows, "1.5,\0,a")).startswith(
        "200002: column 'y': a NUL byte"
    )


def test_bad_bytes_of_several_cells(path: Path) -> None:
    message = check_error(path, replace_rows({3: "1,2,caf\xe9", 9: "\xff,2,a"}).encode("latin1"))

    first, second = message.splitlines()
    assert first.startswith("3: column 'kind': the byte 0xe9 is not UTF-8")
    assert "iconv" in first
    assert second.startswith("9: column 'x': the byte 0xff")


def test_bad_byte_in_the_header(path: Path) -> None:
    content = make_csv(*ROWS, header="x,\xe4,kind").encode("latin1")

    assert re.match("1: column .*: the byte 0xe4 is not UTF-8", check_error(path, content))


def test_bad_byte_far_below_the_header(path: Path) -> None:
    rows = ["1.5,2,a"] * 1000
    content = make_csv(*rows, "1.5,2,caf\xe9", header="x,y,kind").encode("latin1")

    assert check_error(path, content).startswith("1002: column 'kind': the byte 0xe9")


def test_bad_byte_in_a_cell_of_many_lines(path: Path) -> None:
    content = replace_rows({3: '1,2,"one\r\ntwo\ncaf\xe9"'}).encode("latin1")

    assert check_error(path, content).startswith("5: column 'kind': the byte 0xe9")


def test_rows_of_too_many_or_too_few_fields(path: Path) -> None:
    message = check_error(path, replace_rows({4: "1,2,3,a", 8: "1,a"}))

    first, second = message.splitlines()
    assert first.startswith("4: 4 fields in '1,2,3,a'; expected 3")
    assert second.startswith("8: 2 fields in '1,a'; expected 3")


def test_line_numbers_count_line_ends_in_cells(path: Path) -> None:
    note = '"two\nlines"'
    rows = [f"{row},{note}" for row in ROWS[:4]]
    content = make_csv(*rows, "1,2", header="x,y,kind,note")

    assert check_error(path, content).startswith("10: 2 fields in '1,2'; expected 4")


def test_line_numbers_count_blank_lines(path: Path) -> None:
    assert check_error(path, f"\n{make_csv(*ROWS)}\n\n1,a\n").startswith("25: 2 fields")


def test_open_quote(path: Path) -> None:
    message = check_error(path, replace_rows({5: '1,"2,a'}))

    assert message.startswith("5: a quote opens in '1,2,a\\n4.5,4,a\\n")
    assert "never closes" in message
    assert len(message) < 250


def test_open_quote_in_the_last_cell(path: Path) -> None:
    assert check_error(path, make_csv(*ROWS, '1,2,"a')).startswith("22: a quote opens in '1,2,a")


def test_open_quote_in_the_header(path: Path) -> None:
    assert check_error(path, make_csv(*ROWS, header='x,"y,kind')).startswith("1: a quote opens")


def test_refuses_a_row_longer_than_a_block(path: Path) -> None:
    message = check_error(path, make_csv(*ROWS, f"1,2,{'x' * 3 * BLOCK_BYTES}"))

    assert "expected rows of up to 2 MiB" in message


@pytest.mark.parametrize(
    ("content", "dialect", "words"),
    [
        ("Export of May\n" + make_csv(*ROWS), {}, "is it a title? Set data.csv.skip_lines to"),
        (make_csv(*ROWS), {"skip_lines": 2}, "data.csv.skip_lines leaves out the 2 lines above"),
        (make_csv(*ROWS), {"separator": ";"}, "this line holds ',': separate the cells by ';'"),
        (
            make_csv(*ROWS),
            {"rename": {"Kind": "k"}},
            "1: there is no column 'Kind'; expected one of 'x', 'y', 'kind': correct"
            " data.csv.rename; did you mean 'kind'?",
        ),
        (make_csv(*ROWS), {"header": False, "names": ["x"]}, "1: 3 columns, 'x,y,kind'; expected"),
        ("", {"header": False, "names": ["x", "y", "kind"]}, "is empty"),
        (make_csv(*ROWS), {"encoding": "utf-16"}, "is not utf-16, UTF-16 stream"),
        (b"x,y,kind\n1,2,\x81\n", {"encoding": "cp1252"}, "2: column 'kind': the byte 0x81"),
        (gzip.compress(make_csv(*ROWS).encode(), mtime=0)[:-9], {}, "is damaged"),
    ],
)
def test_files_of_another_dialect(
    path: Path, content: str | bytes, dialect: dict[str, Any], words: str
) -> None:
    assert words in check_error(path, content, csv=dialect)


@pytest.mark.parametrize("n_columns", [5_001, 10_000])
def test_too_wide_a_table_is_refused_at_its_header(path: Path, n_columns: int) -> None:
    names = [f"x{index}" for index in range(n_columns)]
    content = make_csv(",".join(["1"] * n_columns), header=",".join(names))

    assert f"{n_columns:,} columns; expected at most 5,000" in check_error(path, content)
