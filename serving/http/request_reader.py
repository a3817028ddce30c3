"""HTTP requests read from bytes as they come, with limits."""

import logging
from urllib.parse import unquote

import httptools

from serving.errors import Code
from serving.http.messages import HttpError, Request, too_large

_log = logging.getLogger(__name__)
_HEAD_BYTES = 2**16


class RequestReader:
    """Reads the requests of a connection.

    Attributes:
        is_within: Whether a request has begun that is not whole yet.
        has_head: Whether its head is there.
        is_asked_to_go_on: Whether a client waits for leave to send its body.
        refusal: Why nothing more is read.
    """

    def __init__(self, most_body_bytes: int) -> None:
        """Has read nothing yet.

        Args:
            most_body_bytes: How large a body may be.
        """
        self._most_body_bytes = most_body_bytes
        self.is_within = self.has_head = self.is_asked_to_go_on = False
        self.refusal: HttpError | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._requests: list[Request] = []
        self._n_bytes = 0  # of the request that is coming
        self._n_body_bytes = 0
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._parts: list[bytes] = []

    def feed(self, data: bytes) -> list[Request]:
        """Takes what has come; gives the requests that are whole now."""
        if self.refusal is not None:
            return []
        self._n_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # Answered as if it had not asked for another protocol, after which nothing can be read.
            self._refuse(_malformed())
        except httptools.HttpParserCallbackError:
            _log.exception("reading a request failed")
            self._refuse(HttpError(500, Code.INTERNAL, "internal error"))
        except httptools.HttpParserError:
            self._refuse(_malformed())
        if not self.has_head:
            if self._n_bytes > _HEAD_BYTES:
                self._refuse(_head_too_large())
        elif self._n_bytes > 2 * (_HEAD_BYTES + self._most_body_bytes):
            self._refuse(too_large(self._most_body_bytes))  # the chunks' sizes, or what is behind
        requests, self._requests = self._requests, []
        return requests

    def on_message_begin(self) -> None:
        """Begins a request."""
        self.is_within = True
        self._url = b""
        self._headers = []
        self._parts = []
        self._n_body_bytes = 0

    def on_url(self, url: bytes) -> None:
        """Takes a part of the target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Takes a header; those behind the body are of no use."""
        if not self.has_head:
            self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Has the head, and refuses what is too large."""
        self.has_head = True
        n_head_bytes, length = len(self._url), 0
        for name, value in self._headers:
            n_head_bytes += len(name) + len(value) + 4  # a colon, a space, an end of line
            if name == b"content-length" and value.isdigit():
                length = int(value[:20])
            elif name == b"expect":
                self.is_asked_to_go_on = value.lower() == b"100-continue"
        if n_head_bytes > _HEAD_BYTES:
            self._refuse(_head_too_large())
        elif length > self._most_body_bytes:
            self._refuse(too_large(self._most_body_bytes))

    def on_body(self, body: bytes) -> None:
        """Keeps a part of the body, unless all of it is too large."""
        self._n_body_bytes += len(body)
        if self._n_body_bytes > self._most_body_bytes:
            self._refuse(too_large(self._most_body_bytes))
        elif self.refusal is None:
            self._parts.append(body)

    def on_message_complete(self) -> None:
        """Has the request whole."""
        self.is_within = self.has_head = self.is_asked_to_go_on = False
        self._n_bytes = 0
        if self.refusal is not None:
            return
        parser = self._parser
        try:
            path = httptools.parse_url(self._url).path.decode("ascii")
        except httptools.HttpParserInvalidURLError:
            self._refuse(_malformed())
            return
        self._requests.append(
            Request(
                parser.get_method().decode("ascii"),
                unquote(path) if "%" in path else path,
                self._headers,
                b"".join(self._parts),
                parser.get_http_version() != "1.0" and parser.should_keep_alive(),
            )
        )

    def _refuse(self, refusal: HttpError) -> None:
        if self.refusal is None:
            self.refusal = refusal


def _malformed() -> HttpError:
    return HttpError(400, Code.INVALID_ARGUMENT, "malformed HTTP request")


def _head_too_large() -> HttpError:
    return HttpError(
        431, Code.INVALID_ARGUMENT, f"the head has more than the {_HEAD_BYTES} bytes allowed"
    )
