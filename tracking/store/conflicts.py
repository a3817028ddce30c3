"""Writes that several processes may make at the same moment."""

import re
from collections.abc import Callable
from typing import Any

from mlflow.exceptions import MlflowException

_ATTEMPTS = 8
_CONFLICT = re.compile("UniqueViolation|UNIQUE constraint|Giving up")
"""What MLflow says where it looks for a row, finds none, and is not the first to make it."""


def settle(call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Calls a method of MLflow's client, again where another process got in between.

    Args:
        call: A method whose effect is the same if it is called again.
        arguments: Its arguments.
        options: Its named arguments.

    Raises:
        MlflowException: If it fails for another reason, or again and again.
    """
    for attempt in range(_ATTEMPTS):
        try:
            return call(*arguments, **options)
        except MlflowException as error:
            if attempt == _ATTEMPTS - 1 or not _CONFLICT.search(str(error)):
                raise
    raise AssertionError("the last attempt returns or raises")
