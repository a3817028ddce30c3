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
        gzip.compress(("Export\n" + TABLE).encode()),
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
        (TABLE.replace("3.5,blue", "3.5,\0", 1).encode(), ":5: column 2: a NUL byte; expected"),
        ((TABLE + "Total: 40 rows\n").encode(), ":42: 1 fields in 'Total: 40 rows'; expected 3"),
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
