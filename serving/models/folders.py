"""The folders of versions: listing them and detecting changes of their files."""

import os
from collections.abc import Mapping
from pathlib import Path

from serving.errors import ModelLoadError

_MAX_VERSION = 2**63 - 1
Fingerprint = tuple[tuple[str, int, int, int], ...]
"""For each file: path, inode, size in bytes, and modification time in nanoseconds."""


def list_versions(folder: Path) -> Mapping[int, Path]:
    """Lists the versions in a folder, the newest first; empty if the folder does not exist.

    As in TensorFlow Serving, a name may have leading zeros; of two names for the same number the
    shorter one is used. Names that are not an int64 number are ignored.
    """
    try:
        names = [entry.name for entry in os.scandir(folder) if entry.is_dir()]
    except OSError:
        return {}
    found: dict[int, Path] = {}
    for name in sorted(names, key=len, reverse=True):
        if name.isascii() and name.isdecimal() and int(name) <= _MAX_VERSION:
            found[int(name)] = folder / name
    return dict(sorted(found.items(), reverse=True))


def fingerprint(path: Path, base: Path) -> Fingerprint:
    """Records the state of a version's files; empty if the folder does not exist.

    Args:
        path: Folder of the version.
        base: Folder of the model, which must hold all targets of symbolic links.

    Raises:
        ModelLoadError: If a link leads out of `base` or to itself.
    """
    root = base.resolve()
    files, folders, seen = [], [path], set()
    while folders:
        folder = folders.pop()
        target = _target(folder, root)
        if target in seen:
            continue
        seen.add(target)
        try:
            entries = list(os.scandir(folder))
        except OSError:  # deleted in the meantime
            continue
        for entry in entries:
            if entry.is_symlink():
                _target(Path(entry.path), root)
            if entry.is_dir():
                folders.append(Path(entry.path))
                continue
            try:
                stat = entry.stat()
            except OSError:
                continue
            files.append((entry.path, stat.st_ino, stat.st_size, stat.st_mtime_ns))
    return tuple(sorted(files))


def _target(path: Path, root: Path) -> Path:
    try:
        target = path.resolve()
    except (OSError, RuntimeError):  # a link to itself
        raise ModelLoadError(f"{path.name}: is a symbolic link to itself") from None
    if not target.is_relative_to(root):
        raise ModelLoadError(f"{path.name}: is a symbolic link out of the model's folder")
    return target
