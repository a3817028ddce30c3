"""Folders of versions: which there are, and whether their files have changed."""

import os
from collections.abc import Mapping
from pathlib import Path

from serving.errors import ModelLoadError

_GREATEST_VERSION = 2**63 - 1
Fingerprint = tuple[tuple[str, int, int, int], ...]
"""Of each file its path, inode, size in bytes, and time of change in nanoseconds."""


def list_versions(folder: Path) -> Mapping[int, Path]:
    """Lists the versions in a folder, the newest first; none where there is no folder.

    As in TensorFlow Serving, a name may have leading zeros; of two for one number the shorter is
    taken. Names that are no number, or none of 64 bits, are passed over.
    """
    try:
        names = [entry.name for entry in os.scandir(folder) if entry.is_dir()]
    except OSError:
        return {}
    found: dict[int, Path] = {}
    for name in sorted(names, key=len, reverse=True):
        if name.isascii() and name.isdecimal() and int(name) <= _GREATEST_VERSION:
            found[int(name)] = folder / name
    return dict(sorted(found.items(), reverse=True))


def fingerprint(path: Path, base: Path) -> Fingerprint:
    """Tells the state of a version's files; empty where there is no such folder.

    Args:
        path: The version's folder.
        base: Where all of it must be, symbolic links followed.

    Raises:
        ModelLoadError: If a link leads elsewhere.
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
        except OSError:  # gone meanwhile
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
        raise ModelLoadError(f"{path.name}: is a link that leads nowhere") from None
    if not target.is_relative_to(root):
        raise ModelLoadError(f"{path.name}: is a link to outside of the model's folder")
    return target
