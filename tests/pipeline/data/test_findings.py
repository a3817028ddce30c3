"""Findings about the data reach all that a user reads."""

from pathlib import Path

import pytest

from pipeline.__main__ import run_command
from pipeline.data.check import check_data
from pipeline.data.findings import ColumnSummary, DataSummary, Finding
from pipeline.settings.load import load_config
from tests.helpers.made_tables import ROWS, init, numbers, rows_of, table, words


def column(name: str, values: str, becomes: str, finding: Finding) -> ColumnSummary:
    return ColumnSummary(name, values, values, "", becomes, (finding,))


def test_summary_lines_tell_of_left_out_and_doubtful_columns() -> None:
    summary = DataSummary(
        (
            column("y", "2 words", "label", Finding("fine")),
            column("a", "numbers", "numeric", Finding("long tail")),
            column("b", "dates", "datetime", Finding("day or month first", look=True)),
            column("c", "words", "ignore", Finding("ids")),
        ),
        (Finding("comma"), Finding("two encodings", look=True)),
    )

    assert list(summary.lines()) == [
        "chosen: 1 numeric, 1 datetime",
        "b: datetime, dates: day or month first",
        "c: ignored, words: ids",
        "two encodings",
    ]


def test_finding_is_in_yaml_table_and_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    days = [f"0{row % 7 + 1}/05/2024" for row in range(ROWS)]
    content = table(["x", "day", "y"], rows_of(numbers(1), days, words("u", "v")))
    finding = "'%d/%m/%Y' fits too"

    _, output = init(tmp_path, content, "y")

    printed = capsys.readouterr().out
    marked = [line.split()[1] for line in printed.splitlines() if line.startswith("! ")]
    assert finding in printed
    assert marked == ["day", "day:"]
    assert f"# ! dates: read as '%m/%d/%Y'; {finding}" in output.read_text(encoding="utf-8")
    arguments = ["--config", str(output), "--set", "features=auto"]
    assert run_command(["validate", *arguments]) == 0
    assert finding in capsys.readouterr().out
    notes = check_data(load_config(output, ["features=auto"])).config.notes
    assert any(note.startswith("day: datetime, ") and finding in note for note in notes)
