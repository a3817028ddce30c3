"""Threads for work that would block the event loop."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any, TypeVar

_T = TypeVar("_T")


def in_thread(function: Callable[..., _T], *args: object) -> "asyncio.Future[_T]":
    """Runs a function in a new daemon thread, so that the process can exit while it runs.

    The pool of `asyncio.to_thread` would be blocked by a few calls that hang.

    Returns:
        A future of the running event loop with the function's result or exception.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[_T] = loop.create_future()

    def end(settle: Callable[[Any], None], outcome: object) -> None:
        if not future.done():
            settle(outcome)

    def run() -> None:
        try:
            outcome: tuple[Callable[[Any], None], object] = future.set_result, function(*args)
        except Exception as error:
            outcome = future.set_exception, error
        with contextlib.suppress(RuntimeError):  # the event loop is closed already
            loop.call_soon_threadsafe(end, *outcome)

    threading.Thread(target=run, name=function.__name__, daemon=True).start()
    return future
