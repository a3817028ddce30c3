"""HTTP connections, with limits against slow, broken and too many clients."""

import asyncio
import select
import socket
import struct
import time
from collections import deque
from collections.abc import Callable
from ctypes import addressof, create_string_buffer
from dataclasses import dataclass, field
from typing import Any, cast

from serving.errors import Code, ServingError
from serving.formats.json_text import dump_error
from serving.http.messages import JSON, HttpError, Request, Response, write_response
from serving.http.request_reader import RequestReader
from serving.settings import LimitSettings

_KEEP_ALIVE_SECONDS = 75
_MAX_PIPELINED = 256
"""Requests on one connection that may wait for the response to an earlier one."""
_LINGER_SECONDS = 2.0
"""How long to wait before closing after an error: closing while the client still sends would reset
the connection before the client has read the response."""
_SO_ATTACH_FILTER = 26
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

Send = Callable[[Response], None]
Handle = Callable[[Request, Send], "asyncio.Future[Any] | None"]
"""Answers a request: calls `Send` and returns None, or returns a future and calls `Send` when it is
done. The connection sets an exception on the future to end the wait early."""
OnResponse = Callable[[asyncio.BaseTransport, Request | None, Response, float], None]
"""Called for each response with the transport, the request (None if it was refused before it was
complete), the response and the seconds that it took."""


@dataclass
class ServerState:
    """What all connections of a server share.

    Attributes:
        handle: Answers a request.
        limits: Limits on each connection and on their number.
        on_response: Called for each response.
        connections: The open connections.
        n_requests: Number of requests received since the start.
    """

    handle: Handle
    limits: LimitSettings
    on_response: OnResponse | None = None
    connections: "set[Connection]" = field(default_factory=set)
    n_requests: int = 0


class Connection(asyncio.Protocol):
    """A client's connection; the server must call `check` regularly to enforce time limits.

    Requests are answered in order. An error has TensorFlow Serving's JSON body: `{"error": ...}`.
    """

    def __init__(self, server: ServerState) -> None:

        self._server = server
        self._limits = server.limits
        self._reader = RequestReader(server.limits.body_bytes)
        # Start of the time limit for a complete request: the connection, or the request's first
        # byte. None between requests.
        self._since: float | None = None
        self._idle_since = 0.0
        self._stuck_since: float | None = None  # since when the client does not read
        self._ended_at: float | None = None  # data received later is thrown away
        self._is_at_eof = False
        self._is_paused = False
        self._waiting: deque[Request] = deque()
        self._current: Request | None = None
        self._begin = 0.0  # when the current request was handed on
        self._pending: asyncio.Future[Any] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Registers the connection, or refuses it with 503 if too many are open."""
        self.transport = cast(asyncio.Transport, transport)
        self._since = time.monotonic()
        self._server.connections.add(self)
        n_over = len(self._server.connections) - self._limits.connections
        if n_over > self._limits.connections:
            self.transport.abort()
        elif n_over > 0:
            self._refuse(HttpError(503, Code.UNAVAILABLE, "too many connections"))

    def connection_lost(self, error: Exception | None) -> None:
        """Cancels the client's requests."""
        self._server.connections.discard(self)
        self._ended_at = time.monotonic()
        self._waiting.clear()
        self._give_up(Code.CANCELLED, "the client has gone")

    def data_received(self, data: bytes) -> None:
        """Parses received data and answers the requests that are complete."""
        if self._ended_at is not None:
            return
        reader = self._reader
        requests = reader.feed(data)
        if requests:
            self._since = None
            self._server.n_requests += len(requests)
            self._waiting.extend(requests)
        if reader.error is not None:
            self._refuse(reader.error)
        elif reader.is_in_request:
            if self._since is None:
                self._since = time.monotonic()
            if reader.expects_continue and not self._has_request:
                reader.expects_continue = False
                self.transport.write(_CONTINUE)
        if len(self._waiting) > _MAX_PIPELINED:
            self._ended_at = time.monotonic()
        self._answer_next()

    def eof_received(self) -> bool:
        """Keeps the connection open until the requests received so far are answered."""
        self._is_at_eof = True
        # TLS connections cannot be closed in one direction only.
        return self._has_request and self.transport.can_write_eof()

    def pause_writing(self) -> None:
        """Records that the client has stopped reading."""
        self._stuck_since = time.monotonic()

    def resume_writing(self) -> None:
        """Goes on with the waiting requests once the client reads again."""
        self._stuck_since = None
        self._answer_next()

    def check(self, now: float) -> None:
        """Closes the connection, or ends the wait for the model, if a time limit has passed.

        Args:
            now: Value of `time.monotonic()`.
        """
        timeout = self._limits.timeout_seconds
        if self.transport.is_closing() and self._stuck_since is None:
            self._stuck_since = now  # a client that never reads would keep it open for ever
        if self._pending is not None and now - self._begin >= timeout:
            self._give_up(Code.DEADLINE_EXCEEDED, "Timed out waiting for the model")
        if self._stuck_since is not None:
            if now - self._stuck_since >= timeout:
                self.transport.abort()
        elif self._ended_at is not None:
            if not self._has_request and now - self._ended_at >= min(_LINGER_SECONDS, timeout):
                self.transport.abort()
        elif self._since is None:
            self.close_if_idle(now, self._idle_since, _KEEP_ALIVE_SECONDS)
        elif now - self._since >= timeout:
            message = f"the request has not arrived within {timeout:g} s"
            self._refuse(HttpError(408, Code.DEADLINE_EXCEEDED, message))

    def close_if_idle(self, now: float, idle_since: float, seconds: float) -> None:
        """Closes the connection if it has been idle for some time.

        It is busy while a request is being answered or has arrived with all its headers.

        Args:
            now: Value of `time.monotonic()`.
            idle_since: Start of the idle time, unless an incomplete request began later.
            seconds: Idle time after which the connection is closed.
        """
        is_busy = self._has_request or self._reader.has_headers
        if is_busy or now - (self._since or idle_since) < seconds:
            return
        if not is_readable(self.transport.get_extra_info("socket").fileno()):
            self.transport.close()

    @property
    def _has_request(self) -> bool:
        """Whether a complete request has not been answered yet."""
        return self._current is not None or bool(self._waiting)

    def _answer_next(self) -> None:
        """Hands on requests until one has to wait for the model or the client stops reading."""
        while self._waiting and self._current is None and self._stuck_since is None:
            self._current = self._waiting.popleft()
            self._begin = time.monotonic()
            self._pending = self._server.handle(self._current, self._send_current)
        if bool(self._waiting) == self._is_paused or self.transport.is_closing():
            return
        self._is_paused = not self._is_paused
        if self._is_paused:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()
            if self._since is not None:
                self._since = time.monotonic()

    def _send_current(self, response: Response) -> None:
        """Sends the response to the current request."""
        request, self._current = self._current, None
        was_pending, self._pending = self._pending is not None, None
        assert request is not None
        is_over = self._ended_at is not None or self._is_at_eof
        if not request.keeps_alive or (is_over and not self._waiting):
            response = response._replace(is_last=True)
        self._send(request, response)
        if was_pending:
            self._answer_next()

    def _refuse(self, error: HttpError) -> None:
        """Stops reading and sends the error."""
        self._ended_at = self._begin = time.monotonic()
        if not self._has_request:  # otherwise the client would take it for that request's response
            body = dump_error(error.message)
            self._send(None, Response(error.status, JSON, body, is_last=True))

    def _send(self, request: Request | None, response: Response) -> None:
        now = self._idle_since = time.monotonic()
        if self._server.on_response is not None:
            self._server.on_response(self.transport, request, response, now - self._begin)
        if self.transport.is_closing():
            return
        has_body = request is None or request.method != "HEAD"
        self.transport.write(write_response(response, time.time(), has_body=has_body))
        if response.is_last:
            self._waiting.clear()
            is_reading, self._ended_at = self._ended_at is None, now
            if is_reading or not self.transport.can_write_eof():
                self.transport.close()
            else:
                self.transport.write_eof()

    def _give_up(self, code: Code, message: str) -> None:
        """Ends the wait for the model with an error."""
        if self._pending is not None and not self._pending.done():
            self._pending.set_exception(ServingError(code, message))


def is_readable(descriptor: int) -> bool:
    """Returns whether a socket has data to read, or a listener a connection to accept."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


def refuse_connections(listener: socket.socket) -> None:
    """Makes the kernel drop new connection attempts; established connections can be accepted.

    Closing a listener resets connections that it has not accepted; after this call, all of them
    can be accepted first. A client whose attempt is dropped tries again within a second and is then
    refused.
    """
    reject = create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))  # BPF: return 0 bytes
    program = struct.pack("@HP", 1, addressof(reject))
    listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
