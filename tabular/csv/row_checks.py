"""Which rows of CSV files can be used, and what is wrong with the others; no TensorFlow.

The one place that decides: what checks the data before a run and what makes examples of it both
ask here.
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

from tabular.csv.arrow_numpy import to_numpy
from tabular.csv.column_rules import CellRule, ColumnRules, Mask, quote
from tabular.csv.decoding import BAD_BYTE, MARK, Utf8Stream, opens_quote
from tabular.csv.dialect import Dialect
from tabular.csv.reader import read_blocks, read_header
from tabular.csv.records import Record, pick_records, read_records

Indices = npt.NDArray[np.int64]
_WHOLE_ROW = -1
_LINE_END = re.compile("\r\n|\r|\n")
_MARK_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", " ": "space", "|": "bar"}


@dataclass(frozen=True)
class Block:
    """Some rows of a file.

    Attributes:
        batch: Those that can be used: string columns, a gap is null.
        faults: What is wrong with the others, int64 `[n, 2]`, in the order of rows: index of the
            row in the file, and of the column, -1 for the row as a whole.
    """

    batch: pa.RecordBatch
    faults: Indices

    @property
    def quarantined(self) -> int:
        """How many rows cannot be used."""
        return len(np.unique(self.faults[:, 0]))


@dataclass(frozen=True)
class Fault:
    """What is wrong with a cell or row.

    Attributes:
        row: Index of the row in its file.
        line: Its line.
        column: Name of the column, empty for the row as a whole.
        reason: What stands there, what is expected, and how to mend it.
        is_encoding: Whether the cell cannot even be read.
        text: The row as it stands in the file.
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


def read_usable(text: Utf8Stream, rules: ColumnRules) -> Iterator[Block]:
    """Reads a file of any size and checks every row.

    Args:
        text: The file, unread.
        rules: What its columns must hold; those that the file lacks are not looked for.

    Yields:
        All of its rows, in blocks.

    Raises:
        pa.ArrowInvalid: If the file as a whole is not a table.
        NulByteError: And what else `Utf8Stream.read` raises.
    """
    header = read_header(text.path, text.dialect)
    rules_by_index = {
        header.index(name): rule for name, rule in rules.cells.items() if name in header
    }
    by_name = np.argsort(np.argsort(header))
    ragged: deque[int] = deque()
    batch = None
    next_row = 0
    for batch, may_have_marks in read_blocks(text, ragged.append):
        rows, left_out = _number_rows(next_row, len(batch), ragged)
        next_row += len(rows) + len(left_out)
        wrong = _find_wrong(batch, rules_by_index, may_have_marks=may_have_marks)
        usable = batch
        if wrong:
            usable = batch.filter(pa.array(~np.logical_or.reduce(list(wrong.values()))))
        yield Block(usable, _sort_faults(wrong, rows, left_out, by_name))
    _check_end(text, batch, has_ragged_end=bool(ragged))
    if ragged:
        empty = pa.RecordBatch.from_arrays([pa.array([], pa.string())] * len(header), header)
        yield Block(empty, _sort_faults({}, np.arange(0), list(ragged), by_name))


def _find_wrong(
    batch: pa.RecordBatch, rules: Mapping[int, CellRule], *, may_have_marks: bool
) -> dict[int, Mask]:
    """Finds, by the index of the column, the cells that cannot be used; columns without are out."""
    wrong: dict[int, Mask] = {}
    columns = batch.columns
    for index, column in enumerate(columns if may_have_marks else ()):
        has_mark = pc.match_substring(column, MARK)
        wrong[index] = to_numpy(has_mark, null=False)
        columns[index] = pc.if_else(pc.invert(has_mark), column, None)
    for index, rule in rules.items():
        wrong[index] = rule.find_wrong(columns[index]) | wrong.get(index, False)
    return {index: mask for index, mask in wrong.items() if mask.any()}


def _number_rows(first: int, count: int, ragged: "deque[int]") -> tuple[Indices, list[int]]:
    """Gives the indices in the file of a batch's rows, and of those left out among them."""
    left_out: list[int] = []
    while ragged and ragged[0] < first + count + len(left_out):
        left_out.append(ragged.popleft())
    rows = np.arange(first, first + count + len(left_out))
    return np.setdiff1d(rows, left_out, assume_unique=True), left_out


def _sort_faults(
    wrong: dict[int, Mask], rows: Indices, ragged: Sequence[int], by_name: Indices
) -> Indices:
    """Sorts by row, then by the name of the column."""
    faults = [np.array([[row, _WHOLE_ROW] for row in ragged], dtype=np.int64).reshape(-1, 2)]
    for index, mask in wrong.items():
        found = rows[mask]
        faults.append(np.stack([found, np.full_like(found, index)], axis=1))
    table = np.concatenate(faults)
    order = np.lexsort([by_name[table[:, 1]], table[:, 0]])
    return cast(Indices, table[order])


def _check_end(text: Utf8Stream, last: pa.RecordBatch | None, *, has_ragged_end: bool) -> None:
    """Checks that no quote that never closes has swallowed the last rows.

    An odd number of quotes alone is not a fault: one inside an unquoted cell (5" pipe) is a plain
    character. Where the last row is on one line, that line tells; else all records are read.

    Raises:
        pa.ArrowInvalid: If one has.
    """
    if not text.quotes:
        return
    cells = [] if last is None or not len(last) else [c[len(last) - 1].as_py() for c in last]
    line = text.last_line
    if has_ragged_end or line is None or any(_LINE_END.search(cell) for cell in cells if cell):
        is_open = any(not record.is_closed for record in read_records(text.path, text.dialect))
    else:
        is_open = text.quotes % 2 == 1 and opens_quote(line, text.dialect)
    if is_open:
        raise pa.ArrowInvalid(f"{text.path}: a quote never closes")


def explain_faults(
    path: str, rules: ColumnRules, dialect: Dialect, faults: Indices
) -> Iterator[Fault]:
    """Says what is wrong, reading the file once more.

    Args:
        path: The file.
        rules: Those by which the faults were found.
        dialect: How the file is written.
        faults: Some of those that `read_usable` has found there.
    """
    header = read_header(path, dialect)
    columns: dict[int, list[int]] = {}
    for row, column in faults.tolist():
        columns.setdefault(row, []).append(column)
    for row, record in pick_records(path, dialect, columns):
        for index in columns[row]:
            line, name, is_encoding = record.line, "", False
            if index == _WHOLE_ROW:
                reason = say_ragged(record, len(header), dialect)
            else:
                name, cell = header[index], record.cells[index]
                is_encoding = bool(BAD_BYTE.search(cell))
                if is_encoding or name not in rules.cells:
                    line, reason = say_bad_byte(record, index, dialect)
                else:
                    reason = rules.cells[name].say(
                        None if cell in ("", *dialect.null_values) else cell
                    )
            yield Fault(row, line, name, reason, is_encoding, record.text)


def say_ragged(record: Record, width: int, dialect: Dialect) -> str:
    """Says that a row has too many or too few fields."""
    mark = _MARK_NAMES.get(dialect.separator, repr(dialect.separator))
    cells = quote(dialect.separator.join(record.cells))
    quoted = f"put a cell that holds a {mark} in quotes, and " if dialect.quote else ""
    is_long = record.last_line > record.line
    return (
        f"{len(record.cells)} fields in {cells}; expected {width}, as in"
        f" {'the header' if dialect.header else 'data.csv.names'}: {quoted}keep the {mark} after an"
        f" empty cell{f'; is the quote closed before line {record.last_line}?' * is_long}"
    )


def say_bad_byte(record: Record, index: int, dialect: Dialect) -> tuple[int, str]:
    """Says which byte of a cell is not of the encoding, and on which line it stands."""
    cell = record.cells[index]
    bad = BAD_BYTE.search(cell)
    before = [*record.cells[:index], cell[: bad.start() if bad else 0]]
    line = record.line + sum(len(_LINE_END.findall(text)) for text in before)
    encoding = "UTF-8" if dialect.is_utf8 else dialect.encoding
    save = (
        "save it so, as by iconv -f latin1 -t utf-8, or name its own in"
        if dialect.is_utf8
        else "correct"
    )
    return line, (
        f"the byte 0x{ord(bad[0]) - 0xDC00 if bad else 0:02x} is not {encoding}; expected a file in"
        f" {encoding}: {save} data.csv.encoding"
    )
