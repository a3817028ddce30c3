"""Rows are either usable or have faults, each with its place, in any dialect and block."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.data.column_rules import make_column_rules
from tabular.csv.column_rules import ColumnRules
from tabular.csv.decoding import Utf8Stream
from tabular.csv.dialect import Dialect
from tabular.csv.reader import BLOCK_BYTES
from tabular.csv.records import read_records
from tabular.csv.row_checks import Fault, explain_faults, read_usable
from trainer.settings.train import TrainerSettings

RFC_4180 = Dialect()


Rows = list[list[str | None]]


def make_settings(label: str = "kind", **other: Any) -> TrainerSettings:
    return TrainerSettings.model_validate({"label": label, "features": {"x": "numeric"}, **other})


def read(
    path: Path, dialect: Dialect = RFC_4180, settings: TrainerSettings | None = None
) -> tuple[Rows, list[Fault]]:
    rules = make_column_rules(settings or make_settings(), dialect.decimal)
    blocks = list(read_usable(Utf8Stream(path, dialect), rules))
    rows = [list(row.values()) for block in blocks for row in block.batch.to_pylist()]
    faults = np.concatenate([block.faults for block in blocks])
    return rows, list(explain_faults(str(path), rules, dialect, faults))


@pytest.mark.parametrize(
    ("row", "column", "line", "words"),
    [
        (b"five,a", "x", 3, "'five' is not a number"),
        (b"nan,a", "x", 3, "'nan' is not finite"),
        (b",a", "x", 3, "the cell is empty; expected a number"),
        (b"1,", "kind", 3, "the label is empty"),
        (b'1,"a\nb"', "kind", 3, "has a line end"),
        (b"1", "", 3, "1 fields in '1'; expected 2, as in the header"),
        (b"1,2,3", "", 3, "3 fields in '1,2,3'; expected 2"),
        (b"1,\xe9", "kind", 3, "the byte 0xe9 is not UTF-8; expected a file in UTF-8"),
        (b'1,"a\n\xe9"', "kind", 4, "the byte 0xe9 is not UTF-8"),
        (b"\xe9,a", "x", 3, "the byte 0xe9 is not UTF-8"),
        (b"\xe9,1,2", "", 3, "3 fields in"),
    ],
)
@pytest.mark.parametrize("is_compressed", [False, True], ids=["plain", "gzip"])
def test_read_usable_leaves_out_and_explains_a_row(
    tmp_path: Path, row: bytes, column: str, line: int, words: str, is_compressed: bool
) -> None:
    path = tmp_path / "rows.csv"
    data = b"x,kind\n1,a\n" + row + b"\n\n2,b\n"
    path.write_bytes(gzip.compress(data) if is_compressed else data)

    rows, (fault,) = read(path)

    assert rows == [["1", "a"], ["2", "b"]]
    assert (fault.row, fault.line, fault.column) == (1, line, column)
    assert words in fault.reason
    assert fault.text == row.decode("utf-8", "surrogateescape")


@pytest.mark.parametrize(
    ("content", "dialect", "line", "reason"),
    [
        (b"x;kind\n1,5;a\n1.5;b\n", Dialect(separator=";", decimal=","), 3, "one such as 5,1"),
        (b"1,a\n1,5,b\n", Dialect(header=False, names=("x", "kind")), 2, "as in data.csv.names"),
        (b"x,kind\n1,a\n?,b\n", Dialect(null_values=("?",)), 3, "the cell is empty"),
        (b"#c\nx,kind\n1,a\n# z\nw,b\n", Dialect(comment="#"), 5, "'w' is not a number"),
        (b"x\tkind\n1\ta\n1\n", Dialect(separator="\t", quote=None), 3, "keep the tab after"),
        (b"x,kind\n1,a\n1,\x81\n", Dialect(encoding="cp1252"), 3, "0x81 is not cp1252"),
        ("x,kind\n1,a\nw,é\n".encode("utf-16"), Dialect(encoding="utf-16"), 3, "'w' is not a"),
    ],
)
def test_read_usable_speaks_of_the_dialect(
    tmp_path: Path, content: bytes, dialect: Dialect, line: int, reason: str
) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(content)

    rows, (fault,) = read(path, dialect)

    assert len(rows) == 1
    assert fault.line == line
    assert reason in fault.reason


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(["1,a", "1,a", '2,"a"', "w,a", "1,", "w,", "1", "1,2,3", "1,\udce9", ""]),
        min_size=1,
        max_size=30,
    )
)
def test_read_usable_accounts_for_every_row(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    path = tmp_path_factory.mktemp("rows") / "rows.csv"
    text = "\n".join(["x,kind", "0,z", *lines, ""])
    path.write_bytes(text.encode("utf-8", "surrogateescape"))

    rows, faults = read(path)

    good = [["0", "z"]] + [[line[0], "a"] for line in lines if line in ("1,a", '2,"a"')]
    bad = [n for n, line in enumerate(lines, 3) if line not in ("1,a", '2,"a"', "")]
    assert rows == good
    assert sorted({fault.line for fault in faults}) == bad
    assert len({fault.row for fault in faults}) == len(bad)


def test_read_usable_counts_rows_over_blocks(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    good = f"1,{'a' * 1000}\n"
    count = 2 * BLOCK_BYTES // len(good)
    path.write_text("x,kind\n1\n" + good * count + "w,a\n1\n" + good * count + "1\n")

    rows, faults = read(path)

    assert len(rows) == 2 * count
    assert [fault.line for fault in faults] == [2, count + 3, count + 4, 2 * count + 5]
    assert [fault.row for fault in faults] == [0, count + 1, count + 2, 2 * count + 3]


@pytest.mark.parametrize(
    "end",
    [
        '1,"b',
        '1,"b\n',
        '1,"b\n\n',
        '5",a\n1,"b\nmore,rows\n',  # an even number of quotes, one of them a plain character
        '5",a\n"1,b\nmore,rows\n',
        '5",a\n1,"b',
        '5",a\r1,"b',
        '1,"b\n\n1\n',
        '1\n1,"b',
    ],
)
def test_read_usable_refuses_an_open_quote_at_the_end(tmp_path: Path, end: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(f"x,kind\n1,a\n{end}", newline="")

    with pytest.raises(pa.ArrowInvalid, match="a quote never closes"):
        read(path)


@pytest.mark.parametrize(
    "end",
    [
        '5" pipe,a\n',
        '1,a"\n',
        '1,"b"\n5",a',
        '1,"b\nc"\n',
        '1,"b\nc"',
        '1,"b\r"\r\r',
        '"5""",a\n\n',
        '1,"b"" pipe"\n1\n5"\n',
    ],
)
def test_read_usable_accepts_quotes_at_the_end(tmp_path: Path, end: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(f"note,kind\n1,a\n{end}", newline="")

    blocks = list(read_usable(Utf8Stream(path, RFC_4180), ColumnRules({}, {})))

    records = list(read_records(path, RFC_4180))[1:]
    rows = [list(row.values()) for block in blocks for row in block.batch.to_pylist()]
    assert rows == [record.cells for record in records if len(record.cells) == 2]


def test_read_usable_ignores_a_last_block_of_blank_lines(tmp_path: Path) -> None:
    # Its end looks like an open quote, which closes within the last row.
    path = tmp_path / "rows.csv"
    path.write_text('note,kind\n"a\n",b' + "\n" * 2 * BLOCK_BYTES)

    blocks = list(read_usable(Utf8Stream(path, RFC_4180), ColumnRules({}, {})))

    assert sum(len(block.batch) for block in blocks) == 1


@pytest.mark.parametrize(
    ("settings", "row", "words"),
    [
        ({"task": "regression"}, "1,a", "'a' is not a number"),
        ({"task": "regression"}, "1,", "the label is empty; expected a number"),
        ({"weight": "w"}, "1,a,-1", "'-1' is not a number of at least 0"),
        ({"weight": "w"}, "1,a,x", "'x' is not a number"),
        ({"weight": "w"}, "1,a,", "the weight is empty"),
    ],
)
def test_read_usable_checks_label_and_weight(
    tmp_path: Path, settings: dict[str, Any], row: str, words: str
) -> None:
    path = tmp_path / "rows.csv"
    has_weight = "weight" in settings
    path.write_text(f"x,kind{',w' * has_weight}\n1,2{',0' * has_weight}\n{row}\n")

    rows, (fault,) = read(path, settings=make_settings(**settings))

    assert len(rows) == 1
    assert words in fault.reason
