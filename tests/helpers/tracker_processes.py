"""Tracker processes."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from tracking.client import Tracker

MakeTracker = Callable[[str], Tracker]
"""Starts a tracker of a store or server."""


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> bool:
    """Waits until a condition holds; tells whether it did in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def children() -> set[int]:
    """Lists the ids of the child processes of this process."""
    path = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    return {int(process_id) for process_id in path.read_text().split()}
