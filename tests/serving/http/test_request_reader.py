"""Parsing of requests that arrive in pieces."""

import pytest

from serving.http.messages import Request
from serving.http.request_reader import RequestReader
from tests.helpers.raw_http import post

CHUNKED = b"POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"


def read(data: bytes, size: int | None = None) -> tuple[RequestReader, list[Request]]:
    """Feeds data in pieces of a size to a reader that allows bodies of 1000 bytes."""
    reader = RequestReader(1000)
    pieces = [
        data[begin : begin + (size or len(data))]
        for begin in range(0, len(data), size or len(data))
    ]
    return reader, [request for piece in pieces for request in reader.feed(piece)]


@pytest.mark.parametrize("size", [1, 7, None])
def test_reader_joins_pieces_of_requests(size: int | None) -> None:
    data = (
        post("/a%20b?c=%20", b"body", "X-Y: Z")
        + CHUNKED
        + b"2\r\nab\r\n1\r\nc\r\n0\r\nT: 1\r\n\r\n"
    )
    reader, requests = read(data, size)

    first, second = requests
    assert first[:2] == ("POST", "/a b")
    assert (b"x-y", b"Z") in first.headers
    assert (first.body, first.keeps_alive) == (b"body", True)
    assert (second.path, second.body) == ("/p", b"abc")
    assert second.headers == [(b"host", b"h"), (b"transfer-encoding", b"chunked")]
    assert (reader.is_in_request, reader.error) == (False, None)


@pytest.mark.parametrize(
    ("line", "header", "expected"),
    [
        (b"GET / HTTP/1.1", b"Connection: keep-alive", True),
        (b"GET / HTTP/1.1", b"Connection: close", False),
        (b"GET / HTTP/1.0", b"Connection: keep-alive", False),
        (b"GET http://host:80/ HTTP/1.1", b"A: b", True),
    ],
)
def test_reader_finds_whether_connection_stays_open(
    line: bytes, header: bytes, expected: bool
) -> None:
    _, (request,) = read(line + b"\r\nHost: h\r\n" + header + b"\r\n\r\n")
    assert (request.path, request.keeps_alive) == ("/", expected)


def test_reader_tracks_progress_of_a_request() -> None:
    reader = RequestReader(1000)
    states = []
    for piece in (
        b"\r\n",
        b"POST / HTTP/1.1\r\n",
        b"Host: h\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n",
        b"x",
    ):
        n_requests = len(reader.feed(piece))
        states.append(
            (reader.is_in_request, reader.has_headers, reader.expects_continue, n_requests)
        )
    assert states == [
        (False, False, False, 0),
        (True, False, False, 0),
        (True, True, True, 0),
        (False, False, False, 1),
    ]


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01", 400),
        (b"CONNECT host:80 HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 140_000, 431),
        (post("/", b"")[:-4] + b"\r\n" + b"A: b\r\n" * 15_000 + b"\r\n", 431),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        (b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505),
        (CHUNKED.replace(b"chunked", b"gzip, chunked") + b"0\r\n\r\n", 501),
        (CHUNKED + b"3e9\r\n" + b"x" * 1001, 413),
        (CHUNKED + b"0\r\n" + b"A: b\r\n" * 60_000, 413),
    ],
    ids=[
        *(
            "TLS",
            "CONNECT",
            "header",
            "headers",
            "length",
            "no host",
            "two hosts",
            "two hosts in 1.0",
        ),
        *("HTTP/2.0", "coding", "chunk", "trailers"),
    ],
)
@pytest.mark.parametrize("size", [1000, 60_000])
def test_reader_refuses(data: bytes, status: int, size: int | None) -> None:
    before = post("/first", b"x")
    reader, requests = read(before + data, size)

    assert reader.error is not None
    assert reader.error.status == status
    assert [request.path for request in requests] == ["/first"]
    assert reader.feed(before) == []


@pytest.mark.parametrize("size", [1, 7, None])
@pytest.mark.parametrize(
    "upgrade",
    [
        b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
        b"Connection: Upgrade\r\nUpgrade: websocket\r\n",
    ],
)
def test_reader_answers_a_request_to_upgrade_as_it_is(upgrade: bytes, size: int | None) -> None:
    data = post("/p", b"body").replace(b"Host", upgrade + b"Host") + post("/q", b"next")
    reader, requests = read(data, size)

    assert reader.error is None
    assert [(request.path, request.body) for request in requests] == [
        ("/p", b"body"),
        ("/q", b"next"),
    ]
    assert all(request.keeps_alive for request in requests)


def test_reader_expects_no_continue_in_http_1_0() -> None:
    reader, _ = read(b"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n")

    assert (reader.has_headers, reader.expects_continue) == (True, False)


@pytest.mark.parametrize(
    ("data", "host"),
    [
        (b"GET / HTTP/1.1\r\nHost: a:80\r\n\r\n", "a:80"),
        (b"GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", "b"),
        (b"GET http://b HTTP/1.1\r\nHost: a\r\n\r\n", "b"),
        (b"GET / HTTP/1.0\r\n\r\n", ""),
    ],
)
def test_reader_finds_the_host(data: bytes, host: str) -> None:
    _, (request,) = read(data)

    assert (request.host, request.path) == (host, "/")
