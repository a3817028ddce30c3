"""HTTP requests and responses."""

import zlib
from collections.abc import Sequence
from functools import lru_cache
from http import HTTPStatus
from typing import NamedTuple
from wsgiref.handlers import format_date_time

from serving.errors import Code, ServingError, invalid

JSON = "application/json"


class Request(NamedTuple):
    """A complete HTTP request.

    Attributes:
        method: For instance `GET`.
        path: Percent-decoded, without the query.
        headers: Pairs of name, in lower case, and value.
        body: As sent, before decompression.
        host: Host and port that the client asked for; empty in HTTP/1.0 without them.
        keeps_alive: Whether the connection stays open for another request.
    """

    method: str
    path: str
    headers: Sequence[tuple[bytes, bytes]] = ()
    body: bytes = b""
    host: str = ""
    keeps_alive: bool = True


class Response(NamedTuple):
    """An HTTP response.

    Attributes:
        status: HTTP status code.
        content_type: Value of the header `Content-Type`.
        body: The complete body.
        is_last: Whether the connection is closed after it.
        allow: Value of the header `Allow`, which 405 needs; empty without it.
    """

    status: int
    content_type: str
    body: bytes
    is_last: bool = False
    allow: str = ""


class HttpError(ServingError):
    """An error whose HTTP status does not follow from its code.

    Attributes:
        status: HTTP status code.
        allow: Methods that the path allows; only with 405.
    """

    def __init__(self, status: int, code: Code, message: str, *, allow: str = "") -> None:
        super().__init__(code, message)
        self.status = status
        self.allow = allow


def is_compressed(request: Request) -> bool:
    """Returns whether the body of a request has a content encoding."""
    return any(name == b"content-encoding" for name, _ in request.headers)


def read_body(request: Request, max_bytes: int) -> bytes:
    """Returns the body of a request, decompressed if it is gzip.

    Args:
        request: The request.
        max_bytes: Limit on the size of the decompressed body.

    Raises:
        ServingError: INVALID_ARGUMENT, if the body is too large, has an unknown encoding, or is
            not a single gzip member.
    """
    encoding = b""
    for name, value in request.headers:
        if name == b"content-encoding":
            encoding = value.lower()
    if encoding in (b"", b"identity"):
        return request.body
    if encoding != b"gzip":
        raise HttpError(415, Code.INVALID_ARGUMENT, "Content-Encoding may be gzip only")
    inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        plain = inflater.decompress(request.body, max_bytes + 1)
    except zlib.error:
        raise invalid("the body is not in gzip's format") from None
    if len(plain) > max_bytes:
        raise too_large(max_bytes)
    if not inflater.eof or inflater.unused_data:
        raise invalid("the body is not one whole gzip member")
    return plain


def too_large(max_bytes: int) -> HttpError:
    """Makes the error for a body with more bytes than allowed."""
    return HttpError(
        413, Code.INVALID_ARGUMENT, f"the body has more than the {max_bytes} bytes allowed"
    )


def write_response(response: Response, seconds: float, *, has_body: bool = True) -> bytes:
    """Serializes a response.

    Args:
        response: The response.
        seconds: Unix time, for the header `Date`.
        has_body: False leaves the body out but keeps its length, as for HEAD.
    """
    head = _write_head(response.status, response.content_type, response.is_last, response.allow)
    end = b"content-length: %d\r\ndate: %b\r\n\r\n" % (
        len(response.body),
        _write_date(int(seconds)),
    )
    return head + end + response.body if has_body else head + end


@lru_cache(maxsize=256)
def _write_head(status: int, content_type: str, is_last: bool, allow: str) -> bytes:
    try:
        reason = HTTPStatus(status).phrase
    except ValueError:
        reason = ""
    lines = [
        f"HTTP/1.1 {status} {reason}",
        f"content-type: {content_type}",
        "x-content-type-options: nosniff",
    ]
    if allow:
        lines.append(f"allow: {allow}")
    if is_last:
        lines.append("connection: close")
    return "".join(f"{line}\r\n" for line in lines).encode()


@lru_cache(maxsize=2)
def _write_date(seconds: int) -> bytes:
    return format_date_time(seconds).encode()
