"""Reads the rows of the CSV files, batch by batch, and checks the cells that the model reads."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc

from components.csv_example_gen.inputs import ALL
from components.csv_example_gen.reader import hash_buckets, read_batches, split_rows
from pipeline import csv_faults
from pipeline.config import Config
from pipeline.csv_faults import FAULTS_SHOWN, data_error, quote
from pipeline.csv_labels import Labels
from pipeline.errors import DataError
from trainer.feature_config import raw_types

NUMBER = r"-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?"
"""What Arrow reads as a number, `nan` and `inf` aside."""

_NOT_FINITE = r"(?i)-?(nan(\(.*\))?|inf|infinity)"


@dataclass(frozen=True)
class _Cell:
    """A cell that is wrong; rows count from 0, and an empty cell has no text."""

    row: int
    column: str
    text: str | None


def read_rows(config: Config, files: Mapping[str, Sequence[str]], label_index: int) -> Labels:
    """Reads all files and checks the cells of features and label.

    Args:
        config: The configuration.
        files: Split, or `all`, to its files, which share a header that has all columns of the
            configuration.
        label_index: Where in it the label stands.

    Returns:
        The labels, split as the pipeline will split the rows.

    Raises:
        DataError: If a file is no table, a cell is wrong, or the label has too many words.
    """
    paths = tuple(chain.from_iterable(files.values()))
    labels = Labels(paths, config.data.label, label_index, config.data.splits)
    numbers = [name for name, kind in raw_types(config.features).items() if kind == "float"]
    faults: list[str] = []
    count = 0
    for path, split in ((path, split) for split, paths in files.items() for path in paths):
        try:
            cells, count_in_file = _read_file(path, numbers, _splitter(config, split), labels)
        except pa.ArrowInvalid as error:
            raise csv_faults.explain(path, error) from None
        count += count_in_file
        if cells and len(faults) < FAULTS_SHOWN:
            faults += _say_cells(path, cells, labels.column)
    if faults:
        raise data_error(faults, count)
    return labels


def _splitter(config: Config, split: str) -> Callable[[pa.RecordBatch], list[int]]:
    """Makes what gives the index of each row's split, for the files of a split or of all."""
    if split != ALL:
        index = config.data.splits.index(split)
        return lambda batch: [index] * len(batch)
    settings = config.data.split
    buckets = list(hash_buckets(settings.shares).values())
    return lambda batch: split_rows(batch, buckets, settings.by)


def _read_file(
    path: str,
    features: Sequence[str],
    split_of_rows: Callable[[pa.RecordBatch], list[int]],
    labels: Labels,
) -> tuple[list[_Cell], int]:
    """Adds the labels of a file; gives the first of its wrong cells, and how many there are."""
    cells: list[_Cell] = []
    count = first_row = 0
    for batch in read_batches(path):
        labels.add(batch[labels.column], split_of_rows(batch))
        wrong = [(name, _not_numbers(batch[name])) for name in features]
        wrong.append((labels.column, _not_words(batch[labels.column])))
        count += sum(len(indices) for _, indices in wrong)
        first = sorted((row, name) for name, indices in wrong for row in indices[:FAULTS_SHOWN])
        cells += [_Cell(first_row + row, name, batch[name][row].as_py()) for row, name in first]
        first_row += batch.num_rows
    if first_row == 0:
        raise DataError(csv_faults.says_no_rows(path))
    return cells[:FAULTS_SHOWN], count


def _not_numbers(column: pa.Array) -> list[int]:
    """Finds the cells of a string column that are no finite float32."""
    try:
        is_finite = pc.is_finite(pc.cast(column, pa.float32()))
    except pa.ArrowInvalid:
        is_number = pc.match_substring_regex(column, f"^({NUMBER})$")
        is_finite = pc.is_finite(pc.cast(pc.if_else(is_number, column, None), pa.float32()))
    return _where_not(is_finite)


def _not_words(column: pa.Array) -> list[int]:
    """Finds the cells of a string column that cannot stand in a list of a word a line."""
    has_line_end = pc.or_(pc.match_substring(column, "\n"), pc.match_substring(column, "\r"))
    return _where_not(pc.invert(has_line_end))


def _where_not(is_good: pa.BooleanArray) -> list[int]:
    """Gives the indices of what is false or null."""
    if is_good.null_count == 0 and pc.all(is_good).as_py():
        return []
    indices: list[int] = pc.indices_nonzero(pc.invert(is_good.fill_null(False))).to_pylist()
    return indices


def _say_cells(path: str, cells: Sequence[_Cell], label: str) -> list[str]:
    lines = csv_faults.lines_of_rows(path, {cell.row for cell in cells})
    return [
        f"{path}:{lines[cell.row]}: {cell.column}:"
        f" {_say_label(cell.text) if cell.column == label else _say_feature(cell.text)}"
        for cell in cells
    ]


def _say_label(text: str | None) -> str:
    if text is None:
        return "the label is empty; expected a class: fill it in, or remove the row"
    return (
        f"the label {quote(text)} has a line end in it; expected a word: remove it, or close the"
        " quote before it"
    )


def _say_feature(text: str | None) -> str:
    if text is None:
        return "the cell is empty; expected a number: fill it in, or remove the row"
    if re.fullmatch(_NOT_FINITE, text):
        return f"{text!r} is not finite; expected a number: correct it, or remove the row"
    if re.fullmatch(NUMBER, text):
        return (
            f"{quote(text)} is infinite in float32; expected a number up to 3.4e38: scale the"
            " column, or remove the row"
        )
    return (
        f"{quote(text)} is not a number; expected one such as 5.1 or 1e-3, without spaces or units:"
        f" correct it, or take the column out of features"
        f"{'; is a quote left open before it?' if chr(10) in text else ''}"
    )
