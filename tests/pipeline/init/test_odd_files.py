"""Files with something around their table, or of another format: `init` and the checks agree."""

import gzip
from pathlib import Path

import pytest

from pipeline.data.check import check_data
from pipeline.settings.load import load_config
from tests.helpers.made_tables import init

ROWS = [f"{i % 7}.5,{['red', 'blue'][i % 2]},{'uv'[i % 3 == 0]}" for i in range(40)]
TABLE = "".join(f"{line}\n" for line in ["a,b,y", *ROWS])
TABS = TABLE.replace(",", "\t").replace("red", "one, two")


@pytest.mark.parametrize(
    "content",
    [
        ("sep=;\n" + TABLE.replace(",", ";")).encode(),
        ("sep=;\r\n" + TABLE.replace(",", ";")).encode("utf-8-sig"),
        ('"sep=\t"\n' + TABS).encode("utf-16"),
        ("# exported by a tool\n#\n" + TABLE).encode(),
        ("Export of May 2024\n\nby me, and you\n" + TABLE).encode(),
        ("Export of May 2024,,\n,,\n" + TABLE).encode(),
        ("\n\n" + TABLE).encode(),
        (TABLE + "\x1a").encode(),
        (TABLE.rstrip() + "\x1a\r\n").encode(),
        TABLE.replace("\n", "\r").encode(),
        TABS.encode(),
        ('"a","b","y"\n' + "\n".join(ROWS)).encode(),
        gzip.compress(("Export\n" + TABLE).encode(), mtime=0),
        TABLE.encode("utf-16"),
        TABLE.encode("utf-16-le"),
        TABLE.encode("utf-16-be"),
    ],
)
def test_init_and_checks_read_the_same_table(tmp_path: Path, content: bytes) -> None:
    code, output = init(tmp_path, content, "y")
    assert code == 0
    config = load_config(output)
    checked = check_data(config)

    assert list(config.features) == ["a", "b"]
    assert sum(checked.rows.values()) == len(ROWS)
    assert checked.classes == ("u", "v")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (TABLE.replace("blue", "\0").encode(), ": is a binary file; expected a CSV file"),
        (TABLE.replace(",red", "").encode(), ":2: 2 fields in '0.5,v'; expected 3, as in"),
        (b"PK\x03\x04" + b"\0" * 26 + b"xl/workbook.xml", ": is an Excel workbook; expected"),
    ],
)
def test_init_names_the_line_and_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, words: str
) -> None:
    code, output = init(tmp_path, content, "y")

    assert code == 2
    assert f"{tmp_path / 'data.csv'}{words}" in capsys.readouterr().err
    assert not output.exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (TABLE.replace("3.5,blue", "3.5,\0", 1), ":5: column 'b': a NUL byte; expected text in"),
        (TABLE + "Total: 40 rows\n", ":42: 1 fields in 'Total: 40 rows'; expected 3, as in"),
    ],
)
def test_init_puts_a_broken_row_aside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, said: str
) -> None:
    code, output = init(tmp_path, content, "y")
    assert code == 0
    checked = check_data(load_config(output))

    assert checked.quarantined == 1
    assert sum(checked.rows.values()) == content.count("\n") - 2
    shown = capsys.readouterr().out
    assert f"{tmp_path / 'data.csv'}{said}" in shown
    assert "its row goes to quarantine" in shown


def test_lines_of_odd_cells_count_broken_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = TABLE.splitlines()
    lines[3], lines[9] = "broken", lines[9].replace(".5", "x")

    assert init(tmp_path, "\n".join(lines), "y")[0] == 0
    assert "in line 10 is not a number" in capsys.readouterr().out
