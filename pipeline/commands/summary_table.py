"""The table of columns that `init` and `validate` print."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.data.findings import LOOK_MARK, DataSummary, Finding


def print_summary(console: Console, summary: DataSummary) -> None:
    """Prints the table, then the findings about whole files; nothing if there is nothing."""
    if summary.columns:
        console.print(_make_table(summary))
    for finding in summary.findings:
        console.print(Text(_mark(finding)), soft_wrap=True)


def _make_table(summary: DataSummary) -> Table:
    """Makes a table with a row per column: what was found in it, what it becomes, and why."""
    table = Table("", "column", "found", "becomes", "why", box=None, header_style="bold")
    for column in summary.columns:
        mark = LOOK_MARK if column.needs_look else ""
        texts = [mark, column.name, column.found, column.becomes, column.why]
        table.add_row(*map(Text, texts))
    return table


def _mark(finding: Finding) -> str:
    return f"{LOOK_MARK} {finding.text}" if finding.look else finding.text
