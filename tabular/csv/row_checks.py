"""Decides which rows of CSV files can be used, and explains the faults of others; no TensorFlow.

The check before a run, CsvExampleGen and batch prediction all use it, so that they agree.
"""

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tabular.csv.arrow_numpy import to_numpy, to_strings
from tabular.csv.column_rules import CellRule, ColumnRules, Mask, quote
from tabular.csv.decoding import BAD_BYTE, BAD_BYTE_MARK, Utf8Stream, opens_quote
from tabular.csv.dialect import Dialect
from tabular.csv.label_cells import trim_label, trim_label_column
from tabular.csv.plain_numbers import plain_columns
from tabular.csv.reader import read_blocks, read_header
from tabular.csv.records import Record, read_records, select_records
from tabular.csv.row_counts import RowCounts

Indices = npt.NDArray[np.int64]
_WHOLE_ROW = -1
_NO_CELLS = to_strings([])
_LINE_END = re.compile("\r\n|\r|\n")
_SEPARATOR_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", " ": "space", "|": "bar"}


@dataclass(frozen=True)
class Block:
    """Some consecutive rows of a file.

    Attributes:
        batch: The rows that can be used: string columns, null where a value is missing; numbers
            that the dialect describes are plain.
        written: The same rows as they are written.
        faults: The faults of other rows, int64 `[n, 2]`, in the order of rows: index of the row in
            the file, and index of the column, -1 for the row as a whole.
        read: Number of all rows.
        without_label: The rows that are left out since their label is missing.
        with_blanks: The labels that were read without the blanks around them, as they were.
    """

    batch: pa.RecordBatch
    written: pa.RecordBatch
    faults: Indices
    read: int
    without_label: pa.RecordBatch
    with_blanks: pa.StringArray

    @property
    def unlabeled(self) -> int:
        """Number of rows that are left out since their label is missing."""
        return len(self.without_label)

    @property
    def quarantined(self) -> int:
        """Number of rows that cannot be used."""
        return len(np.unique(self.faults[:, 0]))

    @property
    def counts(self) -> RowCounts:
        """What became of the rows."""
        return RowCounts(self.read, len(self.batch), self.quarantined, self.unlabeled)


@dataclass(frozen=True)
class Fault:
    """A cell or row that cannot be used, explained.

    Attributes:
        row: Index of the row in its file.
        line: Its line in the file.
        column: Name of the column, empty for the row as a whole.
        reason: What is wrong, what is expected, and how to fix it.
        is_encoding: Whether the cell cannot be decoded.
        text: The text of the row in the file.
    """

    row: int
    line: int
    column: str
    reason: str
    is_encoding: bool
    text: str

    def __str__(self) -> str:
        column = f"column {quote(self.column)}" if self.is_encoding else self.column
        return f"{self.line}: {column}: {self.reason}" if column else f"{self.line}: {self.reason}"


def read_usable(
    text: Utf8Stream, rules: ColumnRules, columns: Sequence[str] | None = None
) -> Iterator[Block]:
    """Reads a file of any size and checks every row.

    Args:
        text: The file, unread.
        rules: The rules of its columns; the file may lack some columns.
        columns: The order of the columns in the batches; None: that in the file.

    Yields:
        All of its rows, in blocks.

    Raises:
        pa.ArrowInvalid: If the file as a whole is not a table.
        UnicodeError: And the other errors of `Utf8Stream.read`.
    """
    header = read_header(text.path, text.dialect)
    rules_by_index = {
        header.index(name): rule for name, rule in rules.cells.items() if name in header
    }
    by_name = np.argsort(np.argsort(header))
    ragged: deque[int] = deque()
    last = None
    next_row = 0
    dialect = text.dialect
    for written, may_have_bad_bytes in read_blocks(text, ragged.append):
        rows, left_out = _number_rows(next_row, len(written), ragged)
        next_row += len(rows) + len(left_out)
        last = written if len(written) else last  # a block of blank lines has no rows
        read = len(rows) + len(left_out)
        batch, misfits = plain_columns(written, dialect.numbers, dialect.decimal)
        batch, with_blanks = trim_label_column(batch, rules.label, dialect)
        without_label = batch[:0]
        if rules.skips_unlabeled and (is_labeled := _find_labeled(batch, rules.label)) is not None:
            without_label = batch.filter(pa.array(~is_labeled))
            batch, written = (each.filter(pa.array(is_labeled)) for each in (batch, written))
            misfits = {name: mask[is_labeled] for name, mask in misfits.items()}
            rows = rows[is_labeled]
        wrong = _find_wrong(batch, rules_by_index, misfits, may_have_bad_bytes=may_have_bad_bytes)
        is_usable = _is_usable(wrong)
        usable = _select(batch, is_usable, columns)
        as_written = usable if batch is written else _select(written, is_usable, columns)
        faults = _sort_faults(wrong, rows, left_out, by_name)
        yield Block(usable, as_written, faults, read, without_label, with_blanks)
    _check_end(text, last, has_ragged_end=bool(ragged))
    if ragged:
        empty = pa.RecordBatch.from_arrays([_NO_CELLS] * len(header), header)
        faults = _sort_faults({}, np.arange(0), list(ragged), by_name)
        yield Block(empty, empty, faults, len(ragged), empty, _NO_CELLS)


def _find_labeled(batch: pa.RecordBatch, label: str | None) -> Mask | None:
    """Finds the rows whose label is there; None if that is all of them."""
    if label not in batch.schema.names or not batch[label].null_count:
        return None
    is_labeled: Mask = to_numpy(pc.is_valid(batch[label]), null=False)
    return is_labeled


def _is_usable(wrong: Mapping[int, Mask]) -> pa.Array | None:
    """Makes the mask of the rows without a wrong cell; None if no cell is wrong."""
    return pa.array(~np.logical_or.reduce(list(wrong.values()))) if wrong else None


def _select(
    batch: pa.RecordBatch, is_usable: pa.Array | None, columns: Sequence[str] | None
) -> pa.RecordBatch:
    """Selects the usable rows, and the columns in their order, if one is given."""
    usable = batch if is_usable is None else batch.filter(is_usable)
    if columns is None or list(columns) == batch.schema.names:
        return usable
    return pa.RecordBatch.from_arrays([usable[name] for name in columns], list(columns))


def _find_wrong(
    batch: pa.RecordBatch,
    rules: Mapping[int, CellRule],
    misfits: Mapping[str, Mask],
    *,
    may_have_bad_bytes: bool,
) -> dict[int, Mask]:
    """Finds the cells that cannot be used: index of the column to a mask, if it has any."""
    wrong: dict[int, Mask] = {}
    columns = batch.columns
    for index, column in enumerate(columns if may_have_bad_bytes else ()):
        has_mark = pc.match_substring(column, BAD_BYTE_MARK)
        wrong[index] = to_numpy(has_mark, null=False)
        columns[index] = pc.if_else(pc.invert(has_mark), column, None)
    for index, rule in rules.items():
        misfit = misfits.get(batch.schema.names[index], False)
        wrong[index] = rule.find_wrong(columns[index]) | misfit | wrong.get(index, False)
    return {index: mask for index, mask in wrong.items() if mask.any()}


def _number_rows(first: int, count: int, ragged: "deque[int]") -> tuple[Indices, list[int]]:
    """Gives the indices in the file of a batch's rows, and of the ragged rows between them."""
    left_out: list[int] = []
    while ragged and ragged[0] < first + count + len(left_out):
        left_out.append(ragged.popleft())
    rows = np.arange(first, first + count + len(left_out))
    return np.setdiff1d(rows, left_out, assume_unique=True), left_out


def _sort_faults(
    wrong: dict[int, Mask], rows: Indices, ragged: Sequence[int], by_name: Indices
) -> Indices:
    """Makes the table of faults, sorted by row, then by the name of the column."""
    faults = [np.array([[row, _WHOLE_ROW] for row in ragged], dtype=np.int64).reshape(-1, 2)]
    for index, mask in wrong.items():
        found = rows[mask]
        faults.append(np.stack([found, np.full_like(found, index)], axis=1))
    table = np.concatenate(faults)
    order = np.lexsort([by_name[table[:, 1]], table[:, 0]])
    return cast(Indices, table[order])


def _check_end(text: Utf8Stream, last: pa.RecordBatch | None, *, has_ragged_end: bool) -> None:
    """Checks that no quote is open at the end of the file: it would enclose the last rows.

    The number of quotes does not tell: inside an unquoted cell (5" pipe), a quote is a plain
    character. If the last row is on one line, that line decides; else all records are read.

    Raises:
        pa.ArrowInvalid: If a quote is open.
    """
    if not text.has_quotes:
        return
    cells = [] if last is None else [column[len(last) - 1].as_py() for column in last]
    line = text.last_line
    if has_ragged_end or line is None or any(_LINE_END.search(cell) for cell in cells if cell):
        is_open = any(not record.is_closed for record in read_records(text.path, text.dialect))
    else:
        is_open = opens_quote(line, text.dialect)
    if is_open:
        raise pa.ArrowInvalid(f"{text.path}: a quote never closes")


def explain_faults(
    path: str, rules: ColumnRules, dialect: Dialect, faults: Indices
) -> Iterator[Fault]:
    """Explains faults, for which it reads the file once more.

    Args:
        path: The file.
        rules: The rules that found the faults.
        dialect: How the file is written.
        faults: Some faults of the file, as in `Block.faults`.
    """
    header = read_header(path, dialect)
    columns: dict[int, list[int]] = {}
    for row, column in faults.tolist():
        columns.setdefault(row, []).append(column)
    for row, record in select_records(path, dialect, columns):
        for index in columns[row]:
            line, name, is_encoding = record.line, "", False
            if index == _WHOLE_ROW:
                reason = explain_ragged_row(record, len(header), dialect)
            else:
                name, cell = header[index], record.cells[index]
                cell = trim_label(cell, dialect) if name == rules.label else cell
                is_encoding = bool(BAD_BYTE.search(cell))
                if is_encoding or name not in rules.cells:
                    line, reason = explain_bad_byte(record, index, dialect)
                else:
                    reason = _explain_cell(name, cell, rules.cells[name], dialect)
            yield Fault(row, line, name, reason, is_encoding, record.text)


def _explain_cell(name: str, cell: str, rule: CellRule, dialect: Dialect) -> str:
    """Explains why a cell breaks its rule, or is not written as its numbers are."""
    text = None if cell in ("", *dialect.null_values) else cell
    column = pa.RecordBatch.from_arrays([pa.array([text], pa.string())], [name])
    plain, misfits = plain_columns(column, dialect.numbers, dialect.decimal)
    if name in misfits and misfits[name].any():
        return explain_misfit(cell, name, dialect)
    return rule.explain(plain[0][0].as_py())


def explain_misfit(cell: str, name: str, dialect: Dialect) -> str:
    """Explains that a number is not written as `data.csv.numbers` says of its column."""
    example = dialect.numbers[name].example()
    return (
        f"{quote(cell)} is not a number as data.csv.numbers describes those of {quote(name)};"
        f" expected one such as {example}: correct it, or the setting"
    )


def explain_ragged_row(record: Record, width: int, dialect: Dialect) -> str:
    """Explains that a row has too many or too few fields."""
    name = _SEPARATOR_NAMES.get(dialect.separator, repr(dialect.separator))
    cells = quote(dialect.separator.join(record.cells))
    quoted = f"put a cell that holds a {name} in quotes, and " if dialect.quote else ""
    is_long = record.last_line > record.line
    return (
        f"{len(record.cells)} fields in {cells}; expected {width}, as in"
        f" {'the header' if dialect.header else 'data.csv.names'}: {quoted}keep the {name} after an"
        f" empty cell{f'; is the quote closed before line {record.last_line}?' * is_long}"
    )


def explain_bad_byte(record: Record, index: int, dialect: Dialect) -> tuple[int, str]:
    """Explains which byte of a cell is not valid in the encoding.

    Returns:
        The line of the byte, and the reason.
    """
    cell = record.cells[index]
    bad = BAD_BYTE.search(cell)
    before = [*record.cells[:index], cell[: bad.start() if bad else 0]]
    line = record.line + sum(len(_LINE_END.findall(text)) for text in before)
    encoding = "UTF-8" if dialect.is_utf8 else dialect.encoding
    if bad and bad[0] == "\udc00":
        return line, (
            f"a NUL byte; expected text in {encoding}: remove it (tr -d '\\000'), or set"
            " data.csv.encoding if the file is UTF-16 or the like"
        )
    save = (
        "convert it, as by iconv -f latin1 -t utf-8, or name its encoding in"
        if dialect.is_utf8
        else "correct"
    )
    return line, (
        f"the byte 0x{ord(bad[0]) - 0xDC00 if bad else 0:02x} is not {encoding}; expected a file in"
        f" {encoding}: {save} data.csv.encoding"
    )
