"""The access log, read from a pipe."""

import asyncio
import json
import os
import threading
from typing import Any

from serving.errors import Code
from serving.http.messages import Request, Response
from serving.telemetry.access_log import AccessLog


class _Transport(asyncio.BaseTransport):
    def get_extra_info(self, name: str, default: object = None) -> object:
        return {"peername": ("127.0.0.1", 5)}[name]


def log_requests(*requests: Request | None) -> list[Any]:
    """Logs a 404 response with two bytes for each request, then two calls; returns the lines."""
    reader, writer = os.pipe()
    log = AccessLog(writer)
    for request in requests:
        log.write_http(_Transport(), request, Response(404, "application/json", b"{}"), 0.0015)
    log.write_grpc("a\nb", "GRPC", "Predict", Code.OK, 0.0015)
    log.write_grpc("half", "REST", "Predict", Code.OK, 0.0015)
    log.close()
    os.close(writer)
    with os.fdopen(reader, "rb") as lines:
        return [json.loads(line) for line in lines]


def test_http_request_is_logged_as_json() -> None:
    line, unnumbered, unread, bodiless, _ = log_requests(
        Request("POST", "/v1/models/half/versions/3:predict"),
        Request("GET", "/v1/models/half"),
        None,
        Request("HEAD", "/"),
    )

    assert line.pop("time")[10] == "T"
    assert line == {
        "client": "127.0.0.1:5",
        "method": "POST",
        "path": "/v1/models/half/versions/3:predict",
        "model": "half",
        "version": 3,
        "status": 404,
        "milliseconds": 1.5,
        "bytes": 2,
    }
    assert (unnumbered["model"], unnumbered["version"]) == ("half", None)
    assert bodiless["bytes"] == 0
    assert (unread["method"], unread["path"], unread["status"]) == (None, None, 404)


def test_only_grpc_requests_are_logged_by_write_grpc() -> None:
    (line,) = log_requests()

    del line["time"]
    assert line == {"method": "Predict", "model": "a\nb", "status": "OK", "milliseconds": 1.5}


def test_blocked_output_drops_lines() -> None:
    reader, writer = os.pipe()
    log = AccessLog(writer)
    for _ in range(20_000):  # a pipe holds a few hundred lines
        log.write_grpc("half", "GRPC", "Predict", Code.OK, 0.001)

    lines: list[Any] = []
    with os.fdopen(reader, "rb") as file:
        reading = threading.Thread(target=lambda: lines.extend(map(json.loads, file)))
        reading.start()
        log.close()
        os.close(writer)
        reading.join()

    n_dropped = log.n_dropped + sum(line.get("lines_dropped", 0) for line in lines)
    assert n_dropped > 0
    assert len(lines) + n_dropped == 20_000
