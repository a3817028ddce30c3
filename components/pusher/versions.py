"""The serving folder: numbered versions of a model, in the layout of TensorFlow Serving."""

import errno
import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from serving.models.columns import COLUMNS_FILE, Column, write_columns

_RECORD_FILE = os.path.join("assets.extra", "push.json")
_COLUMNS_FILE = os.path.join("assets.extra", COLUMNS_FILE)
_LOCK_FILE = ".lock"
_TEMPORARY_PREFIX = ".tmp-"
ROLLED_BACK = "rolled_back_version"
"""Property of a PushedModel that was not pushed: the version of it that was rolled back."""


@dataclass(frozen=True)
class PushRecord:
    """The record in a pushed version of where it came from.

    Attributes:
        push_id: Id of the push.
        model_digest: `digest_model` of the model.
        promoted_from: The earlier version that was promoted as this one; None if a run pushed it.
    """

    push_id: str
    model_digest: str
    promoted_from: int | None = None


def list_versions(push_dir: str | Path) -> list[int]:
    """Lists the versions in a serving folder, lowest first; empty if the folder does not exist."""
    if not os.path.isdir(push_dir):
        return []
    return sorted(int(name) for name in os.listdir(push_dir) if name.isdecimal())


def read_push(push_dir: str | Path, version: int) -> PushRecord | None:
    """Reads the record of a version; None if the version is absent or was not pushed from here."""
    path = Path(push_dir, str(version), _RECORD_FILE)
    return PushRecord(**json.loads(path.read_text("utf-8"))) if path.exists() else None


def newest_push(push_dir: str | Path) -> tuple[int | None, PushRecord | None]:
    """Finds the newest version and its record, each None if it is absent."""
    versions = list_versions(push_dir)
    return (versions[-1], read_push(push_dir, versions[-1])) if versions else (None, None)


def rolled_back_version(push_dir: str | Path, model_digest: str) -> int | None:
    """Finds the version of a model that was rolled back, so that only a promotion may restore it.

    Args:
        push_dir: The serving folder.
        model_digest: `digest_model` of the model.

    Returns:
        The newest version with this model. None if a run may push the model: because the newest
        version was not promoted, or has this model itself, or because no version has this model.
    """
    _, newest = newest_push(push_dir)
    if newest is None or newest.promoted_from is None or newest.model_digest == model_digest:
        return None
    for version in reversed(list_versions(push_dir)):
        record = read_push(push_dir, version)
        if record is not None and record.model_digest == model_digest:
            return version
    return None


def tell_rolled_back(version: int | str) -> str:
    """Explains why a model that was rolled back is not pushed."""
    return (
        f"version {version}, which has this model, was rolled back; `pipeline promote {version}`"
        " serves it again"
    )


def digest_model(model_dir: str | Path) -> str:
    """Computes a digest of a SavedModel from names and bytes of its files: sha256 in hex.

    Files that a push adds are left out, so that a pushed version has the digest of its model.
    """
    digest = hashlib.sha256()
    added = {Path(model_dir, name) for name in (_RECORD_FILE, _COLUMNS_FILE)}
    for path in sorted(Path(model_dir).rglob("*")):
        if path.is_file() and path not in added:
            digest.update(str(path.relative_to(model_dir)).encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


@contextmanager
def locked(push_dir: str | Path) -> Iterator[None]:
    """Locks a serving folder against other pushes, waiting for one in progress.

    The folder is made if absent. The system releases the lock when the process ends.

    Args:
        push_dir: The serving folder.

    Raises:
        OSError: If the folder cannot be written.
    """
    Path(push_dir).mkdir(parents=True, exist_ok=True)
    with open(Path(push_dir, _LOCK_FILE), "a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def publish(
    model_dir: str | Path,
    push_dir: str | Path,
    record: PushRecord,
    columns: Mapping[str, Column] | None = None,
) -> int:
    """Copies a model into the serving folder as its newest version.

    The copy is made in the same folder under a name that servers ignore, written to disk, and then
    renamed. If the process is killed at any point, the version is complete or absent. The next push
    removes what a killed one left.

    Args:
        model_dir: Folder of a SavedModel.
        push_dir: The serving folder, locked by the caller with `locked`.
        record: The record to write into the version.
        columns: The raw columns to write into the version; None keeps those of the model, if any.

    Returns:
        The version: the time in seconds, or the newest version plus one if that is higher.

    Raises:
        OSError: If the folder cannot be written.
    """
    push_dir = Path(push_dir)
    for leftover in push_dir.glob(f"{_TEMPORARY_PREFIX}*"):
        shutil.rmtree(leftover)
    temporary_dir = push_dir / f"{_TEMPORARY_PREFIX}{os.getpid()}"
    shutil.copytree(model_dir, temporary_dir)
    record_path = temporary_dir / _RECORD_FILE
    record_path.parent.mkdir(exist_ok=True)
    record_path.write_text(json.dumps(asdict(record)), "utf-8")
    if columns is not None:
        write_columns(columns, temporary_dir)
    for path in (temporary_dir, *temporary_dir.rglob("*")):
        _sync(path)
    version = _rename_to_newest(temporary_dir, push_dir)
    _sync(push_dir)
    return version


def _rename_to_newest(temporary_dir: Path, push_dir: Path) -> int:
    """Renames a folder to the next version; tries again if another Pusher takes that first."""
    while True:
        version = max([int(time.time()), *(known + 1 for known in list_versions(push_dir))])
        try:
            temporary_dir.rename(push_dir / str(version))
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
        else:
            return version


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
