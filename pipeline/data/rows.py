"""Reads the rows of the CSV files once, and collects what a run needs to know about them."""

from collections.abc import Collection, Mapping, Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from components.csv_example_gen.splits import hash_buckets, split_rows
from pipeline.data.class_labels import ClassLabels
from pipeline.data.column_profile import ColumnProfile
from pipeline.data.column_rules import make_data_rules
from pipeline.data.file_errors import FAULTS_SHOWN, data_error, explain_no_rows, explain_read_errors
from pipeline.data.label_gaps import LabelGaps
from pipeline.data.labels import Labels
from pipeline.data.number_labels import NumberLabels
from pipeline.data.row_sample import RowSample
from pipeline.data.table_profiler import TableProfiler
from pipeline.errors import DataError
from pipeline.settings.config import Config
from tabular.csv.arrow_numpy import filter_rows
from tabular.csv.checked_files import CheckedFiles
from tabular.csv.column_rules import ColumnRules, Mask
from tabular.csv.decoding import Utf8Stream
from tabular.csv.file_patterns import ALL
from tabular.csv.reader import read_header
from tabular.csv.row_checks import Indices, explain_faults, read_usable
from tabular.csv.row_counts import RowCounts
from tabular.csv.types import ColumnType, decide_type, widen_types


class Rows:
    """Findings about the rows of all files.

    Attributes:
        labels: The labels of the rows that can be used.
        sample: A sample of the rows that can be used.
        counts: What becomes of all rows.
    """

    def __init__(
        self,
        config: Config,
        files: Mapping[str, Sequence[str]],
        *,
        profiled: Collection[str] = (),
        count_splits: bool = True,
    ) -> None:
        """Reads each file once.

        Args:
            config: The configuration; its `auto` features have no rules.
            files: Split name, or `all`, to its files, which have the same header with all columns
                of the configuration.
            profiled: Columns to profile.
            count_splits: Whether to count the rows of each split, for which each row is hashed;
                else only rows whose label is not yet known in every split are.

        Raises:
            DataError: If a file is not a table, or the label has too many distinct values.
        """
        self._config = config
        self._dialect = config.data.csv.dialect
        self._rules = make_data_rules(config)
        self._types: dict[str, ColumnType] = {}
        self._digests: dict[str, str] = {}
        self._first_faults: dict[str, Indices] = {}
        self._faults = 0
        self._profiled = list(profiled)
        self._train = TableProfiler(self._dialect.decimal)
        self._others = TableProfiler(self._dialect.decimal)
        paths = tuple(chain.from_iterable(files.values()))
        self._header = read_header(paths[0], self._dialect)
        kind = NumberLabels if config.task == "regression" else ClassLabels
        self.labels: Labels = kind(config, paths, count_splits=count_splits)
        self.sample = RowSample()
        self._label_gaps = LabelGaps()
        self.counts = RowCounts()
        for split, path in ((split, path) for split, paths in files.items() for path in paths):
            with explain_read_errors(path, self._dialect):
                self._read_file(path, split)

    @property
    def profiles(self) -> dict[str, ColumnProfile]:
        """Profiled column to its profile in the train split."""
        return self._train.profiles()

    @property
    def is_within_budget(self) -> bool:
        """Whether no more rows are quarantined than `data.quarantine` allows."""
        return self._config.data.quarantine.budget.allows(self.counts.quarantined, self.counts.read)

    def surely_fit(self, rules: ColumnRules) -> bool:
        """Whether all cells of the profiled columns are known to follow further rules."""
        profiles = [*self._train.profiles().values(), *self._others.profiles().values()]
        return all(
            profile.surely_fits(rules.cells[profile.name])
            and profile.name not in self._dialect.numbers
            for profile in profiles
            if profile.name in rules.cells
        )

    def train_sample(self) -> pa.Table | None:
        """Gives the rows of the sample that are in the train split; None if there are none."""
        train = self._config.data.splits.index("train")
        batches = [
            filter_rows(batch, RowSplits(self._config, batch, split).of() == train)
            for split, batch in self.sample.batches
        ]
        return pa.Table.from_batches(batches).combine_chunks() if any(map(len, batches)) else None

    def filled_as_label(self) -> frozenset[str]:
        """Finds the columns that have a value exactly where the label has one."""
        return self._label_gaps.find()

    def checked_files(self, rules: ColumnRules) -> CheckedFiles:
        """Gives the findings for the nodes that read the files again.

        Args:
            rules: The rules of the features to run, which decide the types of their columns.
        """
        found = {name: decide_type(found) for name, found in self._types.items()}
        types = {**found, **rules.types, self.labels.column: self.labels.column_type}
        in_order = {name: types[name] for name in self._header}
        return CheckedFiles(self.counts.read, in_order, self._digests)

    def check_budget(self) -> None:
        """Checks that no more rows are quarantined than `data.quarantine` allows.

        Raises:
            DataError: If there are more, or if no row is left; explains the first faults.
        """
        if not self.is_within_budget:
            raise data_error(self._explain(), self._faults, self._budget_heading())
        if not self.counts.examples and not self.counts.quarantined:
            raise DataError(self.labels.explain_no_label())
        if not self.counts.examples:
            raise data_error(self._explain(), self._faults, "no row can be used")

    def _read_file(self, path: str, split: str) -> None:
        text = Utf8Stream(path, self._dialect)
        before = self.counts.read
        first: Indices = np.empty((0, 2), dtype=np.int64)
        for block in read_usable(text, self._rules, self._header):
            self.counts += block.counts
            self._faults += len(block.faults)
            first = np.concatenate([first, block.faults])[:FAULTS_SHOWN]
            self.labels.blanks.add(block.with_blanks)
            self.labels.unlabeled += block.unlabeled
            if len(block.batch):
                self._add(block.batch, RowSplits(self._config, block.batch, split))
                self.sample.add(block.batch, split)
            self._label_gaps.add(block.batch, block.without_label)
        if self.counts.read == before:
            raise DataError(explain_no_rows(path))
        self._first_faults[path] = first
        self._digests[path] = text.digest

    def _add(self, batch: pa.RecordBatch, splits: "RowSplits") -> None:
        self.labels.add(batch[self._config.data.label], splits.of)
        without = {*self._rules.types, self.labels.column}
        self._types |= widen_types(self._types, batch, self._dialect.decimal, without=without)
        if self._profiled:
            is_train = splits.of() == self._config.data.splits.index("train")
            cells = [batch[name] for name in self._profiled]
            columns = pa.RecordBatch.from_arrays(cells, self._profiled)
            self._train.add(columns.filter(pa.array(is_train)))
            self._others.add(columns.filter(pa.array(~is_train)))

    def _explain(self) -> list[str]:
        shown: list[str] = []
        for path, faults in self._first_faults.items():
            if len(faults) and len(shown) < FAULTS_SHOWN:
                found = explain_faults(path, self._rules, self._dialect, faults)
                shown += (f"{path}:{fault}" for fault in found)
        return shown

    def _budget_heading(self) -> str:
        """Describes by how much the budget is exceeded; empty if there is no budget."""
        settings = self._config.data.quarantine
        if not (settings.max_rows or settings.max_share):
            return ""
        wrong, read = self.counts.quarantined, self.counts.read
        allowed = max(settings.max_rows, int(settings.max_share * read))
        return (
            f"{wrong:,} of {read:,} rows cannot be used; expected at most {allowed:,}: correct"
            " these, or raise data.quarantine"
        )


class RowSplits:
    """The splits of a batch's rows; hashes only the rows whose split is needed."""

    def __init__(self, config: Config, batch: pa.RecordBatch, split: str) -> None:
        """Hashes nothing yet.

        Args:
            config: The configuration.
            batch: The rows.
            split: The split of their file, or `all` if a hash decides.
        """
        self._config = config
        self._batch = batch
        self._split = split
        self._all: npt.NDArray[np.int64] | None = None

    def of(self, rows: Mask | None = None) -> npt.NDArray[np.int64]:
        """Gives the index of the split of each row.

        Args:
            rows: Mask that selects rows, `[n]`; None selects all.

        Returns:
            Indices in `data.splits`, int64 `[number of selected rows]`.
        """
        if rows is None and self._all is None:
            self._all = self._find(self._batch)
        if self._all is not None:
            return self._all if rows is None else self._all[rows]
        return self._find(self._batch.filter(pa.array(rows)))

    def _find(self, batch: pa.RecordBatch) -> npt.NDArray[np.int64]:
        data = self._config.data
        if self._split != ALL:
            return np.full(len(batch), data.splits.index(self._split))
        buckets = list(hash_buckets(data.split.shares).values())
        return np.array(split_rows(batch, buckets, data.split.by), dtype=np.int64)
