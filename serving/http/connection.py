"""HTTP for clients that are slow, broken or many: a connection with limits."""

import asyncio
import select
import socket
import struct
import time
from collections import deque
from collections.abc import Callable
from ctypes import addressof, create_string_buffer
from dataclasses import dataclass, field
from typing import cast

from serving.errors import Code, ServingError
from serving.formats.json_text import dump_error
from serving.http.messages import JSON, Answer, HttpError, Request, write_answer
from serving.http.request_reader import RequestReader
from serving.models.batching import Outputs
from serving.settings import LimitSettings

_KEEP_ALIVE_SECONDS = 75
_PIPELINED = 256
"""Requests that may wait for the answer of the one before them."""
_LINGER_SECONDS = 2.0
"""Time for a client to read why it is refused: what it still sends would reset the connection."""
_SO_ATTACH_FILTER = 26
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

Respond = Callable[[Answer], None]
Handle = Callable[[Request, Respond], "asyncio.Future[Outputs] | None"]
"""Has a request answered: at once, or when the future that it gives is done, into which an error
may be put if there is nothing to wait for any more."""
OnAnswer = Callable[[asyncio.BaseTransport, Request | None, Answer, float], None]
"""Told of each answer: to whom, to what (None: refused before it was whole), what is sent, and the
seconds that it took."""


@dataclass
class Clients:
    """What the connections of a server have in common.

    Attributes:
        handle: Has their requests answered.
        limits: What they are held to.
        on_answer: Told of each answer.
        connections: The open ones.
        n_requests: How many requests have come.
    """

    handle: Handle
    limits: LimitSettings
    on_answer: OnAnswer | None = None
    connections: "set[Connection]" = field(default_factory=set)
    n_requests: int = 0


class Connection(asyncio.Protocol):
    """A connection; `check` is to be called every now and then.

    Its requests are answered one after another. A refusal has a body in JSON, as TensorFlow
    Serving's: `{"error": ...}`.
    """

    def __init__(self, clients: Clients) -> None:
        """Makes one that is not connected yet."""
        self._clients = clients
        self._limits = clients.limits
        self._reader = RequestReader(clients.limits.body_bytes)
        # When what has to be whole in time began: the request, or the wait for the first one.
        self._since: float | None = None
        self._idle_since = 0.0
        self._stuck_since: float | None = None
        self._ended_at: float | None = None  # since then, what comes is thrown away
        self._is_at_eof = False
        self._is_paused = False
        self._waiting: deque[Request] = deque()
        self._current: Request | None = None
        self._begin = 0.0  # of the current one
        self._pending: asyncio.Future[Outputs] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begins to wait for a request, unless there are too many connections."""
        self.transport = cast(asyncio.Transport, transport)
        self._since = time.monotonic()
        self._clients.connections.add(self)
        n_over = len(self._clients.connections) - self._limits.connections
        if n_over > self._limits.connections:
            self.transport.abort()
        elif n_over > 0:
            self._refuse(HttpError(503, Code.UNAVAILABLE, "too many connections"))

    def connection_lost(self, error: Exception | None) -> None:
        """Gives up what nobody waits for any more."""
        self._clients.connections.discard(self)
        self._ended_at = time.monotonic()
        self._waiting.clear()
        self._give_up(Code.CANCELLED, "the client has gone")

    def data_received(self, data: bytes) -> None:
        """Takes what has come."""
        if self._ended_at is not None:
            return
        reader = self._reader
        requests = reader.feed(data)
        if requests:
            self._since = None
            self._clients.n_requests += len(requests)
            self._waiting.extend(requests)
        if reader.refusal is not None:
            self._refuse(reader.refusal)
        elif reader.is_within:
            if self._since is None:
                self._since = time.monotonic()
            if reader.is_asked_to_go_on and not self._has_request:
                reader.is_asked_to_go_on = False
                self.transport.write(_CONTINUE)
        if len(self._waiting) > _PIPELINED:
            self._ended_at = time.monotonic()
        self._answer_next()

    def eof_received(self) -> bool:
        """Answers what was asked before the client stopped to send; then closes."""
        self._is_at_eof = True
        return self._has_request and self.transport.can_write_eof()  # TLS knows no half of one

    def pause_writing(self) -> None:
        """Notes since when the client does not read."""
        self._stuck_since = time.monotonic()

    def resume_writing(self) -> None:
        """Notes that it reads again."""
        self._stuck_since = None
        self._answer_next()

    def check(self, now: float) -> None:
        """Ends the connection, or the wait for an answer, if its time is over.

        Args:
            now: The monotonic time.
        """
        timeout = self._limits.timeout_seconds
        if self.transport.is_closing() and self._stuck_since is None:
            self._stuck_since = now  # what is not read yet would keep it open for ever
        if self._pending is not None and now - self._begin >= timeout:
            self._give_up(Code.DEADLINE_EXCEEDED, "Timed out waiting for the answer of the model")
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
        """Ends the connection if no request has come for some time, beyond its head at least.

        Args:
            now: The monotonic time.
            idle_since: When to begin to count, of one that has been idle for longer.
            seconds: How long it may be idle.
        """
        is_busy = self._has_request or self._reader.has_head
        if is_busy or now - (self._since or idle_since) < seconds:
            return
        if not is_readable(self.transport.get_extra_info("socket").fileno()):
            self.transport.close()

    @property
    def _has_request(self) -> bool:
        """Whether a request is there, whole, that is not answered yet."""
        return self._current is not None or bool(self._waiting)

    def _answer_next(self) -> None:
        """Has requests answered until one takes its time, or the client does not read."""
        while self._waiting and self._current is None and self._stuck_since is None:
            self._current = self._waiting.popleft()
            self._begin = time.monotonic()
            self._pending = self._clients.handle(self._current, self._respond)
        if bool(self._waiting) == self._is_paused or self.transport.is_closing():
            return
        self._is_paused = not self._is_paused
        if self._is_paused:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()
            if self._since is not None:
                self._since = time.monotonic()

    def _respond(self, answer: Answer) -> None:
        """Sends the answer to the current request."""
        request, self._current = self._current, None
        was_pending, self._pending = self._pending is not None, None
        assert request is not None
        is_over = self._ended_at is not None or self._is_at_eof
        if not request.keeps_alive or (is_over and not self._waiting):
            answer = answer._replace(is_last=True)
        self._send(request, answer)
        if was_pending:
            self._answer_next()

    def _refuse(self, refusal: HttpError) -> None:
        """Reads no more, and says why."""
        self._ended_at = self._begin = time.monotonic()
        if not self._has_request:  # else it would be taken for the answer to that
            body = dump_error(refusal.message)
            self._send(None, Answer(refusal.status, JSON, body, is_last=True))

    def _send(self, request: Request | None, answer: Answer) -> None:
        now = self._idle_since = time.monotonic()
        if self._clients.on_answer is not None:
            self._clients.on_answer(self.transport, request, answer, now - self._begin)
        if self.transport.is_closing():
            return
        has_body = request is None or request.method != "HEAD"
        self.transport.write(write_answer(answer, time.time(), has_body=has_body))
        if answer.is_last:
            self._waiting.clear()
            is_reading, self._ended_at = self._ended_at is None, now
            if is_reading or not self.transport.can_write_eof():
                self.transport.close()
            else:
                self.transport.write_eof()

    def _give_up(self, code: Code, message: str) -> None:
        """Has the current request answered by an error."""
        if self._pending is not None and not self._pending.done():
            self._pending.set_exception(ServingError(code, message))


def is_readable(descriptor: int) -> bool:
    """Tells whether something has come: data, or to a listener a connection."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


def refuse_connections(listener: socket.socket) -> None:
    """Has the kernel drop further attempts to connect, while those that have succeeded wait.

    To close a listener resets what it has not accepted; after this, it can be emptied first. A
    client whose attempt is dropped tries again within a second, and is then told.
    """
    reject = create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))  # BPF: return 0 bytes
    program = struct.pack("@HP", 1, addressof(reject))
    listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
