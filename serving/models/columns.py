"""What the raw columns of a pushed model held in training, in a file beside it; no TensorFlow."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter

COLUMNS_FILE = "columns.json"
"""In `assets.extra`: column to the fields of `Column`."""


@dataclass(frozen=True)
class Column:
    """A raw column, as the schema has it and the train split held it.

    Attributes:
        example: A value it may have: a number, or a word.
        required: Whether a gap is wrong.
        min: Least number allowed; None: any, as of words.
        max: Greatest number allowed; None: any.
        words: Words allowed, sorted; None: any, as of numbers.
    """

    example: float | str
    required: bool
    min: float | None = None
    max: float | None = None
    words: tuple[str, ...] | None = None


_COLUMNS = TypeAdapter(dict[str, Column])


def write_columns(columns: Mapping[str, Column], model_dir: Path) -> None:
    """Writes the file."""
    path = model_dir / "assets.extra" / COLUMNS_FILE
    path.parent.mkdir(exist_ok=True)
    described = {name: asdict(column) for name, column in columns.items()}
    path.write_text(json.dumps(described, indent=2, ensure_ascii=False) + "\n", "utf-8")


def read_columns(model_dir: Path) -> dict[str, Column]:
    """Reads the file; nothing is known of the columns where there is none.

    Raises:
        ValueError: If it is not as `write_columns` writes it.
    """
    path = model_dir / "assets.extra" / COLUMNS_FILE
    if not path.exists():
        return {}
    try:
        return _COLUMNS.validate_json(path.read_bytes(), strict=True)
    except ValueError as error:
        raise ValueError(f"{path}: is not a description of columns: {error}") from None
