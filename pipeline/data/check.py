"""Checks the CSV files before any node runs, and explains where they are wrong and how to fix them.

This module checks files and headers, `rows.py` the rows, and `labels.py` the labels. Each file is
read once, in blocks, whatever its size; only if there is a fault, `file_errors.py` looks for its
line. No TensorFlow, so that a small file is checked at once.
"""

import re
import stat
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import pyarrow as pa

from pipeline.data.auto_features import auto_columns, choose_features
from pipeline.data.column_rules import make_data_rules
from pipeline.data.file_errors import data_error, explain_empty_file, explain_read_errors
from pipeline.data.file_format import check_format
from pipeline.data.files import find_files, list_csv_files, look_up, quote_names
from pipeline.data.findings import DataSummary
from pipeline.data.rows import Rows
from pipeline.data.suspicious_features import find_suspicious
from pipeline.errors import DataError, did_you_mean
from pipeline.settings.config import Config
from pipeline.settings.run_sections import SkewSettings
from tabular.csv.checked_files import CheckedFiles
from tabular.csv.column_rules import NUMBER, ColumnRules, quote
from tabular.csv.decoding import Utf8Stream
from tabular.csv.dialect import Dialect
from tabular.csv.reader import read_header
from tabular.csv.records import read_records
from tabular.csv.row_checks import read_usable
from tabular.csv.row_counts import RowCounts
from tabular.csv.types import ColumnType, widen_types
from trainer.settings.column_names import ALL_OTHERS
from trainer.settings.feature_names import raw_types

MAX_COLUMNS = 5_000
"""A run over a thousand columns takes some minutes of a processor and 1.5 GB."""


@dataclass(frozen=True)
class CheckedData:
    """Data that the pipeline can learn from.

    Attributes:
        config: The configuration to run, with chosen features and the findings of the check.
        files: Paths of the files, in the order in which they are read.
        rows: Split name to its number of rows; empty if splits were not counted.
        classes: The classes by class id; empty in a regression.
        counts: What becomes of the rows of all splits.
        summary: The columns whose features were `auto`, and what a person should check.
    """

    config: Config
    files: tuple[str, ...]
    rows: Mapping[str, int]
    classes: tuple[str, ...]
    counts: RowCounts = field(default_factory=RowCounts)
    summary: DataSummary = field(default_factory=DataSummary)

    @property
    def quarantined(self) -> int:
        """Number of rows that cannot be used and will be quarantined."""
        return self.counts.quarantined


def check_data(config: Config, *, count_splits: bool = True) -> CheckedData:
    """Reads all of the data once, and checks that the pipeline can learn from it.

    It reads the data again only if some rows may not fit the features that were chosen by the train
    split, or to explain a fault.

    Args:
        config: The configuration; the data must have the columns and classes that it names.
        count_splits: Whether to count the rows of each split, for which each row has to be hashed.

    Raises:
        DataError: If the pipeline cannot learn from the data. The message has a line per fault.
    """
    try:
        if config.data.schema_path is not None:
            _check_schema(config.resolve(config.data.schema_path))
        files = find_files(config)
        paths = tuple(chain.from_iterable(files.values()))
        dialect = config.data.csv.dialect
        header = read_headers(paths, dialect)
        _check_renamed(paths[0], dialect)
        _check_columns(config, header_place(paths[0], dialect), header)
        skew = config.validation.skew
        skew_paths = [] if skew is None else _find_skew_files(config, skew)
        config, rows, summary = _read_rows(config, files, header, count_splits=count_splits)
        classes = _check_labels(config, files, rows)
        rules = make_data_rules(config)
        checked_skew = _check_skew(skew_paths, rules, dialect) if skew_paths else None
    except OSError as error:
        place = error.filename or config.data_path
        fix = ": allow this user to (chmod)" if isinstance(error, PermissionError) else ""
        raise DataError(
            f"{place}: cannot be read, {error.strerror}; expected a readable file{fix}"
        ) from None
    found = find_suspicious(config, rows.train_sample(), rows.sample.one_in, rows.filled_as_label())
    kinds = {name: feature.kind for name, feature in config.features.items()}
    label = config.data.label
    if in_label := (*rows.labels.findings(), *found.get(label, ())):
        found = {label: in_label} | {name: each for name, each in found.items() if name != label}
    summary = summary.with_findings(found, {**kinds, label: "label"})
    warnings = [f"{name}: {one.text}" for name, findings in found.items() for one in findings]
    config = config.with_checked_files(rows.checked_files(rules), checked_skew, warnings)
    counts = rows.labels.counts if count_splits else {}
    rows.counts.check()
    return CheckedData(config, paths, counts, classes, rows.counts, summary)


def _read_rows(
    config: Config,
    files: Mapping[str, Sequence[str]],
    header: Sequence[str],
    *,
    count_splits: bool,
) -> tuple[Config, Rows, DataSummary]:
    """Reads the rows, and chooses and summarizes the `auto` features by them."""
    summary = DataSummary()
    auto = auto_columns(config, header)
    rows = Rows(config, files, profiled=auto, count_splits=count_splits)
    if auto and rows.profiles:
        try:
            config, summary = choose_features(config, header, rows.profiles)
        except DataError:
            # Rows or labels that are wrong explain more than that no column is left.
            rows.check_budget()
            _check_labels(config, files, rows)
            raise
        rules = make_data_rules(config)
        if not rows.surely_fit(rules) or not rows.is_within_budget:
            rows = Rows(config, files, count_splits=count_splits)
    rows.check_budget()
    return config, rows, summary


def _check_labels(
    config: Config, files: Mapping[str, Sequence[str]], rows: Rows
) -> tuple[str, ...]:
    """Checks the labels, and gives the classes; counts all rows if an error has to name counts."""
    try:
        return rows.labels.check()
    except DataError:
        return Rows(config, files, count_splits=True).labels.check()


def _check_schema(path: Path) -> None:
    if stat.S_ISDIR(look_up(path, "data.schema").st_mode):
        raise DataError(f"{path}: is a folder; expected a schema.pbtxt: correct data.schema")
    from pipeline.data.schema_text import read_schema

    read_schema(path)


def _find_skew_files(config: Config, skew: SkewSettings) -> Sequence[str]:
    """Finds the files of `validation.skew`, and checks their headers."""
    dialect = config.data.csv.dialect
    paths = list_csv_files(config.resolve(skew.path), "validation.skew.path")
    header = read_headers(paths, dialect)
    named = [("validation.skew.columns", name) for name in skew.columns if name != ALL_OTHERS]
    _check_names(named, header_place(paths[0], dialect), header, dialect)
    return paths


def _check_skew(paths: Sequence[str], rules: ColumnRules, dialect: Dialect) -> CheckedFiles:
    """Reads every row of the files of `validation.skew`.

    Args:
        paths: The files.
        rules: The rules of the training data, which say what columns are numbers.
        dialect: How the files are written.
    """
    numbers = [name for name, found in rules.types.items() if found == ColumnType.FLOAT]
    rows, types, digests = 0, dict[str, ColumnType](), {}
    for path in paths:
        text = Utf8Stream(path, dialect)
        with explain_read_errors(path, dialect):
            for block in read_usable(text, ColumnRules({}, {}, rules.label)):
                if len(block.faults):
                    raise pa.ArrowInvalid("not a table")
                types |= widen_types(types, block.batch, dialect.decimal, numbers=numbers)
                rows += len(block.batch)
        digests[path] = text.digest
    return CheckedFiles(rows, types, digests)


def read_headers(paths: Sequence[str], dialect: Dialect) -> list[str]:
    """Reads the header that all files have in common, and checks the format of each file.

    Raises:
        DataError: If a file is not a CSV file, or if headers differ or have faults.
    """
    first: list[str] = []
    faults: list[str] = []
    for path in paths:
        if not Path(path).is_file():
            raise DataError(f"{path}: is not a file; expected a CSV file: rename or move it")
        with explain_read_errors(path, dialect):
            check_format(path, dialect)
            header = read_header(path, dialect)
            check_width(path, header)
            record = next(read_records(path, dialect), None)
            if record is None:
                raise DataError(explain_empty_file(path))
            if not record.is_closed or len(record.cells) != len(header):
                raise pa.ArrowInvalid("too few names")
        first = first or header
        found = [*_faults_of_names(header), *_differences(header, first, paths[0])]
        faults += [f"{header_place(path, dialect)}: {fault}" for fault in found]
    if faults:
        raise data_error(faults)
    return first


def check_width(path: str, header: Sequence[str]) -> None:
    """Checks that a table is not too wide: time and memory of a run grow with its columns.

    Raises:
        DataError: If it has more than `MAX_COLUMNS`.
    """
    if len(header) > MAX_COLUMNS:
        raise DataError(
            f"{path}: {len(header):,} columns; expected at most {MAX_COLUMNS:,}: leave out those"
            " that the model need not read, or check data.csv.separator"
        )


def header_place(path: str, dialect: Dialect) -> str:
    """Gives the place of a header: `path:line`."""
    return f"{path}:{next(read_records(path, dialect)).line}"


def _faults_of_names(header: Sequence[str]) -> Iterator[str]:
    for name, count in Counter(header).items():
        if count > 1:
            yield (
                f"{count} columns have the name {quote(name)}; expected different names: rename"
                " or remove all but one"
            )


def _differences(header: Sequence[str], first: Sequence[str], first_path: str) -> Iterator[str]:
    expected = f"expected {quote_names(first)}, as in {first_path}: make the headers alike"
    here, there = set(header), set(first)
    lacking = [name for name in first if name not in here]
    added = [name for name in header if name not in there]
    if lacking or added:
        lacks = f"lacks {quote_names(lacking)}" * bool(lacking)
        adds = f"has {quote_names(added)} in addition" * bool(added)
        hint = did_you_mean(added[0], lacking) if added else ""
        yield f"{' and '.join(filter(None, [lacks, adds]))}; {expected}{hint}"


def _check_renamed(path: str, dialect: Dialect) -> None:
    """Checks that the header has the titles that are renamed."""
    titles = [title.strip() for title in next(read_records(path, dialect)).cells]
    missing = [title for title, _ in dialect.rename if title.strip() not in titles]
    if missing:
        raise data_error(
            f"{header_place(path, dialect)}: there is no column {quote(title)}; expected one of"
            f" {quote_names(titles)}: correct data.csv.rename{did_you_mean(title, titles)}"
            for title in missing
        )


def _check_columns(config: Config, place: str, header: Sequence[str]) -> None:
    """Checks that the header has all columns that the configuration names."""
    named = [("data.label", config.data.label)]
    if config.data.weight is not None:
        named.append(("data.weight", config.data.weight))
    if config.data.split.by is not None:
        named.append(("data.split.by", config.data.split.by))
    named += [("features", name) for name in raw_types(config.features)]
    auto = (name for name, feature in config.features.items() if feature.kind == "auto")
    named += [("features", name) for name in auto if name != ALL_OTHERS]
    named += [("data.csv.numbers", name) for name in config.data.csv.numbers]
    slices = chain.from_iterable(config.evaluation.slices)
    named += [("evaluation.slices", name) for name in slices]
    named += [("validation.drift", name) for name in config.validation.drift if name != ALL_OTHERS]
    if config.validation.skew is not None:
        columns = config.validation.skew.columns
        named += [("validation.skew.columns", name) for name in columns if name != ALL_OTHERS]
    _check_names(named, place, header, config.data.csv.dialect)


def _check_names(
    named: Sequence[tuple[str, str]], place: str, header: Sequence[str], dialect: Dialect
) -> None:
    """Checks that the header has the named columns.

    Args:
        named: Key of the setting and name of the column.
        place: Place of the header.
        header: Names in it.
        dialect: How it was read.
    """
    missing = dict.fromkeys((key, name) for key, name in named if name not in header)
    if missing:
        raise data_error(
            f"{place}: there is no column {quote(name)}; expected one of {quote_names(header)}:"
            f" correct {key} or the header"
            f"{hint_at_header(header, dialect) or did_you_mean(name, header)}"
            for key, name in missing
        )


def hint_at_header(header: Sequence[str], dialect: Dialect) -> str:
    """Guesses why a header lacks columns: it is another line, or the separator is another one."""
    if dialect.skip_lines:
        return f"; data.csv.skip_lines leaves out the {dialect.skip_lines} lines above it"
    if any(re.fullmatch(NUMBER, name) for name in header):
        return (
            "; there are numbers in this line: is the header missing? Set data.csv.header to false"
            " and name the columns in data.csv.names"
        )
    if len(header) > 1 or dialect.separator in header[0]:
        return ""
    other = next((mark for mark in ",;\t|" if mark in header[0]), None)
    if other is None:
        return "; is it a title? Set data.csv.skip_lines to the number of lines above the header"
    by = "commas" if dialect.separator == "," else repr(dialect.separator)
    return f"; this line holds {other!r}: separate the cells by {by}, or set data.csv.separator"
