"""Placeholders of spans in a path, and the files of a glob."""

import glob
import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabular.csv.file_patterns import (
    Span,
    SpanPath,
    file_glob,
    folder_glob,
    has_placeholders,
    list_files,
)

DATED = "/d/{YYYY}/{MM}-{DD}.csv"


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


# SpanPath


@pytest.mark.parametrize(
    ("path", "span", "filled"),
    [
        ("/d/{SPAN}", Span(7), "/d/7"),
        ("/d/s-{SPAN}.csv", Span(0), "/d/s-0.csv"),
        ("/d/{SPAN:4}/rows.csv", Span(12), "/d/0012/rows.csv"),
        ("/d/{SPAN:2}", Span(99), "/d/99"),
        ("/d/{SPAN}/v{VERSION}", Span(3, 14), "/d/3/v14"),
        ("/d/{SPAN:3}{VERSION:2}", Span(1, 2), "/d/00102"),
        (DATED, Span(0), "/d/1970/01-01.csv"),
        (DATED, Span((date(2024, 2, 29) - date(1970, 1, 1)).days), "/d/2024/02-29.csv"),
        ("/d/{DD}.{MM}.{YYYY}/{VERSION}", Span(-1, 8), "/d/31.12.1969/8"),
        ("/d/{YYYY}{MM}{DD}", Span(19_723), "/d/20240101"),
    ],
)
def test_span_path_fills_and_reads_placeholders(path: str, span: Span, filled: str) -> None:
    assert SpanPath(path).fill(span) == filled
    assert SpanPath(path).read(filled) == span


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/d/{SPAN}", "/d/old"),
        ("/d/{SPAN}", "/d/-1"),
        ("/d/{SPAN}", "/d/1_0"),
        ("/d/{SPAN}", "/d/٣"),  # a digit for Python, but not for TFX
        ("/d/{SPAN}", "/d/1/2"),
        ("/d/{SPAN}.csv", "/d/1xcsv"),
        ("/d/{SPAN:2}", "/d/1"),
        ("/d/{SPAN:2}", "/d/123"),
        ("/d/{SPAN}-{VERSION}", "/d/1-2-3"),
        (DATED, "/d/2024/02-30.csv"),
        (DATED, "/d/2024/2-3.csv"),
    ],
)
def test_span_path_reads_no_span_from_other_paths(path: str, found: str) -> None:
    assert SpanPath(path).read(found) is None


@given(st.integers(0, 2**31 - 1), st.integers(0, 10**6))
def test_span_path_reads_what_it_fills(number: int, version: int) -> None:
    path = SpanPath("/d/{SPAN}/rows-{VERSION:7}.csv")

    assert path.read(path.fill(Span(number, version))) == Span(number, version)


@pytest.mark.parametrize(
    ("path", "span", "message"),
    [
        ("/d/{SPAN:2}", Span(100), r"100 has more digits than \{SPAN:2\}"),
        ("/d/{SPAN}/{VERSION:1}", Span(1, 10), r"10 has more digits than \{VERSION:1\}"),
        (DATED, Span(10_000_000), "10000000 days after 1970-01-01 is not a date"),
    ],
)
def test_span_path_refuses_a_span_that_does_not_fit(path: str, span: Span, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SpanPath(path).fill(span)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("d/{span}", "'{span}' is not a placeholder of a span (allowed: {SPAN}, {VERSION}"),
        ("d/{YYYY}-{mm}-{DD}", "'{mm}' is not a placeholder"),
        ("d/{SPAN:x}", "the width in '{SPAN:x}' must be a number of digits, as {SPAN:4}"),
        ("d/{SPAN:0}", "the width in '{SPAN:0}'"),
        ("d/{SPAN}/{VERSION:}", "the width in '{VERSION:}'"),
        ("d/{YYYY:4}-{MM}-{DD}", "'{YYYY:4}' has a width: write {YYYY}"),
        ("d/{SPAN}/{SPAN}", "{SPAN} is there 2 times"),
        ("d/{SPAN}/{YYYY}-{MM}-{DD}", "not both"),
        ("d/{SPAN}/{DD}", "not both"),
        ("d/{YYYY}/{VERSION}", "a date lacks {MM} and {DD}"),
        ("d/{VERSION}", "{VERSION} needs a span: add {SPAN}"),
        ("d/{SPAN}{VERSION}", "nothing separates {SPAN} and {VERSION}"),
        ("d/{SPAN}/*.csv", "'*' is not allowed in a path"),
        ("d/[1]/{SPAN}", "'[' is not allowed in a path"),
        ("d/{SPAN}/{", "'{' is not allowed in a path"),
    ],
)
def test_span_path_refuses_wrong_placeholders(path: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        SpanPath(path)


@pytest.mark.parametrize("path", ["rows.csv", "d[1]/*.csv", "a{b", "50$"])
def test_span_path_takes_any_path_without_marks(path: str) -> None:
    assert not has_placeholders(path)
    assert str(SpanPath(path)) == path


def test_span_path_finds_candidates(tmp_path: Path) -> None:
    touch(tmp_path, "s-1/v1/a.csv", "s-1/v2/a.csv", "s-10/v1/a.csv", "s-x/v1/a.csv", "t-1/v1/a.csv")
    path = SpanPath(str(tmp_path / "s-{SPAN}" / "v{VERSION}"))

    every = [str(tmp_path / name) for name in ("s-1/v1", "s-1/v2", "s-10/v1", "s-x/v1")]
    assert list(path.candidates()) == every
    assert list(path.candidates(1)) == every[:2]
    assert list(path.candidates(2)) == []


# list_files


def test_list_files_lists_csv_files_of_a_folder(tmp_path: Path) -> None:
    touch(tmp_path, "b.csv", "a.csv.gz", "c.csv.bak", "d.txt", "e.csv~", "B.csv")

    found = list_files(folder_glob(str(tmp_path)), glob.glob)

    assert found == [str(tmp_path / name) for name in ("B.csv", "a.csv.gz", "b.csv")]


@pytest.mark.parametrize("name", ["rows.txt", "a[1].csv", "what?.csv", "*.csv", "{x}.csv"])
def test_list_files_takes_a_file_of_any_name(tmp_path: Path, name: str) -> None:
    touch(tmp_path, name, "a1.csv", "whats.csv", "other.txt")

    found = list_files(file_glob(str(tmp_path / name)), glob.glob)

    assert found == [str(tmp_path / name)]
