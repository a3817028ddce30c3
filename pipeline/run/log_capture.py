"""Sends the output of libraries to a log file, and leaves the screen to the run's messages."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TextIO

_TEE_SECONDS = 5.0


@contextmanager
def redirected_output(log_path: Path, *, verbose: bool) -> Iterator[TextIO]:
    """Redirects standard output and standard error to a log file.

    File descriptors are redirected rather than Python's streams, since much of the output comes
    from native code.

    Args:
        log_path: The log file; its folder is made if absent.
        verbose: Whether the output is shown on standard error as well.

    Yields:
        A stream that writes to the original standard output.
    """
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        saved = [os.dup(1), os.dup(2)]
        log = stack.enter_context(open(log_path, "ab"))
        target = _tee(stack, log_path, saved[1]) if verbose else log.fileno()
        screen = stack.enter_context(os.fdopen(os.dup(saved[0]), "w"))
        stack.callback(_restore, saved)  # before waiting for tee, which reads what both write
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
    """Starts a process that copies its input to log and screen, and returns that input."""
    process = subprocess.Popen(
        ["tee", "-a", str(log_path)],  # noqa: S607 (its folder differs between systems)
        stdin=subprocess.PIPE,
        stdout=screen,
        start_new_session=True,  # else Ctrl-C in a terminal would end it
    )
    assert process.stdin is not None
    stack.callback(_wait, process)
    stack.callback(process.stdin.close)
    return process.stdin.fileno()


def _wait(process: "subprocess.Popen[bytes]") -> None:
    with suppress(subprocess.TimeoutExpired):  # a child process may still write to it
        process.wait(timeout=_TEE_SECONDS)


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
