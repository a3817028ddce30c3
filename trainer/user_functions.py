"""Loads the user's functions by dotted path, and locates errors in them; imports no TensorFlow."""

import importlib
import pkgutil
import sysconfig
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any

_INSTALLED = tuple(str(Path(sysconfig.get_path(name))) for name in ("stdlib", "purelib", "platlib"))
_THIS_PACKAGE = str(Path(__file__).parent)
_AUTOGRAPH_HEAD = "in user code:"
"""First line of AutoGraph's error messages; the actual error is in their last line."""
_SESSION_HEAD = "Graph execution error:"
"""First line of a session's error messages; the actual error follows the node's name."""


class UserFunctionError(Exception):
    """A fault of the user's function, described in one line."""


def load_function(dotted_path: str) -> Callable[..., Any]:
    """Imports a function, or any other callable, by its dotted path.

    Args:
        dotted_path: `my_package.my_module.my_function`; may also name a method or an instance.

    Raises:
        UserFunctionError: If a module is not found or cannot be imported, if it has no such name,
            or if the object is not callable.
    """
    found: Any = None
    names = dotted_path.split(".")
    for index, name in enumerate(names):
        path = ".".join(names[: index + 1])
        if index and hasattr(found, name):
            found = getattr(found, name)
        elif index and not hasattr(found, "__path__"):
            where = ".".join(names[:index])
            hint = _did_you_mean(name, (each for each in dir(found) if each[:2] != "__"))
            raise UserFunctionError(f"{dotted_path}: {where} has no '{name}'{hint}")
        else:
            found = _import(path, found, dotted_path)
    if not callable(found):
        raise UserFunctionError(
            f"{dotted_path}: is not callable, but of type {type(found).__name__}"
        )
    return found  # type: ignore[no-any-return]


@contextmanager
def user_errors(function: Callable[..., Any]) -> Iterator[None]:
    """Adds to an exception raised in the `with` block the user's line that raised it.

    Args:
        function: The user's function that is called in the block.

    Raises:
        UserFunctionError: For every exception; the message is the first line of the exception's
            message and the innermost line of user code, `(file.py:12)`.
    """
    try:
        yield
    except UserFunctionError:
        raise
    except Exception as error:
        raise UserFunctionError(_describe(error, _package_dir(function))) from error


@contextmanager
def graph_errors() -> Iterator[None]:
    """Adds to the error of an operation in a session the user's line that created the operation.

    Raises:
        UserFunctionError: If user code created it; other exceptions pass unchanged.
    """
    try:
        yield
    except Exception as error:
        place = _last_user_line(getattr(getattr(error, "op", None), "traceback", None) or (), None)
        if not place:
            raise
        raise UserFunctionError(one_line(error) + place) from error


def one_line(error: BaseException) -> str:
    """Formats an error as one line: its type and the first meaningful line of its message."""
    if isinstance(error, UserFunctionError):
        return str(error)  # starts with the type of the original error
    lines = [line.strip() for line in str(error).strip().splitlines()]
    if lines and lines[0] == _AUTOGRAPH_HEAD:
        return lines[-1]
    if lines and lines[0] == _SESSION_HEAD:
        node = max((n for n, line in enumerate(lines) if line.startswith("Node: ")), default=0)
        lines = [
            line for line in lines[node + 1 :] if line and not line.endswith("root error(s) found.")
        ]
    return ": ".join([type(error).__name__, *lines[:1]])


def _import(path: str, package: ModuleType | None, dotted_path: str) -> ModuleType:
    """Imports the module `path`; `package` is its parent, imported before."""
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError as error:
        if error.name != path:
            raise _import_error(path, error, dotted_path) from error
        search = None if package is None else package.__path__
        siblings = [module.name for module in pkgutil.iter_modules(search)]
        if package is not None:
            siblings += [name for name in vars(package) if not name.startswith("__")]
        hint = _did_you_mean(path.rpartition(".")[2], siblings)
        raise UserFunctionError(f"{dotted_path}: there is no module '{path}'{hint}") from error
    except (Exception, SystemExit) as error:
        raise _import_error(path, error, dotted_path) from error


def _import_error(path: str, error: BaseException, dotted_path: str) -> UserFunctionError:
    return UserFunctionError(
        f"{dotted_path}: module '{path}' cannot be imported: {_describe(error, None)}"
    )


def _describe(error: BaseException, package_dir: str | None) -> str:
    """Formats an error and its place as one line: `ValueError: no such key (my_model.py:12)`."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"SyntaxError: {error.msg} ({Path(error.filename).name}:{error.lineno})"
    frames = traceback.extract_tb(error.__traceback__)
    return one_line(error) + _last_user_line(frames, package_dir)


def _last_user_line(frames: Iterable[traceback.FrameSummary], package_dir: str | None) -> str:
    """Formats the innermost line of user code, ` (my_model.py:12)`; empty if there is none."""
    found = [frame for frame in frames if _is_user_file(frame.filename, package_dir)]
    return f" ({Path(found[-1].filename).name}:{found[-1].lineno})" if found else ""


def _is_user_file(filename: str, package_dir: str | None) -> bool:
    """Whether a file is user code: in the function's package, or neither installed nor ours."""
    if package_dir is not None and filename.startswith(package_dir):
        return True
    return not filename.startswith(("<", _THIS_PACKAGE, *_INSTALLED))


def _package_dir(function: Callable[..., Any]) -> str | None:
    """Finds the folder of the function's top-level package, or the file of a top-level module."""
    module = getattr(function, "__module__", None) or ""
    package = importlib.import_module(module.partition(".")[0]) if module else None
    path = getattr(package, "__file__", None)
    if path is None:
        return None
    return str(Path(path).parent) if Path(path).name == "__init__.py" else path


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    nearest = get_close_matches(word, known, n=1)
    return f"; did you mean '{nearest[0]}'?" if nearest else ""
