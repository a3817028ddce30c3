"""Dialects: defaults, serialization, and what they read."""

import codecs
import csv
import gzip
import io
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pipeline.settings.data import CsvSettings
from tabular.csv.dialect import Dialect
from tabular.csv.reader import read_batches, read_header
from tabular.csv.records import read_records

Table = list[list[str | None]]
ENCODINGS = ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16", "utf-16-le", "utf-32", "cp949"]
CELL = st.text(st.sampled_from("a1é ,;\t|\"'\r\n#\x0b\x1e"), max_size=6) | st.just("NA")


def test_dialect_has_the_defaults_of_the_settings() -> None:
    assert CsvSettings().dialect == Dialect()


@pytest.mark.parametrize(
    "dialect", [Dialect(), Dialect(";", None, False, ("a", "b"), "#", ("NA", "?"), ",", "latin-1")]
)
def test_dialect_returns_from_json(dialect: Dialect) -> None:
    assert Dialect.from_json(dialect.to_json()) == dialect


@st.composite
def dialects(draw: st.DrawFn) -> Dialect:
    header = draw(st.booleans())
    return Dialect(
        separator=draw(st.sampled_from(",;\t| ")),
        quote=draw(st.sampled_from(['"', "'", None])),
        header=header,
        names=None if header else ("x", "y", "z"),
        rename=(("a", "x"), ("b", "y"), ("c", "z")) if header else (),
        comment=draw(st.sampled_from(["#", None])),
        null_values=draw(st.sampled_from([(), ("NA", "a")])),
        encoding=draw(st.sampled_from(ENCODINGS)),
    )


def write(table: Table, dialect: Dialect, line_end: str) -> bytes:
    """Writes a table with Python's csv, after a comment and a blank line."""
    text = io.StringIO(newline="")
    writer = csv.writer(
        text,
        delimiter=dialect.separator,
        quotechar=dialect.quote or '"',
        quoting=csv.QUOTE_ALL if dialect.quote else csv.QUOTE_NONE,
        lineterminator=line_end,
    )
    text.write(f"{dialect.comment}it's a \"comment{line_end}" * bool(dialect.comment) + line_end)
    writer.writerows([["a", "b", "c"]] * dialect.header + table)
    mark = codecs.BOM_UTF16_LE if dialect.encoding == "utf-16-le" else b""
    return mark + text.getvalue().encode(dialect.encoding)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=6),
    dialects(),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_read_batches_reads_any_dialect(
    tmp_path_factory: pytest.TempPathFactory,
    table: Table,
    dialect: Dialect,
    line_end: str,
    is_compressed: bool,
) -> None:
    if dialect.quote is None:
        cells = [cell or "" for row in table for cell in row]
        special = f'\r\n"{dialect.separator}{dialect.comment or ""}'
        assume(not any(mark in cell for cell in cells for mark in special))
    assume(dialect.encoding != "cp949" or "é" not in str(table))
    path = tmp_path_factory.mktemp("rows") / "rows"
    data = write(table, dialect, line_end)
    path.write_bytes(gzip.compress(data) if is_compressed else data)

    rows = [
        list(row.values()) for batch in read_batches(path, dialect) for row in batch.to_pylist()
    ]
    records = [record.cells for record in read_records(path, dialect)]

    missing = {None, "", *dialect.null_values}
    assert rows == [[None if cell in missing else cell for cell in row] for row in table]
    assert records == [["a", "b", "c"]] * dialect.header + table


@pytest.mark.parametrize(
    ("content", "dialect", "header", "rows"),
    [
        (b"a;b\n1;2\n", Dialect(separator=";"), ["a", "b"], [["1", "2"]]),
        (b"a\tb\n1\t2\n", Dialect(separator="\t"), ["a", "b"], [["1", "2"]]),
        (b"a,b\n'1,\n5',2\n", Dialect(quote="'"), ["a", "b"], [["1,\n5", "2"]]),
        (b'a,b\n"1,2\n', Dialect(quote=None), ["a", "b"], [['"1', "2"]]),
        (b"1,2\n", Dialect(header=False, names=("x", "y")), ["x", "y"], [["1", "2"]]),
        (b"a,b\n1,2\n", Dialect(rename=(("b", "y"),)), ["a", "y"], [["1", "2"]]),
        (b"a , b\n1,2\n", Dialect(rename=(("b", "y"),)), ["a", "y"], [["1", "2"]]),
        (b"b, b\n1,2\n", Dialect(rename=((" b", "y"),)), ["b", "y"], [["1", "2"]]),
        (b"a,,\n1,2,3\n", Dialect(rename=(("", "no"),)), ["a", "no_2", "no_3"], [["1", "2", "3"]]),
        (b"#\na,b\n# c\n1,#2\n", Dialect(comment="#"), ["a", "b"], [["1", "#2"]]),
        (b'a,b\n1,"\n#2"\n#,\n', Dialect(comment="#"), ["a", "b"], [["1", "\n#2"]]),
        (b'a,b\n5",2\n#"\n6,7\n', Dialect(comment="#"), ["a", "b"], [['5"', "2"], ["6", "7"]]),
        (
            b'a,b\nNA,"?"\n1,NAN\n',
            Dialect(null_values=("NA", "?")),
            ["a", "b"],
            [[None] * 2, ["1", "NAN"]],
        ),
        (
            b"\xff\xfea\0,\0b\0\n\x001\0,\0\xe9\0",
            Dialect(encoding="utf-16"),
            ["a", "b"],
            [["1", "é"]],
        ),
        (b"\xe9,b\n1,\xe9\n", Dialect(encoding="latin-1"), ["é", "b"], [["1", "é"]]),
    ],
)
def test_read_batches_follows_each_setting(
    tmp_path: Path, content: bytes, dialect: Dialect, header: list[str], rows: Table
) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(content)

    assert read_header(path, dialect) == header
    found = [batch.to_pydict() for batch in read_batches(path, dialect)]
    assert found == [dict(zip(header, map(list, zip(*rows, strict=True)), strict=True))]


@pytest.mark.parametrize(
    ("content", "dialect"),
    [
        (b"a,b\n1,\x81\n", Dialect(encoding="cp1252")),
        (b"a,b\n1,\xc3\xa9\n", Dialect(encoding="ascii")),
        ("a,b\n1,2\n".encode("utf-16") + b"\0", Dialect(encoding="utf-16")),
        (b"1,2\n", Dialect(header=False, names=("x",))),
    ],
    ids=["no such byte", "not ASCII", "half a character", "no header"],
)
def test_read_batches_refuses_another_dialect(
    tmp_path: Path, content: bytes, dialect: Dialect
) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(content)

    with pytest.raises(pa.ArrowInvalid):
        list(read_batches(path, dialect))


def test_read_batches_may_be_left_early(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n" + "1,2\n" * 10_000_000)  # 40 MB, blocks of 2 MiB

    batches = read_batches(path)
    assert next(batches).num_rows > 0
    batches.close()
