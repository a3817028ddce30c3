"""Functions of the user's own, which the configuration names by a dotted path."""

import importlib
from collections.abc import Callable
from typing import Any


class OwnCodeError(Exception):
    """A function that the configuration names cannot be used; says in one line which, and why."""


def import_function(setting: str, path: str) -> Callable[..., Any]:
    """Imports a function.

    Args:
        setting: Key of the configuration that names it, as `model.model_fn`.
        path: Its dotted path.

    Raises:
        OwnCodeError: If it cannot be imported; what went wrong is its cause.
    """
    module_name, _, name = path.rpartition(".")
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        raise OwnCodeError(
            f"{setting}: '{path}' cannot be imported: {type(error).__name__}: {error}"
        ) from error
    function: Callable[..., Any] | None = getattr(module, name, None)
    if function is None or not callable(function):
        raise OwnCodeError(
            f"{setting}: '{path}' is not there: {module.__file__} holds no function '{name}'"
        )
    return function
