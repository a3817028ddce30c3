"""`pipeline init`: a first configuration for CSV files, by what stands in them."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from pipeline.data.check import check_data
from pipeline.data.feature_choice import describe_column
from pipeline.errors import DataError, StateError
from pipeline.init.inspect_csv import examine
from pipeline.init.render_yaml import render
from pipeline.settings.load import load_config
from tabular.csv.column_rules import quote

_SPLITS = ((2, 1), (4, 1), (9, 1))
"""Shares of train and eval to try: where a class is rare, its rows must be in train."""


def write_config(data: Path, label: str, output: Path) -> list[str]:
    """Writes a configuration by which the pipeline runs at once.

    Args:
        data: A CSV file, or a folder of them.
        label: The column to predict, by its title in the file or its name in the configuration.
        output: The YAML file to write.

    Returns:
        What the user should know, a sentence each.

    Raises:
        StateError: If the file is there already or cannot be written.
        DataError: If the pipeline cannot learn from the data; nothing is written.
    """
    if output.exists() or output.is_symlink():
        raise StateError(f"{output}: is there already: remove it, or name another by --output")
    if not output.parent.is_dir():
        raise StateError(f"{output}: there is no folder {output.parent}: make it (mkdir -p)")
    try:
        found = examine(data, label, output.resolve().parent)
    except OSError as error:
        raise DataError(f"{error.filename or data}: cannot be read, {error.strerror}") from None
    text = _first_that_holds(
        (render(found, train, evaluate) for train, evaluate in _SPLITS), output.parent
    )
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise StateError(f"{output}: cannot be written, {error.strerror}") from None
    ignored = [name for name, choice in found.features.items() if choice.reason]
    return [
        f"{output}: {found.task} of {quote(found.label.name)} ({describe_column(found.label)})"
        f" by {len(found.features) - len(ignored)} columns of {found.label.rows:,} rows",
        *(f"ignored: {', '.join(ignored)}" for _ in ignored[:1]),
    ]


def _first_that_holds(texts: Iterator[str], folder: Path) -> str:
    """Gives the first configuration by which the data is valid.

    Raises:
        DataError: If there is none; it says what is wrong by the first.
    """
    fault: DataError | None = None
    for text in texts:
        try:
            _check(text, folder)
        except DataError as error:
            fault = fault or error
        else:
            return text
    assert fault is not None
    raise fault


def _check(text: str, folder: Path) -> None:
    """Holds the data against a configuration as if it stood in a folder."""
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "pipeline_config.yaml"
        path.write_text(text, encoding="utf-8")
        check_data(load_config(path).located(folder.resolve()))
