"""Work beside the event loop's: in threads, and in tasks that can be given up."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
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

    threading.Thread(target=run, name=getattr(function, "__name__", None), daemon=True).start()
    return future


def as_future(work: Coroutine[Any, Any, _T]) -> "asyncio.Future[_T]":
    """Starts a coroutine as a task.

    Returns:
        A future with its result or exception, on which others may set an exception first (which a
        task does not allow); the task is then cancelled.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[_T] = loop.create_future()
    task = loop.create_task(work)

    def end(task: "asyncio.Task[_T]") -> None:
        if future.done():
            return
        error = task.exception()
        if error is None:
            future.set_result(task.result())
        else:
            future.set_exception(error)

    task.add_done_callback(end)
    future.add_done_callback(lambda _: task.cancel())
    return future
