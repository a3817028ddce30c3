"""A digest of the code behind a node, so that the node runs again when its code changes.

TFX's cache key contains the dotted path of a function, but not its code. The digest covers the
sources of the given modules and of all modules that they import, directly or not, if these are in
the same packages or are not installed; and the versions of the libraries that do the work.
"""

import ast
import hashlib
import sysconfig
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

from pipeline.data.user_code import PACKAGE_FILE, source_path

version = cache(metadata.version)
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
    """Computes a digest of modules and of what they import.

    Args:
        modules: Dotted names of importable modules.

    Returns:
        sha256 in hex. It does not depend on the folder of the sources.
    """
    digest = hashlib.sha256()
    for library in _LIBRARIES:
        digest.update(f"{library}=={version(library)}\n".encode())
    for name, source in sorted(_sources(modules).items()):
        digest.update(f"{name}\n".encode() + source)
    return digest.hexdigest()


def _sources(modules: Iterable[str]) -> dict[str, bytes]:
    """Reads the sources of the modules and of all non-library modules that they import."""
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
            package = name if path.name == PACKAGE_FILE else name.rpartition(".")[0]
            pending.extend(_imported_names(sources[name], package))
        if "." in name:
            # Importing a module runs the `__init__.py` of its package, too.
            pending.append(name.rpartition(".")[0])
    return sources


def _is_ours(path: Path) -> bool:
    return not _installed_dirs().intersection(path.parents)


@cache
def _installed_dirs() -> frozenset[Path]:
    return frozenset(Path(sysconfig.get_path(key)) for key in ("stdlib", "purelib", "platlib"))


@cache
def _imported_names(source: bytes, package: str) -> tuple[str, ...]:
    """Lists the modules that a source may import; names after `import` may be modules, too.

    Args:
        source: Python code.
        package: The package that relative imports refer to.
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
