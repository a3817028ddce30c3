"""Checks that folders can be written, and locks them against other processes."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import StateError

MIN_FREE_BYTES = 100 * 2**20
"""Free space that a run needs to start; a run on small data writes about 10 MB."""
_LOCK_FILE = "run.lock"
_POLL_SECONDS = 0.2


def check_writable(folder: Path) -> None:
    """Makes a folder if it is absent, and checks that files can be written to it.

    Args:
        folder: The folder.

    Raises:
        StateError: If it cannot be made or written, or its disk is nearly full.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder) as file:
            file.write(b"0")
            file.flush()
    except OSError as error:
        raise StateError(f"{folder}: cannot be written: {error.strerror}") from None
    free = shutil.disk_usage(folder).free
    if free < MIN_FREE_BYTES:
        raise StateError(
            f"{folder}: the disk has {free >> 20} MB left; a run needs {MIN_FREE_BYTES >> 20} MB"
        )


@contextmanager
def exclusive(folder: Path, on_wait: Callable[[str], None]) -> Iterator[None]:
    """Locks the state folder for one run; other runs wait until it ends.

    Runs of one folder share MLMD's SQLite file, which allows one writer only. The system releases
    the lock when the process ends, in whatever way.

    Args:
        folder: The state folder.
        on_wait: Called once with a message if another run holds the folder.
    """
    with open(folder / _LOCK_FILE, "a+", encoding="utf-8") as file:
        waiting = False
        while not _try_lock(file.fileno()):
            if not waiting:
                file.seek(0)
                on_wait(f"waiting for another run in {folder} (process {file.read().strip()})")
                waiting = True
            time.sleep(_POLL_SECONDS)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


@contextmanager
def scratch_dir_beside(path: Path) -> Iterator[Path]:
    """Makes an empty folder on the same disk as a file that is to be written.

    The folder is removed when the block ends. If the process is killed, the next one that writes
    the same file removes what is left in it.

    Args:
        path: The file.

    Yields:
        The folder, locked against other processes.

    Raises:
        StateError: If another process is writing it.
    """
    folder = path.with_name(f".{path.name}.tmp")
    folder.mkdir(exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if not _try_lock(descriptor):
            raise StateError(f"{path}: is being written by another process")
        try:
            for leftover in folder.iterdir():
                leftover.unlink()
            yield folder
        finally:
            shutil.rmtree(folder)
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
