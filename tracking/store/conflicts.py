"""Repeats writes that conflict with those of other processes."""

import re
from collections.abc import Callable
from typing import Any

from mlflow.exceptions import MlflowException

_ATTEMPTS = 8
_CONFLICT = re.compile("UniqueViolation|UNIQUE constraint|Giving up")
"""Errors of MLflow if another process inserts the same row between its look-up and its insert."""


def settle(call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Calls a method of MLflow's client, and repeats the call after a conflict.

    Args:
        call: An idempotent method.
        arguments: Positional arguments of the method.
        options: Keyword arguments of the method.

    Returns:
        What the method returns.

    Raises:
        MlflowException: If the method fails for another reason, or eight times.
    """
    for attempt in range(_ATTEMPTS):
        try:
            return call(*arguments, **options)
        except MlflowException as error:
            if attempt == _ATTEMPTS - 1 or not _CONFLICT.search(str(error)):
                raise
    raise AssertionError("the last attempt returns or raises")
