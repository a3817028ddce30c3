"""Small CSV files and configurations for `check_data`, and its error messages."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline.data.check import check_data
from pipeline.errors import DataError
from pipeline.settings.config import Config

ROWS = [f"{i}.5,{i},{'ab'[i % 2]}" for i in range(20)]
"""Rows that can be learned from; the row of index i is on line i + 2 of the file."""


def make_csv(*rows: str, header: str = "x,y,kind") -> str:
    return "".join(f"{line}\n" for line in (header, *rows))


def replace_rows(rows: dict[int, str]) -> str:
    """Makes a good file in which some lines, counted from 1, are replaced."""
    return make_csv(*(rows.get(line, row) for line, row in enumerate(ROWS, start=2)))


def make_config(
    path: Path | None,
    label: str = "kind",
    features: Sequence[str] = ("x", "y"),
    slices: Sequence[Sequence[str]] = (),
    validation: Mapping[str, Any] | None = None,
    task: str = "multiclass",
    train: dict[str, Any] | None = None,
    **data: Any,
) -> Config:
    return Config.model_validate(
        {
            "name": "t",
            "data": {"path": path and str(path), "label": label, **data},
            "validation": validation or {},
            "features": dict.fromkeys(features, "numeric"),
            "task": task,
            "train": train or {},
            "evaluation": {
                "thresholds": {"rmse" if task == "regression" else "accuracy": {"min": 0.5}},
                "slices": [list(columns) for columns in slices],
            },
        }
    )


def check_error(path: Path, content: str | bytes, **settings: Any) -> str:
    """Writes a file, and returns the error of `check_data` without the path of the file."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return check_error_at(path, **settings).replace(f"{path}:", "")


def check_error_at(path: Path, **settings: Any) -> str:
    """Returns the error of `check_data` for a path."""
    with pytest.raises(DataError) as caught:
        check_data(make_config(path, **settings))
    return str(caught.value)
