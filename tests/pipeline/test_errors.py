"""Errors in a user's words."""

from components.data_gate.report import DataRefusedError
from pipeline.errors import NodeFailedError, describe


def test_describe_takes_the_first_line_of_an_error() -> None:
    assert describe(ValueError("one\ntwo")) == "ValueError: one"


def test_describe_takes_all_that_is_said_of_refused_data() -> None:
    cause = describe(DataRefusedError("2 anomalies\neval: x: odd\neval: y: odd"))

    assert str(NodeFailedError("DataGate", cause)).splitlines() == [
        "DataGate failed: 2 anomalies",
        "eval: x: odd",
        "eval: y: odd",
    ]
