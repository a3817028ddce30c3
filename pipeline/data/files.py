"""Finds the CSV files of each split before any node runs, and explains if there are none."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from pipeline.errors import DataError, did_you_mean
from pipeline.settings.config import Config
from tabular.csv.column_rules import quote
from tabular.csv.file_patterns import (
    ALL,
    CSV_NAMES,
    Span,
    SpanPath,
    date_of,
    file_glob,
    folder_glob,
    has_placeholders,
    list_files,
)

NAMES_SHOWN = 10
_SPANS_SHOWN = 3


def find_files(config: Config) -> dict[str, tuple[str, ...]]:
    """Finds the files that a run would read now.

    Args:
        config: The configuration.

    Returns:
        Split name, or `all` if rows are split by a hash, to the paths of its files in order.

    Raises:
        DataError: If there are no files, or a file is in two splits.
    """
    files = {
        split: list_csv_files(_newest(config, path), _key(split))
        for split, path in config.data_paths.items()
    }
    split_of_file: dict[str, str] = {}
    for split, paths in files.items():
        for path in paths:
            other = split_of_file.setdefault(os.path.realpath(path), split)
            if other != split:
                raise DataError(
                    f"{path}: is in the {other} and in the {split} split; expected different rows"
                    f" for evaluation than for training: correct {_key(other)} or {_key(split)}"
                )
    return files


def find_globs(config: Config) -> tuple[str, dict[str, str]]:
    """Makes the globs of each split's files for TFX's ExampleGen.

    Args:
        config: The configuration; its files must exist.

    Returns:
        The folder above all files, and split name to the glob of its files below that folder, with
        the placeholders of spans that the configuration has.

    Raises:
        DataError: If there are no files.
    """
    paths = {split: str(path) for split, path in config.data_paths.items()}
    base_dir = os.path.commonpath(
        [
            SpanPath(path).base_dir if has_placeholders(path) else os.path.dirname(path)
            for path in paths.values()
        ]
    )
    globs = {}
    for split, path in paths.items():
        below = os.path.relpath(path, base_dir)
        below = below if has_placeholders(path) else file_glob(below)
        is_folder = _newest(config, Path(path)).is_dir()
        globs[split] = folder_glob(below) if is_folder else below
    return file_glob(base_dir), globs


def list_csv_files(path: str | Path, key: str = "data.path") -> tuple[str, ...]:
    """Lists the CSV files at a path: the file itself, or the CSV files of a folder, sorted.

    Args:
        path: The file or folder.
        key: The setting that names it.

    Raises:
        DataError: If there are no files.
    """
    path = Path(path)
    if not stat.S_ISDIR(look_up(path, key).st_mode):
        return (str(path),)
    paths = tuple(_files_in(path))
    if not paths:
        names = names_in(path)
        there = f"there is: {quote_names(names)}" if names else "it is empty"
        raise DataError(
            f"{path}: no {CSV_NAMES} in this folder ({there}); expected CSV files directly in it:"
            f" set {key} to their folder, or to one file of any name"
        )
    return paths


def look_up(path: Path, key: str) -> os.stat_result:
    """Gives the status of a path.

    Args:
        path: A file or folder.
        key: The setting that names it.

    Raises:
        DataError: If it does not exist; the message has the first name in it that does not.
    """
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        parent = next(parent for parent in path.parents if parent.exists())
        name = path.relative_to(parent).parts[0]
        names = names_in(parent) if parent.is_dir() else []
        raise DataError(
            f"{path}: there is no '{name}' in {parent}: correct {key}{did_you_mean(name, names)}"
        ) from None


def names_in(folder: Path) -> list[str]:
    """Lists the names in a folder, sorted."""
    return sorted(path.name for path in folder.iterdir())


def quote_names(names: Sequence[str]) -> str:
    """Quotes and joins names for a message, at most ten of them."""
    rest = ", ..." if len(names) > NAMES_SHOWN else ""
    return ", ".join(map(quote, names[:NAMES_SHOWN])) + rest


def _key(split: str) -> str:
    return "data.path" if split == ALL else f"data.files.{split}"


def _files_in(folder: Path) -> list[str]:
    return list_files(folder_glob(str(folder)), lambda glob: _glob(folder, glob))


def _glob(folder: Path, pattern: str) -> list[str]:
    return list(map(str, folder.glob(os.path.basename(pattern))))


def _newest(config: Config, path: Path) -> Path:
    """Fills the placeholders of a path: `data.span` or the newest span, in its newest version.

    TFX does the same at run time, except that here the folder of a span must have files.
    """
    if not has_placeholders(str(path)):
        return path
    try:
        return _fill_newest(SpanPath(str(path)), path, config.data.span)
    except ValueError as error:
        raise DataError(f"{path}: {error}: correct data.path or data.span") from None


def _fill_newest(span_path: SpanPath, path: Path, wanted: int | None) -> Path:
    found: dict[Span, str] = {}
    others: list[Path] = []
    for candidate in span_path.candidates(wanted):
        span = span_path.read(candidate)
        if span is None:
            others.append(Path(candidate))
        else:
            found.setdefault(span, candidate)
    newest = max(found, key=lambda span: (span.number, span.version or 0), default=None)
    filled = Path(span_path.fill(newest)) if newest else None
    is_folder = filled is None or filled.is_dir()
    for other in others:  # TFX fails on a path with data that is not a span
        if not is_folder or any(other.glob("*.csv*")):
            raise DataError(
                f"{other}: does not have a number or date for each placeholder of {path}; expected"
                " spans only where there is data: move it, or correct data.path"
            )
    if newest is None or filled is None:
        raise _no_span_error(span_path, wanted)
    if not filled.exists():
        raise _zero_padding_error(found[newest], filled)
    if filled.is_dir() and not _files_in(filled):
        raise DataError(
            f"{filled}: no {CSV_NAMES} in this folder of {newest}; expected CSV files directly in"
            " it: add them, remove the folder, or name another span in data.span"
        )
    return filled


def _no_span_error(span_path: SpanPath, wanted: int | None) -> DataError:
    base_dir = Path(span_path.base_dir)
    look_up(base_dir, "data.path")
    found = {span.number: path for path in span_path.candidates() if (span := span_path.read(path))}
    if not found:
        names = names_in(base_dir)
        there = f"in {base_dir} there is: {quote_names(names)}" if names else f"{base_dir} is empty"
        return DataError(f"{span_path}: there is no span ({there}): correct data.path")
    assert wanted is not None
    if wanted in found:
        return _zero_padding_error(found[wanted], Path(span_path.fill(Span(wanted))))
    nearest = sorted(found, key=lambda number: (abs(number - wanted), number))[:_SPANS_SHOWN]
    describe = _describe_date if span_path.is_dated else str
    return DataError(
        f"{span_path}: there is no span {describe(wanted)}; expected one of {len(found)},"
        f" nearest first: {', '.join(map(describe, nearest))}: correct data.span"
    )


def _zero_padding_error(path: str, filled: Path) -> DataError:
    return DataError(
        f"{path}: a number in it is padded with zeros; expected {str(filled)!r}: set the number of"
        " digits in data.path, as {SPAN:4}, or rename it"
    )


def _describe_date(span: int) -> str:
    return f"{span} ({date_of(span)})"
