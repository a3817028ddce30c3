"""The findings about CSV files that a run passes to its nodes."""

from collections.abc import Iterable
from pathlib import Path

from components.csv_example_gen.options import Options
from pipeline.data.column_rules import make_column_rules
from tabular.csv.checked_files import CheckedFiles
from tabular.csv.column_rules import ColumnRules
from tabular.csv.decoding import Utf8Stream
from tabular.csv.dialect import Dialect
from tabular.csv.quarantine import Budget
from tabular.csv.reader import read_header
from tabular.csv.row_checks import read_usable
from tabular.csv.types import ColumnType, decide_class_type, decide_type, widen_types
from trainer.settings.train import TrainerSettings

RFC_4180 = Dialect()
NOTHING = Budget()


def check_files(
    paths: Iterable[Path], rules: ColumnRules, dialect: Dialect = RFC_4180
) -> CheckedFiles:
    """Checks files as `check_data` does."""
    types: dict[str, ColumnType] = {}
    digests = {}
    rows = 0
    header: list[str] = []
    for path in paths:
        header = header or read_header(path, dialect)
        text = Utf8Stream(path, dialect)
        for block in read_usable(text, rules):
            types |= widen_types(types, block.batch, dialect.decimal, without=rules.types)
            rows += block.read
        digests[str(path)] = text.digest
    decided = {name: decide_type(found) for name, found in types.items()}
    if rules.label in types:
        decided[rules.label] = decide_class_type(types[rules.label])
    decided |= rules.types
    return CheckedFiles(rows, {name: decided[name] for name in header}, digests)


def make_options(
    paths: Iterable[Path],
    settings: TrainerSettings,
    dialect: Dialect = RFC_4180,
    budget: Budget = NOTHING,
) -> Options:
    """Checks files, and makes the options of CsvExampleGen for them."""
    rules = make_column_rules(settings, dialect.decimal)
    return Options(rules, dialect, budget, check_files(paths, rules, dialect))
