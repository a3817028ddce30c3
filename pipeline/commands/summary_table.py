"""The table of columns that `init` and `validate` print, and what to know of them.

It has a line per column, in the width of the terminal; longer texts are cut. A table of many
columns shows first those that a person should look at, and has a line for all others that are
alike. The reasons follow as sentences, since no terminal is wide enough for them.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import chain, repeat
from typing import TypeVar

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.data.findings import LOOK_MARK, ColumnSummary, DataSummary
from pipeline.errors import printable

MAX_LINES = 40
"""A table of more columns has a line for all that are alike."""
_NAMES_SHOWN = 5
_NAME_SHARE = 0.4
"""Share of the width that names have at most."""
_PADDING = 2
_ELLIPSIS = "..."
_HEADER = ("", "column", "found", "missing", "becomes")
_NAME, _FOUND = _HEADER.index("column"), _HEADER.index("found")
_Row = tuple[str, str, str, str, str]

T = TypeVar("T")


def print_summary(console: Console, summary: DataSummary) -> None:
    """Prints the table, then a sentence per finding; nothing if there is no column."""
    if summary.columns:
        console.print(_make_table(console, summary.columns))
        console.print()
    for sentence in _sentences(summary):
        _print_sentence(console, _printable(sentence, console.encoding))


def _print_sentence(console: Console, sentence: str) -> None:
    """Prints a sentence after its mark; in a terminal, further lines of it are indented."""
    if not console.is_terminal:
        console.print(Text(sentence), soft_wrap=True)
        return
    indent = len(LOOK_MARK) + 1
    lines = Text(sentence[indent:]).wrap(console, console.width - indent)
    for start, line in zip(chain([sentence[:indent]], repeat(" " * indent)), lines, strict=False):
        console.print(Text(start) + line)


def _make_table(console: Console, columns: Sequence[ColumnSummary]) -> Table:
    table_rows = _rows_of_alike(columns) if len(columns) > MAX_LINES else map(_row, columns)
    rows = [[_printable(text, console.encoding) for text in row] for row in table_rows]
    widths = [max(map(cell_len, texts)) for texts in zip(_HEADER, *rows, strict=True)]
    widths[_NAME] = min(widths[_NAME], int(console.width * _NAME_SHARE))
    others = sum(widths) - widths[_FOUND] + (len(widths) - 1) * _PADDING
    widths[_FOUND] = min(widths[_FOUND], console.width - others)
    table = Table(
        *_HEADER, box=None, header_style="bold", padding=(0, _PADDING, 0, 0), pad_edge=False
    )
    for row in rows:
        texts = [Text(_cut(text, width)) for text, width in zip(row, widths, strict=True)]
        table.add_row(*texts, style="bold" if row[0] else None)
    return table


def _row(column: ColumnSummary) -> _Row:
    mark = LOOK_MARK if column.needs_look else ""
    words = f": {', '.join(column.commonest)}" if column.commonest else ""
    return mark, column.name, f"{column.values}{words}", column.missing, column.becomes


def _rows_of_alike(columns: Sequence[ColumnSummary]) -> Iterator[_Row]:
    """Yields a row for all columns that are alike, first of those that a person should look at."""
    in_order = sorted(columns, key=lambda column: not column.needs_look)
    for group in _group(in_order, lambda column: (column.needs_look, column.kind, column.becomes)):
        if len(group) == 1:
            yield _row(group[0])
        else:
            mark, *_, becomes = _row(group[0])
            names = _join([column.name for column in group])
            yield mark, f"{len(group)}: {names}", group[0].kind, "", becomes


def _sentences(summary: DataSummary) -> Iterator[str]:
    """Yields the findings; columns of which the same is found share a sentence."""
    found = [
        (column, finding, "left out: " * (column.is_left_out and index == 0))
        for column in summary.columns
        for index, finding in enumerate(column.findings)
    ]
    found.sort(key=lambda item: not item[1].look)
    for group in _group(found, lambda item: item[1:]):
        _, finding, before = group[0]
        names = _join([column.name for column, *_ in group])
        yield _mark(f"{names}: {before}{finding.text}", look=finding.look)
    for finding in summary.findings:
        yield _mark(finding.text, look=finding.look)


def _group(items: Iterable[T], key: Callable[[T], Hashable]) -> Iterable[list[T]]:
    """Groups items by a key, in the order in which the keys come first."""
    groups: dict[Hashable, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups.values()


def _join(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMES_SHOWN])
    more = len(names) - _NAMES_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def _mark(text: str, *, look: bool) -> str:
    return f"{LOOK_MARK if look else ' ' * len(LOOK_MARK)} {text}"


def _printable(text: str, encoding: str) -> str:
    """Escapes what would move the cursor, and what the terminal's encoding does not have."""
    return printable(text).encode(encoding, "backslashreplace").decode(encoding)


def _cut(text: str, width: int) -> str:
    """Cuts a text to the cells that it may take, by an ellipsis that every encoding has."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, max(width - len(_ELLIPSIS), 0)).rstrip() + _ELLIPSIS
