"""Writes a first configuration for CSV files, by which the pipeline runs at once."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from pipeline.data.check import check_data
from pipeline.errors import DataError, StateError
from pipeline.init.inspect_csv import Inspection, inspect_csv
from pipeline.init.render_yaml import render
from pipeline.settings.load import load_config

_SPLITS = ((2, 1), (4, 1), (9, 1))
"""Shares of train and eval to try: with a larger train, each class is more likely to be in it."""


def write_config(data: Path, label: str, output: Path) -> Inspection:
    """Inspects the data, writes a configuration for it and checks the data by that.

    Args:
        data: A CSV file, or a folder of them.
        label: The column to predict, by its title in the file or its name in the configuration.
        output: The YAML file to write.

    Returns:
        What was found.

    Raises:
        StateError: If the file exists already or cannot be written.
        DataError: If the pipeline cannot learn from the data; nothing is written.
    """
    if output.exists() or output.is_symlink():
        raise StateError(f"{output}: exists already: remove it, or name another file with --output")
    if not output.parent.is_dir():
        raise StateError(f"{output}: there is no folder {output.parent}: create it (mkdir -p)")
    try:
        inspection = inspect_csv(data, label, output.resolve().parent)
    except OSError as error:
        raise DataError(f"{error.filename or data}: cannot be read, {error.strerror}") from None
    text = _first_valid(
        (render(inspection, train, evaluate) for train, evaluate in _SPLITS), output.parent
    )
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise StateError(f"{output}: cannot be written, {error.strerror}") from None
    return inspection


def _first_valid(texts: Iterator[str], folder: Path) -> str:
    """Returns the first configuration with which the data is valid.

    Raises:
        DataError: If there is none; the error with the first configuration.
    """
    first_error: DataError | None = None
    for text in texts:
        try:
            _check(text, folder)
        except DataError as error:
            first_error = first_error or error
        else:
            return text
    assert first_error is not None
    raise first_error


def _check(text: str, folder: Path) -> None:
    """Checks the data by a configuration whose paths start at a folder."""
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "pipeline_config.yaml"
        path.write_text(text, encoding="utf-8")
        check_data(load_config(path).located(folder.resolve()), count_splits=False)
