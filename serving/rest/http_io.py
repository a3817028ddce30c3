"""A request's body, the wait for its answer, and the reply: what ASGI leaves to an application."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from serving.batching import Outputs
from serving.errors import Code, ServingError

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
_PATIENCE_SECONDS = 0.05
"""How long an answer may take before it is watched whether the client is still there."""


class HttpError(ServingError):
    """What has a status of HTTP's own, after which the connection is closed.

    Attributes:
        status: It.
    """

    def __init__(self, status: int, code: Code, message: str) -> None:
        """Keeps them."""
        super().__init__(code, message)
        self.status = status


async def read_body(
    headers: list[tuple[bytes, bytes]], receive: Receive, most_bytes: int, seconds: float
) -> bytes:
    """Reads the body of a request.

    Args:
        headers: Of the request. A body that is gzip is unpacked.
        receive: ASGI's.
        most_bytes: How large it may be, unpacked too.
        seconds: Within which it has to be there.

    Raises:
        ServingError: If it is too large, comes too slowly or not at all, or is encoded strangely.
    """
    encoding = b""
    for name, value in headers:
        if name == b"content-length" and value.isdigit() and int(value) > most_bytes:
            raise _too_large(most_bytes)
        if name == b"content-encoding":
            encoding = value.lower()
    if encoding not in (b"", b"gzip", b"identity"):
        raise HttpError(415, Code.INVALID_ARGUMENT, "Content-Encoding may be gzip only")
    body = await _receive_body(receive, most_bytes, seconds)
    return _unzip(body, most_bytes) if encoding == b"gzip" else body


async def _receive_body(receive: Receive, most_bytes: int, seconds: float) -> bytes:
    task = asyncio.current_task()
    assert task is not None
    is_late = False

    def give_up() -> None:
        nonlocal is_late
        is_late = True
        task.cancel()

    timer = asyncio.get_running_loop().call_later(seconds, give_up)
    parts, n_bytes = [], 0
    try:
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _cancelled()
            part = message.get("body", b"")
            n_bytes += len(part)
            if n_bytes > most_bytes:
                raise _too_large(most_bytes)
            parts.append(part)
            if not message.get("more_body"):
                return b"".join(parts)
    except asyncio.CancelledError:
        if not is_late:
            raise
        raise HttpError(
            408, Code.DEADLINE_EXCEEDED, f"the request has not arrived within {seconds:g} s"
        ) from None
    finally:
        timer.cancel()


def _unzip(body: bytes, most_bytes: int) -> bytes:
    inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        plain = inflater.decompress(body, most_bytes + 1)
    except zlib.error:
        raise ServingError(Code.INVALID_ARGUMENT, "the body is not in gzip's format") from None
    if len(plain) > most_bytes:
        raise _too_large(most_bytes)
    if not inflater.eof or inflater.unused_data:
        raise ServingError(Code.INVALID_ARGUMENT, "the body is not one whole gzip member")
    return plain


async def wait_for_answer(
    future: asyncio.Future[Outputs], receive: Receive, seconds: float
) -> Outputs:
    """Waits for an answer; gives it up where it is too late, or the client has gone.

    Nearly every answer comes before `_PATIENCE_SECONDS`, and costs a timer only.

    Raises:
        ServingError: What the future holds, or CANCELLED, or DEADLINE_EXCEEDED.
    """
    watchers: list[asyncio.Task[ServingError]] = []

    def start_watching() -> None:
        watchers.append(asyncio.create_task(_watch(future, receive, seconds - _PATIENCE_SECONDS)))

    timer = asyncio.get_running_loop().call_later(min(seconds, _PATIENCE_SECONDS), start_watching)
    try:
        return await future
    except asyncio.CancelledError:
        if watchers and watchers[0].done() and not watchers[0].cancelled():
            raise watchers[0].result() from None
        raise
    finally:
        timer.cancel()
        for watcher in watchers:
            watcher.cancel()


async def _watch(future: asyncio.Future[Outputs], receive: Receive, seconds: float) -> ServingError:
    """Cancels a future when the client goes or the time is over; says which."""
    try:
        await asyncio.wait_for(receive(), seconds)
        error = _cancelled()
    except asyncio.TimeoutError:
        error = ServingError(
            Code.DEADLINE_EXCEEDED, "Timed out waiting for the answer of the model"
        )
    future.cancel()
    return error


async def reply(send: Send, status: int, content_type: str, body: bytes, *, is_last: bool) -> None:
    """Sends a reply.

    Args:
        send: ASGI's.
        status: Of HTTP.
        content_type: Of the body.
        body: All of it.
        is_last: Whether the connection is closed behind it.
    """
    headers = [
        (b"content-type", content_type.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"x-content-type-options", b"nosniff"),
    ]
    if is_last:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _too_large(most_bytes: int) -> ServingError:
    return HttpError(
        413, Code.INVALID_ARGUMENT, f"the body has more than the {most_bytes} bytes allowed"
    )


def _cancelled() -> ServingError:
    return ServingError(Code.CANCELLED, "the client has gone")
