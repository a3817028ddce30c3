"""Runs commands and prints messages for the set-up."""

import os
import re
import shutil
import subprocess
import sys
from typing import List, Mapping, Optional, Sequence


class SetupError(Exception):
    """An error that stops the set-up, with its remedy."""


def on_path(name: str) -> List[str]:
    """Returns all programs of a name on PATH, in order, since the first may not work."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    found = [shutil.which(name, path=folder) for folder in folders if folder]
    return [path for path in found if path]


def numbers(version: str) -> List[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def output(command: Sequence[str], environ: Optional[Mapping[str, str]] = None) -> str:
    """Returns the output of a command, empty if it cannot be run or fails."""
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
    """Returns the output of a command; if it fails, raises ``failed`` with its error output."""
    try:
        done = subprocess.run(  # noqa: UP022 - capture_output came with Python 3.7
            command,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environ,
            close_fds=False,  # it shares the lock of setup.only_one
        )
    except OSError as error:
        raise SetupError(f"{failed}\n{error}") from None
    if done.returncode:
        raise SetupError(f"{failed}\n{done.stderr.decode('utf-8', 'replace').strip()}")
    return done.stdout


def say(message: str) -> None:
    print(f"setup: {message}", file=sys.stderr, flush=True)
