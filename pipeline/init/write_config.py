"""Writes a first configuration for CSV files, by which the pipeline runs at once."""

import os
import tempfile
from pathlib import Path

from pipeline.data.check import check_data
from pipeline.data.findings import DataSummary
from pipeline.errors import DataError, StateError
from pipeline.init.inspect_csv import Inspection, Wishes, inspect_csv
from pipeline.init.render_yaml import render
from pipeline.settings.load import load_config

_SPLITS = ((2, 1), (4, 1), (9, 1))
"""Shares of train and eval to try: with a larger train, each class is more likely to be in it."""


def make_config(data: Path, wishes: Wishes, folder: Path) -> tuple[Inspection, str]:
    """Inspects the data, makes a configuration for it and checks the data by that.

    Args:
        data: A CSV file, or a folder of them.
        wishes: What the user has decided.
        folder: The folder that the configuration is for, at which its paths start.

    Returns:
        What was found, and the text of the configuration.

    Raises:
        DataError: If the pipeline cannot learn from the data.
    """
    try:
        inspection = inspect_csv(data, wishes, folder.resolve())
    except OSError as error:
        raise DataError(f"{error.filename or data}: cannot be read, {error.strerror}") from None
    shares, checked = _first_valid(inspection, folder)
    inspection = inspection.with_findings(checked)
    return inspection, render(inspection, *shares)


def check_output(output: Path, data: Path, *, force: bool) -> None:
    """Checks that the output can be written.

    Args:
        output: The YAML file to write.
        data: A CSV file, or a folder of them.
        force: Whether a file that exists is replaced.

    Raises:
        StateError: If it cannot, or exists and is not to be replaced, or is not a configuration.
    """
    if not output.parent.is_dir():
        raise StateError(f"{output}: there is no folder {output.parent}: create it (mkdir -p)")
    if output.is_dir():
        raise StateError(f"{output}: is a folder; expected a file: name one with --output")
    if output.exists() and data.exists() and output.samefile(data):
        raise StateError(f"{output}: is the data: name another file with --output")
    if (output.exists() or output.is_symlink()) and not force:
        raise StateError(
            f"{output}: exists already: name another file with --output, or replace it by --force"
        )


def write_config(text: str, output: Path) -> None:
    """Writes the configuration in one step, so that a file that it replaces is never lost.

    Raises:
        StateError: If it cannot be written.
    """
    temporary = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(output)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise StateError(f"{output}: cannot be written, {error.strerror}") from None


def _first_valid(inspection: Inspection, folder: Path) -> tuple[tuple[int, int], DataSummary]:
    """Finds the first shares of train and eval with which the data is valid.

    Returns:
        The shares, and what else the check found.

    Raises:
        DataError: If there is none; the error with the first configuration.
    """
    first_error: DataError | None = None
    for shares in _SPLITS:
        try:
            return shares, _check(render(inspection, *shares), folder)
        except DataError as error:
            first_error = first_error or error
    assert first_error is not None
    raise first_error


def _check(text: str, folder: Path) -> DataSummary:
    """Checks the data by a configuration whose paths start at a folder."""
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "pipeline_config.yaml"
        path.write_text(text, encoding="utf-8")
        config = load_config(path).located(folder.resolve())
        return check_data(config, count_splits=False).summary
