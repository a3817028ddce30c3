"""Sends HTTP requests from one process, on keep-alive connections that send, wait and repeat.

python http_load.py PORT PATH BODY_FILE CLIENTS SECONDS

Prints one JSON object: responses per second, the median and the 99th percentile in milliseconds.
"""

import asyncio
import json
import statistics
import sys
import time
from pathlib import Path
from typing import cast

import uvloop

_WARM_UP_SECONDS = 0.5


class Client(asyncio.Protocol):
    """A connection that sends again on each response; any status but 200 is an error."""

    def __init__(self, request: bytes, begin: float, end: float) -> None:
        self.milliseconds: list[float] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._request = request
        self._begin, self._end = begin, end
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("closed before the answer"))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, body = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return
        self._buffer = b""
        now = time.perf_counter()
        if not head.startswith(b"HTTP/1.1 200"):
            self.done.set_exception(RuntimeError(f"{head!r} {body!r}"))
        elif now < self._end:
            if self._asked_at >= self._begin:
                self.milliseconds.append((now - self._asked_at) * 1000)
            self._ask()
        else:
            self._transport.close()
            self.done.set_result(None)

    def _ask(self) -> None:
        self._asked_at = time.perf_counter()
        self._transport.write(self._request)


async def measure(port: int, path: str, body: bytes, n_clients: int, seconds: float) -> None:
    request = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    await ask(port, request, n_clients, time.perf_counter(), 0)  # the first responses take long
    begin = time.perf_counter() + _WARM_UP_SECONDS
    milliseconds = await ask(port, request, n_clients, begin, seconds)
    p99 = sorted(milliseconds)[len(milliseconds) * 99 // 100]
    rate = len(milliseconds) / seconds
    print(json.dumps({"rate": rate, "p50": statistics.median(milliseconds), "p99": p99}))


async def ask(
    port: int, request: bytes, n_clients: int, begin: float, seconds: float
) -> list[float]:
    """Returns the milliseconds of each response to a request that was sent within the time."""
    loop = asyncio.get_running_loop()
    clients = []
    for _ in range(n_clients):
        client = Client(request, begin, begin + seconds)
        await loop.create_connection(lambda client=client: client, "127.0.0.1", port)
        clients.append(client)
    await asyncio.gather(*(client.done for client in clients))
    return [each for client in clients for each in client.milliseconds]


if __name__ == "__main__":
    port, path, body_file, n_clients, seconds = sys.argv[1:]
    uvloop.install()
    asyncio.run(
        measure(int(port), path, Path(body_file).read_bytes(), int(n_clients), float(seconds))
    )
