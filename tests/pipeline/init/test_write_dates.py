"""`pipeline init` over dates as they are written, and over columns with a few other cells."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.data.check import check_data
from pipeline.settings.config import Config
from pipeline.settings.load import load_config
from tests.helpers.made_tables import ROWS, init, numbers, rows_of, table, words

START = datetime.fromisoformat("2023-05-01")
INSTANTS = [START + timedelta(hours=37 * row) for row in range(ROWS)]
ISO = [f"{instant:%Y-%m-%d}" for instant in INSTANTS]


def init_column(folder: Path, cells: list[str], **others: list[str]) -> Config:
    """Runs `init` over a column `day` of quoted cells, and further columns."""
    columns = {"day": [f'"{cell}"' for cell in cells], "x": numbers(1), **others}
    content = table([*columns, "y"], rows_of(*columns.values(), words("u", "v")))
    code, path = init(folder, content, "y")
    assert code == 0
    return load_config(path)


@pytest.mark.parametrize(
    ("write", "feature"),
    [
        (lambda t: f"{t:%Y-%m-%d %H:%M}:00 UTC", {"parts": [..., "hour"]}),
        (lambda t: f"{t:%Y-%m-%d}T00:00:00Z", {}),
        (
            lambda t: f"{t:%m/%d/%Y %I:%M:%S %p}",
            {"format": "%m/%d/%Y %I:%M:%S %p", "parts": [..., "hour"]},
        ),
        (lambda t: f"{t.day} {t:%b %Y}".replace("May", "may"), {"format": "%d %b %Y"}),
        (lambda t: f"{t:%d-%b-%y}".upper(), {"format": "%d-%b-%y"}),
        (lambda t: f"{t:%A}, {t:%B} {t.day}, {t.year}", {"format": "%a, %B %d, %Y"}),
        (lambda t: f"{t:%d/%m/%Y}", {"format": "%d/%m/%Y"}),
    ],
    ids=["utc", "midnight", "ampm", "month_name", "short", "whole", "day first"],
)
def test_init_reads_dates_as_they_are_written(
    tmp_path: Path, write: Callable[[datetime], str], feature: dict[str, Any]
) -> None:
    parts = ["year", "month", "day", "day_of_year", "weekday"]
    parts += feature.pop("parts", [])[1:]

    config = init_column(tmp_path, [write(instant) for instant in INSTANTS])

    assert config.features["day"].model_dump() == {"kind": "datetime", **feature, "parts": parts}
    assert check_data(config).quarantined == 0


def test_init_puts_the_row_of_a_single_other_date_aside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = ISO.copy()
    cells[0], cells[239] = "01.05.2023", "2023-02-30"

    config = init_column(tmp_path, cells)

    assert config.features["day"].kind == "datetime"
    assert config.data.quarantine.max_rows == 2
    checked = check_data(config)
    assert (checked.quarantined, sum(checked.rows.values())) == (2, ROWS - 2)
    shown = capsys.readouterr().out
    assert "'01.05.2023' in line 2 is not a date, and its row goes to quarantine" in shown
    assert "'2023-02-30' in line 241 is not a date, and its row goes to quarantine" in shown


def test_init_reads_a_word_that_repeats_as_a_missing_value(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = ["0000-00-00" if row % 20 == 7 else cell for row, cell in enumerate(ISO)]

    config = init_column(tmp_path, cells)

    assert config.data.csv.null_values == ("0000-00-00",)
    assert config.features["day"].kind == "datetime"
    assert check_data(config).quarantined == 0
    assert "'0000-00-00' in lines 9, 29, 49 and 12 more is a missing value" in (
        capsys.readouterr().out
    )


def test_init_takes_no_word_of_another_column_for_a_missing_value(tmp_path: Path) -> None:
    cells = ["open" if row % 20 == 7 else cell for row, cell in enumerate(ISO)]

    config = init_column(tmp_path, cells, state=words("open", "shut"))

    assert config.data.csv.null_values == ()
    assert config.data.quarantine.max_rows == 15


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_columns_of_many_other_words_are_not_dates(tmp_path: Path, share: float) -> None:
    cells = [f"w{row}" if row % 100 < 100 * share else cell for row, cell in enumerate(ISO)]

    assert init_column(tmp_path, cells).features["day"].kind != "datetime"
