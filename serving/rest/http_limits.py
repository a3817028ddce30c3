"""HTTP for clients that are slow, broken or many: uvicorn's protocol with limits."""

import select
import socket
import struct
from ctypes import addressof, create_string_buffer
from typing import Any

import httptools
import orjson
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from serving.settings import LimitSettings

KEEP_ALIVE_SECONDS = 75
_HEAD_BYTES = 2**16
_PIPELINED = 256
"""Requests that may wait for the answer of the one before them."""
_LINGER_SECONDS = 2.0
"""Time for a client to read why it is refused: what it still sends would reset the connection."""
_SO_ATTACH_FILTER = 26


class LimitedProtocol(HttpToolsProtocol):
    """A connection; `check` is to be called every now and then.

    A refusal has a body in JSON, as TensorFlow Serving's: `{"error": ...}`.
    """

    def __init__(self, config: Config, server_state: ServerState, limits: LimitSettings) -> None:
        """Makes one that is not connected yet."""
        super().__init__(config, server_state, {})
        self._limits = limits
        # When what has to be whole in time began: the request, or the wait for the first one.
        self._since: float | None = None
        self._stuck_since: float | None = None
        self._ended_at: float | None = None  # since then, what comes is thrown away
        self._is_in_head = True
        self._n_head_bytes = 0
        self._n_body_bytes = 0

    def connection_made(self, transport: Any) -> None:
        """Begins to wait for a request, unless there are too many connections."""
        super().connection_made(transport)
        self._writer = _Writer(transport)
        self._since = self.loop.time()
        n_over = len(self.connections) - self._limits.connections
        if n_over > self._limits.connections:
            transport.abort()
        elif n_over > 0:
            self._refuse(503, "too many connections")

    def data_received(self, data: bytes) -> None:
        """Takes what has come."""
        if self._ended_at is not None:
            return
        if self._since is None:
            self._since = self.loop.time()
        self._n_head_bytes += len(data)
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # Answered as if it had not asked for another protocol, after which nothing can be read.
            self._end()
        except httptools.HttpParserError:
            self.send_400_response("malformed HTTP request")
        if self._is_in_head and self._n_head_bytes > _HEAD_BYTES and self._ended_at is None:
            self._refuse_head()

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """Answers what was asked before the client stopped to send; then closes."""
        if self._ended_at is None and self._has_request and not self.cycle.more_body:
            self._end()
            return self.scheme == "http"  # TLS knows no half of a connection
        return None

    def on_headers_complete(self) -> None:
        """Begins to answer, unless the request is too large or one too many."""
        self._is_in_head = False
        self._n_body_bytes = length = 0
        n_head_bytes = len(self.url)
        for name, value in self.headers:
            n_head_bytes += len(name) + len(value) + 4  # a colon, a space, an end of line
            if name == b"content-length" and value.isdigit():
                length = int(value[:20])
        if n_head_bytes > _HEAD_BYTES:
            self._refuse_head()
        elif length > self._limits.body_bytes:
            self._refuse_body()
        elif len(self.pipeline) >= _PIPELINED:
            self._refuse(429, "too many requests wait for the answer of the one before them")
        if self._ended_at is None:
            super().on_headers_complete()
            self.cycle.transport = self._writer  # type: ignore[assignment]

    def on_body(self, body: bytes) -> None:
        """Keeps a part of the body, unless all of it is too long."""
        if self._ended_at is None:
            self._n_body_bytes += len(body)
            if self._n_body_bytes > self._limits.body_bytes:
                self._refuse_body()
            else:
                super().on_body(body)

    def on_message_complete(self) -> None:
        """Has the request whole."""
        if self._ended_at is None:
            self._since = None
            self._is_in_head = True
            self._n_head_bytes = 0
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Reads on, unless enough has been read already."""
        self._writer.flush()
        super().on_response_complete()
        if self.pipeline and not self.transport.is_closing():
            self.flow.pause_reading()

    def send_400_response(self, msg: str) -> None:
        """Refuses what is no HTTP."""
        self._refuse(400, msg)

    def pause_writing(self) -> None:
        """Notes since when the client does not read."""
        super().pause_writing()
        self._stuck_since = self.loop.time()

    def resume_writing(self) -> None:
        """Notes that it reads again."""
        super().resume_writing()
        self._stuck_since = None

    def check(self, now: float) -> None:
        """Ends the connection if its time is over.

        Args:
            now: The time of the event loop.
        """
        timeout = self._limits.timeout_seconds
        if self.transport.is_closing() and self._stuck_since is None:
            self._stuck_since = now  # what is not read yet would keep it open for ever
        if self._stuck_since is not None and now - self._stuck_since >= timeout:
            self.transport.abort()
        elif self._ended_at is not None:
            if not self._has_request and now - self._ended_at >= min(_LINGER_SECONDS, timeout):
                self.transport.abort()
        elif self._since is not None and now - self._since >= timeout:
            self._refuse(408, f"the request has not arrived within {timeout:g} s")

    def close_if_idle(self, now: float, idle_since: float, seconds: float) -> None:
        """Ends the connection if no request has come for some time, or is coming now.

        Args:
            now: The time of the event loop.
            idle_since: When to begin to count, of one that has been idle for longer.
            seconds: How long it may be idle.
        """
        if self._has_request or now - (self._since or idle_since) < seconds:
            return
        if not is_readable(self.transport.get_extra_info("socket").fileno()):
            self.transport.close()

    @property
    def _has_request(self) -> bool:
        """Whether the head of a request is there that is not answered yet."""
        return self.cycle is not None and not self.cycle.response_complete

    def _refuse_head(self) -> None:
        self._refuse(431, f"the head has more than the {_HEAD_BYTES} bytes allowed")

    def _refuse_body(self) -> None:
        self._refuse(413, f"the body has more than the {self._limits.body_bytes} bytes allowed")

    def _end(self) -> None:
        """Answers what has come and reads no more."""
        self._ended_at = self.loop.time()
        if self._has_request:
            self.cycle.keep_alive = False

    def _refuse(self, status: int, message: str) -> None:
        """Says what is wrong, and closes."""
        self._end()
        if self._has_request and (self.cycle.response_started or not self.cycle.more_body):
            return  # the last of its requests is being answered, after which the connection ends
        if self.pipeline:
            self.transport.close()  # a refusal would be taken for the answer to one of those
            return
        if self._has_request:
            self.cycle.disconnected = self.cycle.response_complete = True
            self.cycle.message_event.set()
        body = orjson.dumps({"error": message})
        self.transport.write(
            STATUS_LINE[status]
            + b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
            % len(body)
            + body
        )
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()


class _Writer:
    """Sends the head of an answer together with its body: uvloop sends each write at once."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._head = b""
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        if self._head:
            self._transport.write(self._head + data)
            self._head = b""
        elif data.startswith(b"HTTP/1.1 ") and not data.startswith(b"HTTP/1.1 100"):
            self._head = data
        else:
            self._transport.write(data)

    def flush(self) -> None:
        if self._head:
            self._transport.write(self._head)
            self._head = b""

    def close(self) -> None:
        self.flush()
        self._transport.close()


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
