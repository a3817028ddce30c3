"""Parsing of HTTP requests, with limits on their size."""

import logging
from urllib.parse import unquote

import httptools

from serving.errors import Code
from serving.http.messages import HttpError, Request, too_large

_log = logging.getLogger(__name__)
_MAX_HEADER_BYTES = 2**16
_UPGRADE = (b"upgrade", b"connection", b"http2-settings")
"""Headers of a request to change to another protocol."""


class RequestReader:
    """Parses the requests of a connection; the `on_` methods are called by httptools.

    Attributes:
        is_in_request: Whether a request has begun and is not complete.
        has_headers: Whether all headers of that request have arrived.
        expects_continue: Whether the client waits for `100 Continue` before it sends the body.
        error: Why parsing has stopped; None while it goes on.
    """

    def __init__(self, max_body_bytes: int) -> None:
        """Initializes the parser.

        Args:
            max_body_bytes: Limit on the size of a body, as sent.
        """
        self._max_body_bytes = max_body_bytes
        self.is_in_request = self.has_headers = self.expects_continue = False
        self.error: HttpError | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._requests: list[Request] = []
        self._n_bytes = 0  # of the incomplete request
        self._n_body_bytes = 0
        self._url = b""
        self._host = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._parts: list[bytes] = []

    def feed(self, data: bytes) -> list[Request]:
        """Parses received data; returns the requests that are now complete."""
        if self.error is not None:
            return []
        self._n_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._decline_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserCallbackError:
            _log.exception("reading a request failed")
            self._refuse(HttpError(500, Code.INTERNAL, "internal error"))
        except httptools.HttpParserError:
            self._refuse(_malformed())
        if not self.has_headers:
            if self._n_bytes > _MAX_HEADER_BYTES:
                self._refuse(_headers_too_large())
        elif self._n_bytes > 2 * (_MAX_HEADER_BYTES + self._max_body_bytes):
            self._refuse(too_large(self._max_body_bytes))  # too much chunk framing or trailers
        requests, self._requests = self._requests, []
        return requests

    def _decline_upgrade(self, rest: bytes) -> None:
        """Parses the request again as one of HTTP/1.1, which a server may answer instead.

        Java's client asks for HTTP/2 in this way, and `curl --http2`. Source: RFC 9110, 7.8.

        Args:
            rest: What follows the headers: httptools does not parse the body of such a request.
        """
        method = self._parser.get_method()
        if method == b"CONNECT":
            self._refuse(_malformed())
            return
        lines = [b"%b %b HTTP/1.1" % (method, self._url)]
        lines += [b"%b: %b" % header for header in self._headers if header[0] not in _UPGRADE]
        self._parser = httptools.HttpRequestParser(self)
        self.is_in_request = self.has_headers = False
        self._parser.feed_data(b"\r\n".join(lines) + b"\r\n\r\n" + rest)

    def on_message_begin(self) -> None:
        """Resets the parts of a request."""
        self.is_in_request = True
        self._url = b""
        self._headers = []
        self._parts = []
        self._n_body_bytes = 0

    def on_url(self, url: bytes) -> None:
        """Appends a part of the request target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Adds a header; trailers after the body are ignored."""
        if not self.has_headers:
            self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Checks the size of the headers, and those on which the framing and the route depend."""
        self.has_headers = True
        headers = dict(self._headers)
        version = self._parser.get_http_version()
        n_hosts = [name for name, _ in self._headers].count(b"host")
        # With each, a colon, a space and an end of line.
        n_header_bytes = len(self._url) + sum(
            len(name) + len(value) + 4 for name, value in self._headers
        )
        expected = headers.get(b"expect", b"").lower()
        self.expects_continue = expected == b"100-continue" and version != "1.0"
        self._host = headers.get(b"host", b"")
        length = headers.get(b"content-length", b"")
        coding = headers.get(b"transfer-encoding", b"chunked").strip().lower()
        if n_header_bytes > _MAX_HEADER_BYTES:
            self._refuse(_headers_too_large())
        elif version not in ("1.0", "1.1"):
            self._refuse(_unsupported(505, f"HTTP/{version} is not supported, only HTTP/1.1"))
        elif n_hosts > 1 or (n_hosts == 0 and version == "1.1"):
            self._refuse(HttpError(400, Code.INVALID_ARGUMENT, "expected one header Host"))
        elif coding != b"chunked":
            self._refuse(_unsupported(501, "Transfer-Encoding may be chunked only"))
        elif length.isdigit() and int(length[:20]) > self._max_body_bytes:
            self._refuse(too_large(self._max_body_bytes))

    def on_body(self, body: bytes) -> None:
        """Appends a part of the body, unless the body is too large."""
        self._n_body_bytes += len(body)
        if self._n_body_bytes > self._max_body_bytes:
            self._refuse(too_large(self._max_body_bytes))
        elif self.error is None:
            self._parts.append(body)

    def on_message_complete(self) -> None:
        """Completes the request."""
        if self._parser.should_upgrade():
            return  # httptools says so before the body, and then raises
        self.is_in_request = self.has_headers = self.expects_continue = False
        self._n_bytes = 0
        if self.error is not None:
            return
        parser = self._parser
        try:
            url = httptools.parse_url(self._url)
            path = (url.path or b"/").decode("ascii")
        except httptools.HttpParserInvalidURLError:
            self._refuse(_malformed())
            return
        self._requests.append(
            Request(
                parser.get_method().decode("ascii"),
                unquote(path) if "%" in path else path,
                self._headers,
                b"".join(self._parts),
                (url.host or self._host).decode("latin-1"),
                parser.get_http_version() != "1.0" and parser.should_keep_alive(),
            )
        )

    def _refuse(self, error: HttpError) -> None:
        if self.error is None:
            self.error = error


def _malformed() -> HttpError:
    return HttpError(400, Code.INVALID_ARGUMENT, "malformed HTTP request")


def _unsupported(status: int, message: str) -> HttpError:
    return HttpError(status, Code.UNIMPLEMENTED, message)


def _headers_too_large() -> HttpError:
    return HttpError(
        431,
        Code.INVALID_ARGUMENT,
        f"the headers have more than the {_MAX_HEADER_BYTES} bytes allowed",
    )
