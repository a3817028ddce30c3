"""A digest of the code behind a node, so that its cache follows the code.

TFX keys a node that is given by a dotted path by that path alone: edited code would be served from
the cache. The digest covers the sources of the named modules and of all they import that is not
installed, and the versions of the libraries that do the work.
"""

import ast
import hashlib
import importlib.util
import sysconfig
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path

_LIBRARIES = (
    "apache-beam",
    "tensorflow",
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
    """Reads the modules and, through their imports, all behind them that are not installed."""
    sources: dict[str, bytes] = {}
    pending = list(modules)
    while pending:
        name = pending.pop()
        path = _source_path(name)
        if path is not None and name not in sources:
            sources[name] = path.read_bytes()
            pending.extend(_imported_names(sources[name], name))
    return sources


def _source_path(name: str) -> Path | None:
    """Finds the source of a module of ours without importing it; None for any other name."""
    top, *rest = name.split(".")
    spec = importlib.util.find_spec(top)
    if spec is None or spec.origin is None or not _is_ours(Path(spec.origin)):
        return None
    if not rest:
        return Path(spec.origin)
    module = Path(spec.origin).parent.joinpath(*rest)
    candidates = (module.with_suffix(".py"), module / "__init__.py")
    return next((path for path in candidates if path.is_file()), None)


def _is_ours(path: Path) -> bool:
    installed = {Path(sysconfig.get_path(key)) for key in ("stdlib", "purelib", "platlib")}
    return path.suffix == ".py" and not installed.intersection(path.parents)


def _imported_names(source: bytes, importer: str) -> Iterator[str]:
    """Names every module that a source may import, each `from` name taken for a module too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = importer.rsplit(".", node.level)[0] + "." if node.level else ""
            base = package + (node.module or "")
            yield base.rstrip(".")
            yield from (f"{base.rstrip('.')}.{alias.name}" for alias in node.names)
