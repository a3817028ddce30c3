"""Runs a server in the current process until a signal."""

import asyncio
import os
import resource
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

import uvloop

from serving.listeners import Listeners
from serving.server import Server
from serving.settings import ServingSettings


def run_server(
    folders: Mapping[str, Path],
    settings: ServingSettings,
    listeners: Listeners,
    on_ready: Callable[[Server], None],
    shared_dir: Path,
    parent: int,
) -> None:
    """Serves until SIGTERM or SIGINT, then drains; a second signal ends the process at once.

    Args:
        folders: Model name to the folder of its versions.
        settings: The section `serving`.
        listeners: The server's ports.
        on_ready: Called when the server answers requests.
        shared_dir: Folder that the supervisor and its workers share.
        parent: A descriptor; the server drains when its other end is closed.

    Raises:
        StartError: If the server cannot start.
    """
    _, limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    uvloop.run(_run(folders, settings, listeners, on_ready, shared_dir, parent))


async def _run(
    folders: Mapping[str, Path],
    settings: ServingSettings,
    listeners: Listeners,
    on_ready: Callable[[Server], None],
    shared_dir: Path,
    parent: int,
) -> None:
    loop = asyncio.get_running_loop()
    has_signal = asyncio.Event()
    is_ready = False

    def stop(number: int) -> None:
        if has_signal.is_set():
            os._exit(128 + number)
        if not is_ready:
            os._exit(0)  # nothing has been accepted, and the loading thread need not finish
        has_signal.set()

    def lose_parent() -> None:
        loop.remove_reader(parent)
        has_signal.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
    loop.add_reader(parent, lose_parent)
    server = Server(folders, settings, listeners, shared_dir)
    await server.start()
    is_ready = True
    on_ready(server)
    await has_signal.wait()
    await server.stop()
