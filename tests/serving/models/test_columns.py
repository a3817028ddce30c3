from pathlib import Path

import pytest

from serving.models.columns import Column, read_columns, write_columns

COLUMNS = {
    "x": Column(5, required=True, min=-1.5, max=8.0),
    "city": Column("Köln", required=False, words=("Bonn", "Köln")),
}


def test_read_columns_inverts_write_columns(tmp_path: Path) -> None:
    write_columns(COLUMNS, tmp_path)

    assert read_columns(tmp_path) == COLUMNS


def test_read_columns_is_empty_without_file(tmp_path: Path) -> None:
    assert read_columns(tmp_path) == {}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"x": 5}',
        '{"x": {"example": 5}}',
        '{"x": {"example": [5], "required": true}}',
        '{"x": {"example": 5, "required": "yes"}}',
        '{"x": {"example": 5, "required": true, "min": "1"}}',
        '{"x": {"example": "a", "required": true, "words": "a"}}',
    ],
)
def test_read_columns_refuses_other_content(tmp_path: Path, text: str) -> None:
    write_columns({}, tmp_path)
    path = tmp_path / "assets.extra" / "columns.json"
    path.write_text(text)

    with pytest.raises(ValueError, match=f"{path}: is not a description of columns"):
        read_columns(tmp_path)
