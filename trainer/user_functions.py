"""Functions of the user's own, named in the configuration by a dotted path; no TensorFlow."""

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
_OURS = str(Path(__file__).parent)
_TRACED = "in user code:"
"""How AutoGraph begins the message of an error; the error itself stands in its last line."""
_IN_GRAPH = "Graph execution error:"
"""How a session begins that of an operation; the error itself stands behind the node's name."""


class UserFunctionError(Exception):
    """What is wrong with a function of the user's own; its words say all in one line."""


def load_function(dotted_path: str) -> Callable[..., Any]:
    """Imports a function, or anything that can be called, by its dotted path.

    Args:
        dotted_path: `my_package.my_module.my_function`; may lead into a class, or to an instance.

    Raises:
        UserFunctionError: If a module is not found or fails when imported, if there is nothing of
            that name in it, or if what is there cannot be called.
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
            raise UserFunctionError(f"{dotted_path}: there is no '{name}' in {where}{hint}")
        else:
            found = _import(path, found, dotted_path)
    if not callable(found):
        raise UserFunctionError(
            f"{dotted_path}: is of type {type(found).__name__}, and cannot be called"
        )
    return found  # type: ignore[no-any-return]


@contextmanager
def user_errors(function: Callable[..., Any]) -> Iterator[None]:
    """Has what goes wrong in a function say where in the user's own files it went wrong.

    Args:
        function: What is called inside the `with`.

    Raises:
        UserFunctionError: For every exception; it has the first line of the exception's words, and
            `(file.py:12)`, the innermost line that is the user's.
    """
    try:
        yield
    except UserFunctionError:
        raise
    except Exception as error:
        raise UserFunctionError(_describe(error, _package_dir(function))) from error


@contextmanager
def graph_errors() -> Iterator[None]:
    """Has an operation that fails in a session say which line of the user's own made it.

    Raises:
        UserFunctionError: If there is such a line; other exceptions pass as they are.
    """
    try:
        yield
    except Exception as error:
        place = _last_own(getattr(getattr(error, "op", None), "traceback", None) or (), None)
        if not place:
            raise
        raise UserFunctionError(one_line(error) + place) from error


def one_line(error: BaseException) -> str:
    """Says an error in one line: its type, and the first of its own words that say something."""
    if isinstance(error, UserFunctionError):
        return str(error)  # which names the type of the user's own error
    lines = [line.strip() for line in str(error).strip().splitlines()]
    if lines and lines[0] == _TRACED:
        return lines[-1]
    if lines and lines[0] == _IN_GRAPH:
        node = max((n for n, line in enumerate(lines) if line.startswith("Node: ")), default=0)
        lines = [
            line for line in lines[node + 1 :] if line and not line.endswith("root error(s) found.")
        ]
    return ": ".join([type(error).__name__, *lines[:1]])


def _import(path: str, package: ModuleType | None, dotted_path: str) -> ModuleType:
    """Imports the module of a path, the package around it being imported already."""
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError as error:
        if error.name != path:
            raise _does_not_import(path, error, dotted_path) from error
        search = None if package is None else package.__path__
        siblings = [module.name for module in pkgutil.iter_modules(search)]
        if package is not None:
            siblings += [name for name in vars(package) if not name.startswith("__")]
        hint = _did_you_mean(path.rpartition(".")[2], siblings)
        raise UserFunctionError(f"{dotted_path}: there is no module '{path}'{hint}") from error
    except (Exception, SystemExit) as error:
        raise _does_not_import(path, error, dotted_path) from error


def _does_not_import(path: str, error: BaseException, dotted_path: str) -> UserFunctionError:
    words = _describe(error, None)
    return UserFunctionError(f"{dotted_path}: module '{path}' does not import: {words}")


def _describe(error: BaseException, package_dir: str | None) -> str:
    """Says an error and where it stands in one line: `ValueError: no such key (my_model.py:12)`."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"SyntaxError: {error.msg} ({Path(error.filename).name}:{error.lineno})"
    frames = traceback.extract_tb(error.__traceback__)
    return one_line(error) + _last_own(frames, package_dir)


def _last_own(frames: Iterable[traceback.FrameSummary], package_dir: str | None) -> str:
    """Names the innermost place that is the user's, ` (my_model.py:12)`; empty if none is."""
    own = [frame for frame in frames if _is_own(frame.filename, package_dir)]
    return f" ({Path(own[-1].filename).name}:{own[-1].lineno})" if own else ""


def _is_own(filename: str, package_dir: str | None) -> bool:
    """Whether a file is the user's: of the function's package, or neither installed nor ours."""
    if package_dir is not None and filename.startswith(package_dir):
        return True
    return not filename.startswith(("<", _OURS, *_INSTALLED))


def _package_dir(function: Callable[..., Any]) -> str | None:
    """Finds the folder, or the file, of the outermost package that holds the function."""
    module = getattr(function, "__module__", None) or ""
    package = importlib.import_module(module.partition(".")[0]) if module else None
    path = getattr(package, "__file__", None)
    if path is None:
        return None
    return str(Path(path).parent) if Path(path).name == "__init__.py" else path


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    nearest = get_close_matches(word, known, n=1)
    return f"; did you mean '{nearest[0]}'?" if nearest else ""
