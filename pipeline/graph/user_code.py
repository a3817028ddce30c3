"""The user's own functions, which the configuration names: found, and importable in a run."""

import ast
import symtable
import sys
from importlib.util import decode_source

from pipeline.errors import ConfigError, did_you_mean
from pipeline.graph.code_digest import source_path
from pipeline.settings.config import Config


def modules_of(path: str | None) -> list[str]:
    """Names the module of a function, for `code_digest`; none where no function is named."""
    return [] if path is None else [path.rpartition(".")[0]]


def make_importable(config: Config) -> None:
    """Lets this process import what stands beside the YAML file, and checks the own functions.

    That folder comes last: nothing in it takes the place of a library.

    Raises:
        ConfigError: If a function is not where the configuration says. Its module is not run: what
            else is wrong with it comes out in the node that calls it.
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
            f"{key}: there is no module '{module}': it must be installed, or stand below {folder}"
        )
    try:
        names = _names_in(decode_source(file.read_bytes()), str(file))
    except SyntaxError as error:
        raise ConfigError(f"{file}:{error.lineno}: {key}: {error.msg}") from None
    if name not in names and not {"*", "__getattr__"}.intersection(names):
        raise ConfigError(f"{key}: {file} has no function '{name}'{did_you_mean(name, names)}")


def _names_in(source: str, path: str) -> list[str]:
    """Gives the names that a module defines at its top, `*` where it imports whatever is there."""
    symbols = symtable.symtable(source, path, "exec").get_symbols()
    names = [each.get_name() for each in symbols if each.is_assigned() or each.is_imported()]
    imports = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom))
    return names + ["*" for node in imports if node.names[0].name == "*"]
