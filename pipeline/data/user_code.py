"""Finds the user's functions that the configuration names, and makes them importable."""

import ast
import symtable
import sys
from importlib.util import decode_source, find_spec
from pathlib import Path

from pipeline.errors import ConfigError, did_you_mean
from pipeline.settings.config import Config

PACKAGE_FILE = "__init__.py"


def modules_of(path: str | None) -> list[str]:
    """Lists the module of a function, for `code_digest`; empty if there is no function."""
    return [] if path is None else [path.rpartition(".")[0]]


def make_importable(config: Config) -> None:
    """Adds the folder of the YAML file to the import path, and checks the user's functions.

    The folder comes last on the path, so that no module in it replaces a library.

    Args:
        config: The configuration.

    Raises:
        ConfigError: If a function is not where the configuration names it. Its module is not run,
            so other errors in it appear only in the node that calls it.
    """
    folder = str(config.resolve("."))
    if folder not in sys.path:
        sys.path.append(folder)
    for key, path in (
        ("model.model_fn", config.model.model_fn),
        ("model.preprocessing_fn", config.model.preprocessing_fn),
    ):
        if path is not None:
            _check_function(key, path, folder)


def _check_function(key: str, path: str, folder: str) -> None:
    module, _, name = path.rpartition(".")
    file = source_path(module)
    if file is None:
        raise ConfigError(
            f"{key}: there is no module '{module}': it must be installed, or be in {folder}"
        )
    try:
        names = _names_in(decode_source(file.read_bytes()), str(file))
    except SyntaxError as error:
        raise ConfigError(f"{file}:{error.lineno}: {key}: {error.msg}") from None
    if name not in names and not {"*", "__getattr__"}.intersection(names):
        raise ConfigError(f"{key}: {file} has no function '{name}'{did_you_mean(name, names)}")


def _names_in(source: str, path: str) -> list[str]:
    """Lists the names that a module defines at its top level; `*` for `from ... import *`."""
    symbols = symtable.symtable(source, path, "exec").get_symbols()
    names = [each.get_name() for each in symbols if each.is_assigned() or each.is_imported()]
    imports = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom))
    return names + ["*" for node in imports if node.names[0].name == "*"]


def source_path(name: str) -> Path | None:
    """Finds the Python source of a module without importing it; None if there is none."""
    top, *rest = name.split(".")
    spec = find_spec(top)
    if spec is None:
        return None
    if not rest:
        candidates = [Path(spec.origin)] if spec.origin else []
    else:
        modules = [Path(root, *rest) for root in spec.submodule_search_locations or ()]
        candidates = [
            path
            for module in modules
            for path in (module.with_suffix(".py"), module / PACKAGE_FILE)
        ]
    return next((path for path in candidates if path.is_file() and path.suffix == ".py"), None)
