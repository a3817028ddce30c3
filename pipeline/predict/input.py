"""Reads the rows to predict for: checks them like the training data, and keeps them in blocks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.data.check import header_place, hint_at_header, read_headers
from pipeline.data.column_rules import make_feature_rules
from pipeline.data.file_errors import FAULTS_SHOWN, data_error, explain_no_rows, explain_read_errors
from pipeline.data.files import look_up, quote_names
from pipeline.errors import DataError, did_you_mean
from pipeline.predict.blocks import write_block
from pipeline.predict.model import PushedModel
from pipeline.settings.config import Config
from tabular.csv.column_rules import ColumnRules, quote
from tabular.csv.decoding import Utf8Stream
from tabular.csv.dialect import Dialect
from tabular.csv.quarantine import write_quarantine
from tabular.csv.row_checks import Indices, explain_faults, read_usable
from tabular.csv.types import ColumnType, widen_types
from trainer.settings.feature_base import RawType
from trainer.settings.features import Categorical, Feature, Numeric

_NOT_CONFIGURED: Mapping[RawType, Feature] = {"float": Numeric(fill="mean"), "bytes": Categorical()}
"""The feature of a column that the model reads but that is not in the configuration."""


@dataclass(frozen=True)
class InputRows:
    """The rows of the input.

    Attributes:
        blocks: Paths of the blocks of rows that can be used, as they are written, in their order.
        types: Input column to its type.
        predicted: Number of rows in the blocks.
        quarantined: Number of the other rows.
        faults: Faults of the other rows, as in `Block.faults`.
    """

    blocks: tuple[str, ...]
    types: Mapping[str, ColumnType]
    predicted: int
    quarantined: int
    faults: Indices


def check_input(path: Path, model: PushedModel, version: int, dialect: Dialect) -> list[str]:
    """Checks that the file has the columns that the model reads.

    Args:
        path: The file.
        model: The model.
        version: Version of the model, for the message.
        dialect: How the file is written.

    Returns:
        The names of all columns of the file.

    Raises:
        DataError: If it is not a CSV file, or lacks columns.
    """
    look_up(path, "--input")
    try:
        header = read_headers([str(path)], dialect)
        place = header_place(str(path), dialect)
    except OSError as error:
        raise DataError(f"{path}: cannot be read, {error.strerror}; expected a CSV file") from None
    missing = [name for name in model.inputs if name not in header]
    if missing:
        raise data_error(
            f"{place}: there is no column {quote(name)}, which version {version} reads; expected it"
            f" among {quote_names(header)}: add or rename it"
            f"{hint_at_header(header, dialect) or did_you_mean(name, header)}"
            for name in missing
        )
    return header


def make_rules(config: Config, model: PushedModel) -> ColumnRules:
    """Makes the rules of the columns that the model reads; label and weight have none."""
    features: dict[str, Feature] = {}
    for name, raw_type in model.inputs.items():
        feature = config.features.get(name, _NOT_CONFIGURED[raw_type])
        features[name] = feature if feature.raw_type == raw_type else _NOT_CONFIGURED[raw_type]
    return make_feature_rules(features, config.data.csv.decimal)


def read_rows(
    config: Config, path: Path, header: Sequence[str], rules: ColumnRules, scratch_dir: Path
) -> InputRows:
    """Checks all rows, and writes those that can be used as blocks.

    Args:
        config: The configuration.
        path: The file.
        header: Its columns.
        rules: The rules of the columns.
        scratch_dir: Folder of the blocks.

    Raises:
        DataError: If no row can be used, or if more are quarantined than `data.quarantine` allows.
    """
    dialect = config.data.csv.dialect
    types = {**dict.fromkeys(header, ColumnType.UNKNOWN), **rules.types}
    blocks: list[str] = []
    faults: list[Indices] = [np.empty((0, 2), np.int64)]
    predicted = quarantined = 0
    with explain_read_errors(str(path), dialect):
        for block in read_usable(Utf8Stream(path, dialect), rules):
            types |= widen_types(types, block.batch, dialect.decimal, without=rules.types)
            predicted += len(block.batch)
            quarantined += block.quarantined
            faults.append(block.faults)
            if len(block.batch):
                blocks.append(str(scratch_dir / f"block-{len(blocks):06d}"))
                write_block(blocks[-1], block.written)
    rows = InputRows(tuple(blocks), types, predicted, quarantined, np.concatenate(faults))
    _check_budget(config, path, rows, rules)
    return rows


def _check_budget(config: Config, path: Path, rows: InputRows, rules: ColumnRules) -> None:
    count = rows.predicted + rows.quarantined
    if count == 0:
        raise DataError(explain_no_rows(str(path)))
    if rows.predicted and config.data.quarantine.budget.allows(rows.quarantined, count):
        return
    shown = rows.faults[:FAULTS_SHOWN]
    found = explain_faults(str(path), rules, config.data.csv.dialect, shown)
    heading = (
        f"{rows.quarantined:,} of {count:,} rows cannot be used, more than data.quarantine allows"
        if rows.predicted
        else "no row can be used"
    )
    raise data_error((f"{path}:{fault}" for fault in found), len(rows.faults), heading)


def write_quarantined_rows(
    target: Path, path: Path, rows: InputRows, rules: ColumnRules, dialect: Dialect
) -> None:
    """Writes the rows that cannot be used as CsvExampleGen does.

    Args:
        target: The quarantine file.
        path: The input.
        rows: Its rows.
        rules: The rules that found the faults.
        dialect: How the input is written.
    """
    with target.open("w", encoding="utf-8", newline="") as file:
        write_quarantine(file, {str(path): rows.faults}, rules, dialect)
