"""Detection of the format of CSV files."""

import gzip
from pathlib import Path

import pytest

from pipeline.errors import DataError
from pipeline.init.sniff_dialect import Sniffed, sniff


def sniff_text(tmp_path: Path, text: str, encoding: str = "utf-8", label: str = "y") -> Sniffed:
    path = tmp_path / "data.csv"
    path.write_bytes(text.encode(encoding))
    return sniff(path, label)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_sniff_finds_the_separator(tmp_path: Path, separator: str) -> None:
    text = "a,y\n1,x\n2,z\n".replace(",", separator)
    assert sniff_text(tmp_path, text).csv.separator == separator


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("a;y\n1,5;2,5\n3,5;4,5\n", ";"),
        ("1,5;2,5\n3,5;4,5\n", ";"),
        ('a,y\n"one; two",x\n3,z\n', ","),
        ('a,y\n"1;2\n3;4",x\n3,z\n', ","),
        ("y\nx\nz\n", ","),
    ],
)
def test_sniff_is_not_misled_by_other_marks(tmp_path: Path, text: str, separator: str) -> None:
    assert sniff_text(tmp_path, text).csv.separator == separator


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("latin-1", "latin-1"),
        ("utf-16", "utf-16"),
    ],
)
def test_sniff_finds_the_encoding(tmp_path: Path, encoding: str, found: str) -> None:
    sniffed = sniff_text(tmp_path, "größe,y\n1,x\n", encoding)
    assert sniffed.csv.encoding == found
    assert sniffed.titles == ("größe", "y")


def test_sniff_finds_late_latin_1_byte(tmp_path: Path) -> None:
    text = "a,y\n" + "1,x\n" * 600_000 + "1,ü\n"
    assert sniff_text(tmp_path, text, "latin-1").csv.encoding == "latin-1"


def test_sniff_decodes_character_across_reads(tmp_path: Path) -> None:
    assert sniff_text(tmp_path, "a,y\n1," + "ü" * 2**20 + "\n").csv.encoding == "utf-8"


@pytest.mark.parametrize(
    ("text", "decimal"),
    [
        ("a;y\n1,5;x\n2;z\n", ","),
        ('a,y\n"1,5",x\n"2,25",z\n', ","),
        ('a,y\n"1,500",x\n"2,250",z\n', "."),
        ("a;y\n1.5;x\n2;z\n", "."),
        ("a;y\n1,5;1.5\n2,5;2.5\n", "."),
        ("a;y\n1,5;x\nsome words;x\nother words;x\n", "."),
    ],
)
def test_sniff_finds_the_decimal_point(tmp_path: Path, text: str, decimal: str) -> None:
    assert sniff_text(tmp_path, text).csv.decimal == decimal


def test_sniff_names_columns_without_header(tmp_path: Path) -> None:
    sniffed = sniff_text(tmp_path, "1.5,red\n2.5,blue\n")
    assert sniffed.csv.header is False
    assert sniffed.csv.names == ("column_1", "column_2")
    assert sniffed.titles == ()


@pytest.mark.parametrize("text", ["2019,2020,y\n1,2,x\n", "a,b\nx,z\n"])
def test_sniff_takes_words_or_label_for_header(tmp_path: Path, text: str) -> None:
    sniffed = sniff_text(tmp_path, text)
    assert (sniffed.csv.header, sniffed.csv.names) == (True, None)


def test_sniff_keeps_titles(tmp_path: Path) -> None:
    titles = 'Größe (cm),,a b,a_b,_b,価格,"a, ""b""", x ,y'
    sniffed = sniff_text(tmp_path, f"{titles}\n1,2,3,4,5,6,7,8,9\n")
    assert (sniffed.csv.names, sniffed.csv.rename) == (None, {})


def test_sniff_renames_titles_that_cannot_be_names(tmp_path: Path) -> None:
    sniffed = sniff_text(tmp_path, f'"a\nb",a b,*,{"c" * 501},y\n1,2,3,4,5\n')
    assert sniffed.csv.rename == {
        "a\nb": "a b_2",
        "*": "column_3",
        "c" * 501: "c" * 500,
    }


def test_sniff_tells_of_titles_that_are_not_names(tmp_path: Path) -> None:
    sniffed = sniff_text(tmp_path, '"a\nb", x,,y\n1,2,3,4\n')
    assert [finding.text.partition(": ")[2] for finding in sniffed.findings] == [
        r"column 'a\nb' is called 'a b': data.csv.rename",
        "blanks around titles are left out: ' x'",
        "columns without a title are called by their place from 0",
    ]


def test_sniff_refuses_equal_titles(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="2 columns have the name 'a b'; expected different names"):
        sniff_text(tmp_path, "a b,x,a b\n1,2,3\n")


def test_sniff_tells_what_stands_above_the_table(tmp_path: Path) -> None:
    rows = "a,b,y\n1,2,x\n3,4,z\n"

    titled = sniff_text(tmp_path, f"Export of May\n{rows}")
    commented = sniff_text(tmp_path, f"# one\n# two\n{rows}")

    assert titled.csv.skip_lines == 1
    assert [finding.look for finding in titled.findings] == [True]
    assert "the table begins after line 1" in titled.findings[0].text
    assert commented.csv.comment == "#"
    assert "lines that begin with # are comments" in commented.findings[0].text


def test_sniff_reads_gzip(tmp_path: Path) -> None:
    path = tmp_path / "data.csv.gz"
    path.write_bytes(gzip.compress(b"a;y\n1;x\n"))
    assert sniff(path, "y").csv.separator == ";"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0", "is a binary file"),
        (b"PK\x03\x04", "is a zip archive"),
        (gzip.compress(b"a,y\n" * 999, mtime=0)[:20], "is broken"),
        (gzip.compress(b"", mtime=0), "is empty"),
    ],
)
def test_sniff_refuses_files_that_are_not_csv(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=words):
        sniff(path, "y")
