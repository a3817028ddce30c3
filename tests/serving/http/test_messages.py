"""Decompression of bodies, and serialization of responses."""

import gzip

import pytest

from serving.errors import Code, ServingError
from serving.http.messages import HttpError, Request, Response, read_body, write_response

_GZIP = [(b"content-encoding", b"GZIP")]


def _post(body: bytes, headers: list[tuple[bytes, bytes]]) -> Request:
    return Request("POST", "/", headers, body)


def test_read_body_decompresses_gzip() -> None:
    assert read_body(_post(gzip.compress(b"x" * 100), _GZIP), 100) == b"x" * 100
    assert read_body(_post(b"x", [(b"content-encoding", b"identity")]), 100) == b"x"


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (gzip.compress(b"x" * 101, mtime=0), _GZIP, 413),
        (b"{}", [(b"content-encoding", b"br")], 415),
        (b"{}", [(b"content-encoding", b"gzip, gzip")], 415),
    ],
)
def test_read_body_refuses(body: bytes, headers: list[tuple[bytes, bytes]], status: int) -> None:
    with pytest.raises(HttpError) as caught:
        read_body(_post(body, headers), 100)
    assert (caught.value.status, caught.value.code) == (status, Code.INVALID_ARGUMENT)


@pytest.mark.parametrize(
    "body", [b"{}", b"", gzip.compress(b"{}", mtime=0)[:-1], gzip.compress(b"", mtime=0) * 2]
)
def test_read_body_refuses_broken_gzip(body: bytes) -> None:
    with pytest.raises(ServingError, match="gzip") as caught:
        read_body(_post(body, _GZIP), 100)
    assert caught.value.code == Code.INVALID_ARGUMENT


def test_write_response_has_all_headers() -> None:
    head, _, body = write_response(Response(429, "text/plain", b"no"), 784111777.5).partition(
        b"\r\n\r\n"
    )
    assert body == b"no"
    assert head.split(b"\r\n") == [
        b"HTTP/1.1 429 Too Many Requests",
        b"content-type: text/plain",
        b"x-content-type-options: nosniff",
        b"content-length: 2",
        b"date: Sun, 06 Nov 1994 08:49:37 GMT",
    ]


def test_write_response_without_body_keeps_length() -> None:
    text = write_response(Response(200, "text/plain", b"abc", is_last=True), 0, has_body=False)
    assert b"connection: close\r\n" in text
    assert b"content-length: 3\r\n" in text
    assert text.endswith(b"\r\n\r\n")


def test_write_response_allows_a_nonstandard_status() -> None:
    assert write_response(Response(499, "text/plain", b""), 0).startswith(b"HTTP/1.1 499 \r\n")
