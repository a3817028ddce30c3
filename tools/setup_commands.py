"""Running commands, and speaking to the user, for the set-up."""

import os
import re
import shutil
import subprocess
import sys
from typing import List, Mapping, Optional, Sequence


class SetupError(Exception):
    """What stops the set-up, said so that the reader can mend it."""


def on_path(name: str) -> List[str]:
    """Returns every file of that name on PATH, in order; the first may not be the one to use."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    found = [shutil.which(name, path=folder) for folder in folders if folder]
    return [path for path in found if path]


def numbers(version: str) -> List[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def output(command: Sequence[str], environ: Optional[Mapping[str, str]] = None) -> str:
    """Returns what a command prints, or nothing where it cannot be run or fails."""
    try:
        return run(command, "", environ).decode("utf-8", "replace")
    except SetupError:
        return ""


def run(
    command: Sequence[str],
    failed: str,
    environ: Optional[Mapping[str, str]] = None,
    stdin: bytes = b"",
) -> bytes:
    """Returns what a command prints; where it fails, raises ``failed`` and what it said."""
    try:
        done = subprocess.run(  # noqa: UP022 - capture_output came with Python 3.7
            command,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environ,
            close_fds=False,  # they share the lock that setup.only_one holds
        )
    except OSError as error:
        raise SetupError(f"{failed}\n{error}") from None
    if done.returncode:
        raise SetupError(f"{failed}\n{done.stderr.decode('utf-8', 'replace').strip()}")
    return done.stdout


def say(message: str) -> None:
    print(f"setup: {message}", file=sys.stderr, flush=True)
