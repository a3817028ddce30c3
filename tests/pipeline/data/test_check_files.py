"""Paths, file formats and headers that `check_data` refuses."""

import gzip
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.data.check import check_data
from tests.helpers.data_checks import ROWS, check_error, check_error_at, make_config, make_csv


@pytest.fixture
def unreadable_path() -> Iterator[Path]:
    """A file that this process may not read, even where the tests run as root."""
    user = os.geteuid()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rows.csv")
        path.write_text(make_csv(*ROWS))
        path.chmod(0)
        Path(folder).chmod(0o755)
        if user == 0:
            os.seteuid(65534)
        try:
            yield path
        finally:
            os.seteuid(user)


def test_missing_file_names_the_nearest(path: Path) -> None:
    path.touch()

    message = check_error_at(path.with_name("row.csv"))

    assert message.startswith(f"{path.with_name('row.csv')}: there is no 'row.csv'")
    assert "data.path" in message
    assert message.endswith("did you mean 'rows.csv'?")


def test_missing_folder_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()

    message = check_error_at(tmp_path / "dta" / "rows.csv")

    assert f"there is no 'dta' in {tmp_path}" in message
    assert message.endswith("did you mean 'data'?")


def test_refuses_a_path_below_a_file(path: Path) -> None:
    path.touch()

    assert f"there is no 'x.csv' in {path}" in check_error_at(path / "x.csv")


def test_refuses_an_empty_folder(tmp_path: Path) -> None:
    assert f"{tmp_path}: no *.csv and *.csv.gz in this folder (it is empty)" in check_error_at(
        tmp_path
    )


def test_lists_the_names_of_a_folder_without_csv(tmp_path: Path) -> None:
    (tmp_path / "rows.CSV").touch()

    assert "no *.csv and *.csv.gz in this folder (there is: 'rows.CSV')" in check_error_at(tmp_path)


def test_refuses_a_folder_named_as_a_file(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").mkdir()

    assert check_error_at(tmp_path).startswith(f"{tmp_path / 'rows.csv'}: is not a file")


def test_refuses_a_file_without_permission(unreadable_path: Path) -> None:
    message = check_error_at(unreadable_path)

    assert message.startswith(f"{unreadable_path}: cannot be read, Permission denied")
    assert "chmod" in message


def test_reports_an_error_while_reading(tmp_path: Path) -> None:
    # The first page of a process's memory is mapped to nothing, so that reading fails.
    (tmp_path / "rows.csv").symlink_to("/proc/self/mem")

    assert "cannot be read, Input/output error" in check_error_at(tmp_path / "rows.csv")


@pytest.mark.parametrize("content", [b"", b"\n\r\n", b"\xef\xbb\xbf"])
def test_refuses_an_empty_file(path: Path, content: bytes) -> None:
    assert "is empty; expected a header line" in check_error(path, content)


@pytest.mark.parametrize("content", ["x,y,kind", "x,y,kind\n", "x,y,kind\n\n"])
def test_refuses_a_header_without_rows(path: Path, content: str) -> None:
    assert "has a header and no rows" in check_error(path, content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x1f\x8b\x08\x00", "is damaged, Compressed file ended"),
        (gzip.compress(b"PK\x03\x04\x14\x00", mtime=0), "is a zip archive"),
        (b"PK\x03\x04\x14\x00", "is a zip archive"),
        (b"PAR1\x15\x04", "is a Parquet file"),
        (make_csv(*ROWS).encode("utf-16"), "is UTF-16; expected UTF-8"),
        (make_csv(*ROWS).encode("utf-16-le"), "set data.csv.encoding to utf-16-le"),
        (make_csv(*ROWS).encode("utf-16-be"), "set data.csv.encoding to utf-16-be"),
        ("sep=;\n" + make_csv(*ROWS), "1: says that cells are separated by ';'; expected ','"),
    ],
)
def test_names_another_format(path: Path, content: bytes, words: str) -> None:
    assert words in check_error(path, content)


def test_refuses_a_column_name_twice(path: Path) -> None:
    assert check_error(path, make_csv(*ROWS, header="x,x,kind")).startswith(
        "1: 2 columns have the name 'x'"
    )


def test_refuses_titles_that_differ_in_blanks_only(path: Path) -> None:
    assert check_error(path, make_csv(*ROWS, header="x,x ,kind")).startswith(
        "1: 2 columns have the name 'x'"
    )


def test_refuses_headers_of_different_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(make_csv(*ROWS))
    (tmp_path / "b.csv").write_text(make_csv(*ROWS, header="xx,y,kind"))

    message = check_error_at(tmp_path)

    assert message.startswith(f"{tmp_path / 'b.csv'}:1: lacks 'x' and has 'xx' in addition")
    assert f"expected 'x', 'y', 'kind', as in {tmp_path / 'a.csv'}" in message
    assert message.endswith("did you mean 'x'?")


def test_columns_are_found_in_any_order(tmp_path: Path) -> None:
    swapped = [",".join(reversed(row.split(","))) for row in ROWS]
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    for folder, header, rows in (("one", "x,y,kind", ROWS), ("two", "kind,y,x", swapped)):
        (tmp_path / folder / "a.csv").write_text(make_csv(*ROWS))
        (tmp_path / folder / "b.csv").write_text(make_csv(*rows, header=header))

    one, two = (check_data(make_config(tmp_path / folder)) for folder in ("one", "two"))

    assert (one.rows, one.classes) == (two.rows, two.classes)
    types = [checked.config.checked_files.types for checked in (one, two)]
    assert list(types[0].items()) == list(types[1].items())


def test_label_of_a_swapped_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(make_csv(*ROWS))
    (tmp_path / "b.csv").write_text(make_csv("1.5,2,3", header="kind,y,x"))

    message = check_error_at(tmp_path, task="binary")

    assert "3 classes" in message


@pytest.mark.parametrize(
    ("settings", "name", "key", "nearest"),
    [
        ({"label": "knd"}, "knd", "data.label", "kind"),
        ({"features": ["x", "yy"]}, "yy", "features", "y"),
        ({"slices": [["kind"], ["x", "kinds"]]}, "kinds", "evaluation.slices", "kind"),
        ({"validation": {"drift": {"*": 1, "kidn": 0.1}}}, "kidn", "validation.drift", "kind"),
    ],
)
def test_missing_column_names_setting_and_nearest(
    path: Path, settings: dict[str, Any], name: str, key: str, nearest: str
) -> None:
    message = check_error(path, make_csv(*ROWS), **settings)

    assert message == (
        f"1: there is no column '{name}'; expected one of 'x', 'y', 'kind': correct {key} or the"
        f" header; did you mean '{nearest}'?"
    )


def test_asks_if_the_header_is_missing(path: Path) -> None:
    assert "is the header missing?" in check_error(path, make_csv(*ROWS[1:], header=ROWS[0]))


@pytest.mark.parametrize("separator", [";", "\t"])
def test_names_another_separator(path: Path, separator: str) -> None:
    message = check_error(path, make_csv(*ROWS).replace(",", separator))

    assert f"holds {separator!r}: separate the cells by commas" in message
