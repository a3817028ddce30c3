"""A file in a pushed model that describes its raw columns in the training data; no TensorFlow."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter

COLUMNS_FILE = "columns.json"
"""JSON in `assets.extra`: column name to the fields of `Column`."""


@dataclass(frozen=True)
class Column:
    """The values of a raw column that the schema and the train split allow.

    Attributes:
        example: A typical value: a number, or a string for a column of strings.
        required: Whether a missing value is not allowed.
        min: Smallest number allowed; None for no limit and for strings.
        max: Largest number allowed; None for no limit and for strings.
        words: Strings allowed, sorted; None for no limit and for numbers.
        date_format: Format of the dates that strings have to be; None for other columns.
    """

    example: float | str
    required: bool
    min: float | None = None
    max: float | None = None
    words: tuple[str, ...] | None = None
    date_format: str | None = None


_COLUMNS = TypeAdapter(dict[str, Column])


def write_columns(columns: Mapping[str, Column], model_dir: Path) -> None:
    """Writes the file into the folder of a SavedModel."""
    path = model_dir / "assets.extra" / COLUMNS_FILE
    path.parent.mkdir(exist_ok=True)
    described = {name: asdict(column) for name, column in columns.items()}
    path.write_text(json.dumps(described, indent=2, ensure_ascii=False) + "\n", "utf-8")


def read_columns(model_dir: Path) -> dict[str, Column]:
    """Reads the file from the folder of a SavedModel; empty if there is none.

    Raises:
        ValueError: If the file is not of the form that `write_columns` writes.
    """
    path = model_dir / "assets.extra" / COLUMNS_FILE
    if not path.exists():
        return {}
    try:
        return _COLUMNS.validate_json(path.read_bytes(), strict=True)
    except ValueError as error:
        raise ValueError(f"{path}: is not a description of columns: {error}") from None
