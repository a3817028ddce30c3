"""Writes that conflict with those of another process."""

import pytest
from mlflow.exceptions import MlflowException

from tracking.store.conflicts import settle

CONFLICT = "(psycopg2.errors.UniqueViolation) duplicate key value violates a constraint"


class Failing:
    """Fails a number of times with a message, and then returns its arguments."""

    def __init__(self, times: int, message: str) -> None:
        self.times = times
        self.message = message
        self.calls = 0

    def __call__(self, value: int, *, unit: str) -> tuple[int, str]:
        self.calls += 1
        if self.calls <= self.times:
            raise MlflowException(self.message)
        return value, unit


def test_settle_calls_again_after_a_conflict() -> None:
    call = Failing(2, CONFLICT)

    assert settle(call, 7, unit="s") == (7, "s")
    assert call.calls == 3


def test_settle_raises_another_error_at_once() -> None:
    call = Failing(1, "the server is on fire")

    with pytest.raises(MlflowException, match="on fire"):
        settle(call, 7, unit="s")
    assert call.calls == 1


def test_settle_gives_up_in_the_end() -> None:
    call = Failing(1000, CONFLICT)

    with pytest.raises(MlflowException, match="UniqueViolation"):
        settle(call, 7, unit="s")
    assert call.calls < 20
