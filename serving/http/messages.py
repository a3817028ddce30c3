"""An HTTP request and its answer, whole."""

import zlib
from collections.abc import Sequence
from functools import lru_cache
from http import HTTPStatus
from typing import NamedTuple
from wsgiref.handlers import format_date_time

from serving.errors import Code, ServingError, invalid

JSON = "application/json"


class Request(NamedTuple):
    """A request.

    Attributes:
        method: As `GET`.
        path: Of its target, decoded.
        headers: Small names and values.
        body: As it was sent.
        keeps_alive: Whether another one may follow it.
    """

    method: str
    path: str
    headers: Sequence[tuple[bytes, bytes]] = ()
    body: bytes = b""
    keeps_alive: bool = True


class Answer(NamedTuple):
    """An answer.

    Attributes:
        status: Of HTTP.
        content_type: Of the body.
        body: All of it.
        is_last: Whether the connection is closed behind it.
    """

    status: int
    content_type: str
    body: bytes
    is_last: bool = False


class HttpError(ServingError):
    """What has a status of HTTP's own.

    Attributes:
        status: It.
    """

    def __init__(self, status: int, code: Code, message: str) -> None:
        """Keeps them."""
        super().__init__(code, message)
        self.status = status


def read_body(request: Request, most_bytes: int) -> bytes:
    """Gives the body of a request; one that is gzip is unpacked.

    Args:
        request: It.
        most_bytes: How large the body may be, unpacked too.

    Raises:
        ServingError: If it is too large, or encoded strangely.
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
        plain = inflater.decompress(request.body, most_bytes + 1)
    except zlib.error:
        raise invalid("the body is not in gzip's format") from None
    if len(plain) > most_bytes:
        raise too_large(most_bytes)
    if not inflater.eof or inflater.unused_data:
        raise invalid("the body is not one whole gzip member")
    return plain


def too_large(most_bytes: int) -> HttpError:
    """Makes what is raised of a body that has more bytes than are allowed."""
    return HttpError(
        413, Code.INVALID_ARGUMENT, f"the body has more than the {most_bytes} bytes allowed"
    )


def write_answer(answer: Answer, seconds: float, *, has_body: bool = True) -> bytes:
    """Makes what is sent.

    Args:
        answer: It.
        seconds: The time since 1970.
        has_body: Whether the body goes along, or its length only.
    """
    head = _write_head(answer.status, answer.content_type, answer.is_last)
    end = b"content-length: %d\r\ndate: %b\r\n\r\n" % (len(answer.body), _write_date(int(seconds)))
    return head + end + answer.body if has_body else head + end


@lru_cache(maxsize=256)
def _write_head(status: int, content_type: str, is_last: bool) -> bytes:
    try:
        reason = HTTPStatus(status).phrase
    except ValueError:
        reason = ""
    lines = [
        f"HTTP/1.1 {status} {reason}",
        f"content-type: {content_type}",
        "x-content-type-options: nosniff",
    ]
    if is_last:
        lines.append("connection: close")
    return "".join(f"{line}\r\n" for line in lines).encode()


@lru_cache(maxsize=2)
def _write_date(seconds: int) -> bytes:
    return format_date_time(seconds).encode()
