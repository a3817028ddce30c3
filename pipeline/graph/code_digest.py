"""A digest of the code behind a node, so that its cache follows the code.

TFX keys a node that is given by a dotted path by that path alone: edited code would be served from
the cache. The digest covers the sources of the named modules and of all they import that is in
their packages or is not installed, and the versions of the libraries that do the work.
"""

import ast
import hashlib
import importlib.util
import sysconfig
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

version = cache(metadata.version)
_PACKAGE_FILE = "__init__.py"
_LIBRARIES = (
    "apache-beam",
    "keras-tuner",
    "scikit-learn",
    "tensorflow",
    "tensorflow-data-validation",
    "tensorflow-model-analysis",
    "tensorflow-transform",
    "tfx",
)


def code_digest(*modules: str) -> str:
    """Digests modules and what they import.

    Args:
        modules: Dotted names of importable modules.

    Returns:
        sha256 in hex; alike for the same sources, whatever their folder.
    """
    digest = hashlib.sha256()
    for library in _LIBRARIES:
        digest.update(f"{library}=={version(library)}\n".encode())
    for name, source in sorted(_sources(modules).items()):
        digest.update(f"{name}\n".encode() + source)
    return digest.hexdigest()


def _sources(modules: Iterable[str]) -> dict[str, bytes]:
    """Reads the modules and, through their imports, all of ours behind them."""
    sources: dict[str, bytes] = {}
    pending = list(modules)
    seen: set[str] = set()
    packages = {name.partition(".")[0] for name in pending}
    while pending:
        name = pending.pop()
        if name in seen:
            continue
        seen.add(name)
        path = source_path(name)
        is_ours = path is not None and (name.partition(".")[0] in packages or _is_ours(path))
        if path is not None and is_ours:
            sources[name] = path.read_bytes()
            package = name if path.name == _PACKAGE_FILE else name.rpartition(".")[0]
            pending.extend(_imported_names(sources[name], package))
        if "." in name:
            pending.append(
                name.rpartition(".")[0]
            )  # importing a module runs the packages around it
    return sources


def source_path(name: str) -> Path | None:
    """Finds the Python source of a module without importing it; None where there is none."""
    top, *rest = name.split(".")
    spec = importlib.util.find_spec(top)
    if spec is None:
        return None
    if not rest:
        candidates = [Path(spec.origin)] if spec.origin else []
    else:
        modules = [Path(root, *rest) for root in spec.submodule_search_locations or ()]
        candidates = [
            path
            for module in modules
            for path in (module.with_suffix(".py"), module / _PACKAGE_FILE)
        ]
    return next((path for path in candidates if path.is_file() and path.suffix == ".py"), None)


def _is_ours(path: Path) -> bool:
    return not _installed_dirs().intersection(path.parents)


@cache
def _installed_dirs() -> frozenset[Path]:
    return frozenset(Path(sysconfig.get_path(key)) for key in ("stdlib", "purelib", "platlib"))


@cache
def _imported_names(source: bytes, package: str) -> tuple[str, ...]:
    """Names every module that a source may import, each `from` name taken for a module too.

    Args:
        source: Python.
        package: The package at which its relative imports start.
    """
    return tuple(dict.fromkeys(_names_in(ast.parse(source), package)))


def _names_in(tree: ast.Module, package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            around = package.split(".")[: -(node.level - 1) or None] if node.level else []
            base = ".".join([*around, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
