"""The access log: a line of JSON for each request, on standard output."""

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
from serving.http.messages import Request, Response

_log = logging.getLogger(__name__)
_MODEL = re.compile(r"/v1/models/([^/:]+)(?:/versions/(\d+))?", re.IGNORECASE)
_MAX_WAITING = 10_000
_CLOSE_SECONDS = 3.0


class AccessLog:
    """Writes lines in a background thread; drops lines while standard output is blocked.

    Attributes:
        n_dropped: Dropped lines; the next line written reports the number and resets it.
    """

    def __init__(self, descriptor: int = 1) -> None:
        self._descriptor = descriptor
        self._queue: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self.n_dropped = 0
        self._thread = threading.Thread(target=self._work, name="access-log", daemon=True)
        self._thread.start()

    def write_http(
        self,
        transport: asyncio.BaseTransport,
        request: Request | None,
        response: Response,
        seconds: float,
    ) -> None:
        """Logs an HTTP request and its response.

        Args:
            transport: Transport of the connection, which knows the client's address.
            request: The request; None if it was refused before it was complete.
            response: The response.
            seconds: Time from the complete request to the response.
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
                "status": response.status,
                "milliseconds": round(seconds * 1000, 3),
                "bytes": 0 if request and request.method == "HEAD" else len(response.body),
            }
        )

    def write_grpc(self, model: str, entrypoint: str, api: str, code: Code, seconds: float) -> None:
        """Logs a gRPC request; the arguments are those of `Metrics.observe_request`."""
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
        """Writes the waiting lines, for a few seconds at most."""
        self._queue.put(None)
        self._thread.join(_CLOSE_SECONDS)

    def _write(self, fields: dict[str, Any]) -> None:
        if self._queue.qsize() >= _MAX_WAITING:
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
                _log.error("access log stopped: %s", error)
                return
