"""Rows that `check_data` quarantines, within the budget and beyond."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.data.check import check_data
from tests.helpers.data_checks import check_error, make_config, make_csv, replace_rows

FAULTY = {4: "w,2,a", 6: "1,2", 8: "1,2,", 9: "w,w,b"}


@pytest.mark.parametrize("budget", [{"max_rows": 4}, {"max_share": 0.2}])
def test_quarantines_rows_within_the_budget(path: Path, budget: dict[str, Any]) -> None:
    path.write_text(replace_rows(FAULTY))

    summary = check_data(make_config(path, quarantine=budget))

    assert summary.quarantined == 4
    assert sum(summary.rows.values()) == 16


def test_tells_by_how_much_the_budget_is_exceeded(path: Path) -> None:
    message = check_error(path, replace_rows(FAULTY), quarantine={"max_rows": 3})

    first, *lines = message.splitlines()
    assert first.startswith("4 of 20 rows cannot be used; expected at most 3")
    assert [line.split(":")[0] for line in lines] == ["4", "6", "8", "9", "9"]


def test_refuses_data_without_usable_rows(path: Path) -> None:
    message = check_error(path, make_csv("w,2,a", "w,3,b"), quarantine={"max_rows": 9})

    assert message.startswith("no row can be used\n2: x: 'w' is not a number")


def test_refuses_an_open_quote_despite_the_budget(path: Path) -> None:
    message = check_error(path, replace_rows({5: '1,"2,a'}), quarantine={"max_rows": 1000})

    assert "never closes" in message
