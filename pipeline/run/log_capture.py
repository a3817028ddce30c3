"""Screen and log: the libraries' chatter goes to a file, and the run's own words to the screen."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TextIO

_TEE_SECONDS = 5.0


@contextmanager
def divided_output(log_path: Path, *, verbose: bool) -> Iterator[TextIO]:
    """Sends all that is written to standard output and error to a log file.

    It works below Python, by file descriptors, since much of the chatter is not Python's.

    Args:
        log_path: The log file, its folder made if absent.
        verbose: Whether the chatter is shown on standard error as well.

    Yields:
        A stream that still writes to the screen, the standard output of before.
    """
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        saved = [os.dup(1), os.dup(2)]
        log = stack.enter_context(open(log_path, "ab"))
        target = _tee(stack, log_path, saved[1]) if verbose else log.fileno()
        screen = stack.enter_context(os.fdopen(os.dup(saved[0]), "w"))
        stack.callback(_restore, saved)  # before a tee is waited for, which both still feed
        _flush()
        os.dup2(target, 1)
        os.dup2(target, 2)
        yield screen


def _restore(saved: Sequence[int]) -> None:
    _flush()
    for descriptor, original in enumerate(saved, start=1):
        os.dup2(original, descriptor)
        os.close(original)


def _tee(stack: ExitStack, log_path: Path, screen: int) -> int:
    """Starts a process that writes to log and screen, and gives the descriptor to write to it."""
    process = subprocess.Popen(
        ["tee", "-a", str(log_path)],  # noqa: S607 (wherever the system keeps it)
        stdin=subprocess.PIPE,
        stdout=screen,
        start_new_session=True,  # Ctrl-C in a terminal is not meant for it
    )
    assert process.stdin is not None
    stack.callback(_wait, process)
    stack.callback(process.stdin.close)
    return process.stdin.fileno()


def _wait(process: "subprocess.Popen[bytes]") -> None:
    with suppress(subprocess.TimeoutExpired):  # a surviving child may still feed it
        process.wait(timeout=_TEE_SECONDS)


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
