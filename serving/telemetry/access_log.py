"""A line of JSON for each request, on standard output."""

import asyncio
import logging
import os
import re
import threading
from datetime import datetime, timezone
from queue import SimpleQueue
from typing import Any

import orjson

from serving.errors import Code
from serving.http.messages import Answer, Request

_log = logging.getLogger(__name__)
_MODEL = re.compile(r"/v1/models/([^/:]+)(?:/versions/(\d+))?", re.IGNORECASE)
_MOST_WAITING = 10_000
_CLOSE_SECONDS = 3.0


class AccessLog:
    """Writes in a thread of its own; where nobody reads, lines are dropped rather than kept.

    Attributes:
        n_dropped: Lines dropped that no line has told of yet.
    """

    def __init__(self, descriptor: int = 1) -> None:
        """Starts the thread."""
        self._descriptor = descriptor
        self._queue: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self.n_dropped = 0
        self._thread = threading.Thread(target=self._work, name="access-log", daemon=True)
        self._thread.start()

    def write_http(
        self,
        transport: asyncio.BaseTransport,
        request: Request | None,
        answer: Answer,
        seconds: float,
    ) -> None:
        """Logs an answer.

        Args:
            transport: Of the connection, whose other end is the client.
            request: What was asked; None of a request that was refused before it was whole.
            answer: What is sent.
            seconds: How long it took.
        """
        client = transport.get_extra_info("peername")
        match = _MODEL.match(request.path) if request else None
        self._write(
            {
                "client": f"{client[0]}:{client[1]}" if client else None,
                "method": request.method if request else None,
                "path": request.path if request else None,
                "model": match[1] if match else None,
                "version": int(match[2]) if match and match[2] else None,
                "status": answer.status,
                "milliseconds": round(seconds * 1000, 3),
                "bytes": 0 if request and request.method == "HEAD" else len(answer.body),
            }
        )

    def write_rpc(self, model: str, entrypoint: str, api: str, code: Code, seconds: float) -> None:
        """Logs a request of gRPC; those of REST are told by `write_http`."""
        if entrypoint == "GRPC":
            self._write(
                {
                    "method": api,
                    "model": model,
                    "status": code.name,
                    "milliseconds": round(seconds * 1000, 3),
                }
            )

    def close(self) -> None:
        """Writes what is left, for some seconds at most."""
        self._queue.put(None)
        self._thread.join(_CLOSE_SECONDS)

    def _write(self, fields: dict[str, Any]) -> None:
        if self._queue.qsize() >= _MOST_WAITING:
            self.n_dropped += 1
            return
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        self._queue.put({"time": now, **fields})

    def _work(self) -> None:
        while (fields := self._queue.get()) is not None:
            if self.n_dropped:
                fields["lines_dropped"], self.n_dropped = self.n_dropped, 0
            try:
                line = orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)
                while line:
                    line = line[os.write(self._descriptor, line) :]
            except OSError as error:
                _log.error("the access log ends: %s", error)
                return
