"""Sets up ``.venv`` with Python 3.10, the packages of ``uv.lock``, and this project, editable.

It runs with any Python 3 from 3.6 on and needs no package. uv and Python are looked for on this
machine first; if missing, uv is fetched from the package registry, and Python by uv. It prints
nothing to stdout, which is for the command that follows the set-up.
"""

import contextlib
import fcntl
import hashlib
import os
import platform
import re
import sys
from pathlib import Path
from typing import Iterator, Optional

from setup_commands import SetupError, run, say
from setup_python import find_python, this_python
from setup_uv import fetch_uv, find_uv, uv_environ

# The files that determine what is installed, and how.
INPUTS = ("pyproject.toml", "uv.lock", "tools/*.py", "tools/*/pyproject.toml")


def main() -> int:
    """Sets up the checkout of this file and returns the exit code."""
    root = Path(__file__).resolve().parent.parent
    try:
        if not is_current(root):
            with only_one(root):
                # Another set-up may have done it in the meantime.
                if not is_current(root):
                    set_up(root)
    except SetupError as error:
        say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        say("interrupted; the next set-up completes it")
        return 130
    return 0


def set_up(root: Path) -> None:
    """Installs ``uv.lock`` into ``.venv``; the stamp is deleted first and written last."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise SetupError("TFX's libraries exist for Linux on x86_64 only: use such a machine.")
    python = find_python()
    uv = find_uv(root) or fetch_uv(root, [python or this_python(), this_python()])
    if not is_own(root):
        make_venv(root, uv, python)
    requirements = locked_requirements(root, uv)
    with contextlib.suppress(FileNotFoundError):
        stamp_path(root).unlink()
    count = len(re.findall(rb"^\w", requirements, re.MULTILINE))
    say(f"installing {count} packages; the first time this takes minutes")
    sync = [uv, "--directory", str(root), "pip", "sync", "--quiet", "--python"]
    failed = "the packages could not be installed. uv said:"
    run([*sync, str(venv_python(root)), "-"], failed, uv_environ(), requirements)
    stamp_path(root).write_text(stamp(root))
    say("ready")


# The state of .venv


def is_current(root: Path) -> bool:
    """Whether ``.venv`` is complete, of this folder, and made from the present files."""
    return is_own(root) and stamp_path(root).read_text() == stamp(root)


def is_own(root: Path) -> bool:
    """Whether ``.venv`` was completed in this folder and its Python still exists.

    Its scripts have absolute paths, so it must be made again after a move or a copy.
    """
    path = stamp_path(root)
    made_here = path.is_file() and path.read_text().split()[:1] == stamp(root).split()[:1]
    return made_here and os.access(str(venv_python(root)), os.X_OK)


def stamp(root: Path) -> str:
    """Returns digests of the folder's path and of the files that determine the packages."""
    files = hashlib.sha256()
    for path in sorted(path for pattern in INPUTS for path in root.glob(pattern)):
        files.update(hashlib.sha256(path.read_bytes()).digest())
    return f"{hashlib.sha256(os.fsencode(str(root))).hexdigest()}\n{files.hexdigest()}\n"


def stamp_path(root: Path) -> Path:
    return root / ".venv" / ".setup-stamp"


def venv_python(root: Path) -> Path:
    return root / ".venv" / "bin" / "python"


@contextlib.contextmanager
def only_one(root: Path) -> Iterator[None]:
    """Locks the folder, so that only one set-up runs in it."""
    (root / ".uv").mkdir(exist_ok=True)
    with (root / ".uv" / "lock").open("w") as lock:
        # Children share the lock, since uv may outlive this process if that is killed.
        os.set_inheritable(lock.fileno(), True)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another set-up")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make_venv(root: Path, uv: str, python: Optional[str]) -> None:
    """Makes an empty ``.venv`` with a Python, or without one, with a Python that uv fetches."""
    environ = uv_environ()
    failed = f".venv could not be made on {python}."
    if python is None:
        say("no Python 3.10 found, leaving it to uv to fetch one")
        environ.setdefault("UV_HTTP_RETRIES", "1")
        failed = (
            "there is no Python 3.10 on this machine, and uv could not fetch one. Install it (as "
            "the package python3.10, or with `pyenv install 3.10`), then run this again. uv said:"
        )
    command = [uv, "venv", "--quiet", "--clear", "--no-project", "--python", python or "3.10"]
    run([*command, str(root / ".venv")], failed, environ)


def locked_requirements(root: Path, uv: str) -> bytes:
    """Returns the packages of ``uv.lock`` with hashes, in pip's format.

    ``uv sync`` would use the registry with which the lock was made. Installing from this list uses
    the user's registry, and the hashes ensure that the files are the same.
    """
    # Without the user's settings for uv, since another registry would make the lock seem outdated.
    environ = {n: v for n, v in os.environ.items() if n[:3] != "UV_" or n == "UV_CACHE_DIR"}
    command = [uv, "--directory", str(root), "export", "--quiet", "--no-header", "--no-annotate"]
    options = ["--locked", "--offline", "--no-config", "--python", str(venv_python(root))]
    failed = f"uv.lock does not fit pyproject.toml: run `{uv} lock`. uv said:"
    return run([*command, *options], failed, environ)


if __name__ == "__main__":
    sys.exit(main())
