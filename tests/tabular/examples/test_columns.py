"""The file of column types beside examples."""

import re
from pathlib import Path

import pytest

from tabular.examples.columns import columns_of, read_columns, write_columns
from tests.helpers.example_files import COLUMNS, make_schema


def test_columns_are_kept_by_name(tmp_path: Path) -> None:
    write_columns(str(tmp_path), COLUMNS)

    assert list(read_columns(str(tmp_path)).items()) == sorted(COLUMNS.items())


def test_columns_of_a_schema_have_its_types() -> None:
    assert columns_of(make_schema()) == COLUMNS


def test_read_columns_names_the_missing_file(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=f"^{re.escape(str(tmp_path))}/column_types.json: .*CsvExampleGen"
    ):
        read_columns(str(tmp_path))
