"""Files of other formats, named .csv, are recognized by their first bytes."""

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from pipeline.data.file_format import check_format, check_is_text, guess_utf_16
from pipeline.errors import DataError
from tabular.csv.dialect import Dialect


def zipped(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "x" * 50)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (zipped("[Content_Types].xml", "xl/workbook.xml"), "an Excel workbook"),
        (zipped("_rels/.rels", "xl/workbook.xml"), "an Excel workbook"),
        (zipped("data.csv"), "a zip archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook"),
        (b"PAR1\x15\x04\x15", "a Parquet file"),
        (b"BZh91AY&SY", "compressed by bzip2"),
        (b"\x28\xb5\x2f\xfd\x04", "compressed by zstd"),
        (b"SQLite format 3\0", "an SQLite database"),
        (b"<!DOCTYPE html>\n<html>", "a page of HTML or XML"),
        (b'[\n  {"a": 1}]', "JSON"),
        (b'{"a": 1}\n{"a": 2}\n', "JSON"),
        (b"\x89PNG\r\n\x1a\n\0\0", "a binary file"),
        (b"some text\0 and \x01", "a binary file"),
    ],
)
@pytest.mark.parametrize("is_compressed", [False, True])
def test_check_format_names_the_format(
    tmp_path: Path, content: bytes, what: str, is_compressed: bool
) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(gzip.compress(content) if is_compressed else content)

    with pytest.raises(DataError, match=f"rows.csv: is {what}"):
        check_format(str(path), Dialect())


@pytest.mark.parametrize(
    "text",
    ["PAR1,PAR2\n1,2\n", "ORCID,name\n1,2\n", "BZh,x\n", "{a},b\n", "[a],b\n", "<a>,b\n", "%P,b\n"],
)
def test_titles_like_other_formats_are_text(text: str) -> None:
    check_is_text("rows.csv", text.encode())


def test_one_nul_byte_is_a_fault_of_a_cell(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n" + "1,2\n" * 10 + "1,\0\n")

    check_format(str(path), Dialect())


@pytest.mark.parametrize(
    ("text", "encoding", "guess"),
    [
        ("a,b\n1,2\n", "utf-16-le", "utf-16-le"),
        ("größe,b\n1,2\n", "utf-16-be", "utf-16-be"),
        ("a,b\n1,2\n", "utf-8", None),
        ("a,\0\n1,2\n", "utf-8", None),
        ("", "utf-8", None),
    ],
)
def test_guess_utf_16(text: str, encoding: str, guess: str | None) -> None:
    assert guess_utf_16(text.encode(encoding)) == guess
