"""Errors of nodes as the user is shown them."""

import pytest

from components.data_gate.report import DataRefusedError
from pipeline.errors import NodeFailedError
from pipeline.run.node_loop import describe_error
from tabular.csv.checked_files import ChangedFileError
from tabular.csv.row_counts import LostRowsError
from trainer.user_functions import UserFunctionError


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError("one\ntwo"), "ValueError: one"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (UserFunctionError("TypeError: no (user.py:3)"), "TypeError: no (user.py:3)"),
    ],
)
def test_describe_error_is_one_line(error: BaseException, expected: str) -> None:
    assert describe_error(error) == expected


def test_describe_error_of_refused_data_is_whole() -> None:
    cause = describe_error(DataRefusedError("2 anomalies\neval: x: odd\neval: y: odd"))

    assert str(NodeFailedError("DataGate", cause)).splitlines() == [
        "DataGate failed: 2 anomalies",
        "eval: x: odd",
        "eval: y: odd",
    ]


def test_changed_file_is_named_without_a_class() -> None:
    error = ChangedFileError("rows.csv")

    assert describe_error(error) == "rows.csv: has changed since the run began: run again"


def test_lost_rows_are_told_without_a_class() -> None:
    cause = describe_error(LostRowsError("eval: 3 examples were written and 2 read"))

    assert cause.startswith("eval: 3 examples were written and 2 read: the numbers of rows do not")
