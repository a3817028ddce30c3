"""The server: models, REST and gRPC on one event loop, from the first load to the last answer."""

import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

import grpc
import orjson

from serving.errors import StartError
from serving.http.connection import Clients, Connection, is_readable, refuse_connections
from serving.http.messages import JSON
from serving.interfaces.grpc_api import make_grpc_server
from serving.interfaces.rest import RestApp
from serving.listeners import Listeners, format_address, open_listeners
from serving.models.versions import Catalog, State
from serving.pages.page import make_pages
from serving.settings import ServingSettings
from serving.telemetry.access_log import AccessLog
from serving.telemetry.metrics import METRICS_PATH, Metrics

_log = logging.getLogger(__name__)
_BACKLOG = 2048
_CHECK_SECONDS = 0.5
_QUIET_SECONDS = 0.1


class Server:
    """Serves the models in some folders.

    Attributes:
        rest_port: Where REST listens.
        grpc_port: Where gRPC listens.
        connections: The open ones of HTTP.
    """

    def __init__(
        self,
        folders: Mapping[str, Path],
        settings: ServingSettings,
        listeners: Listeners | None = None,
    ) -> None:
        """Makes it; nothing is loaded, and nothing answers yet. Belongs to the running event loop.

        Args:
            folders: Model name to the folder of its versions.
            settings: How to serve them.
            listeners: Its ports; None opens those of the settings.

        Raises:
            StartError: If a port is taken, or a file wrong.
        """
        self._resources = ExitStack()
        self._listeners = listeners or self._resources.enter_context(open_listeners(settings))
        self.host = str(self._listeners.rest.getsockname()[0])
        self.rest_port = self._listeners.rest_port
        self.grpc_port = self._listeners.grpc_port
        ports = {"rest_port": self.rest_port, "grpc_port": self.grpc_port}
        self._settings = settings = settings.model_copy(update=ports)
        self._access_log = AccessLog() if settings.access_log else None
        on_request = self._access_log.write_rpc if self._access_log else None
        self._metrics = Metrics(folders, on_request)
        self._catalog = Catalog(
            folders, settings, self._metrics.make_on_batch, on_load=self._metrics.observe_load
        )
        pages = {
            **make_pages(self._catalog, settings),
            "/healthz": lambda: (200, JSON, b'{"alive":true}'),
            "/readyz": self._readiness,
            METRICS_PATH: self._expose,
        }
        self._app = RestApp(self._catalog, settings, self._metrics, pages)
        on_answer = self._access_log.write_http if self._access_log else None
        self._clients = Clients(self._app.handle, settings.limits, on_answer)
        self.connections = self._clients.connections

    async def start(self) -> None:
        """Loads the models and listens.

        Raises:
            StartError: If a port has been taken meanwhile.
        """
        await self._catalog.start()
        try:
            await self._start_grpc()
            await self._start_rest()
        except (OSError, RuntimeError) as error:
            raise StartError(f"cannot listen: {error}") from None
        self._checking = asyncio.create_task(self._check_forever())

    async def stop(self) -> None:
        """Sends clients elsewhere for a while, answers what has been accepted, then ends."""
        self._catalog.is_draining = self._app.is_draining = True
        begin, seconds = time.monotonic(), self._settings.drain_seconds
        await self._wait_for_clients(begin + seconds)
        timeout = self._settings.limits.timeout_seconds
        stopping = asyncio.create_task(self._grpc.stop(timeout))
        await self._stop_listening()
        end = time.monotonic() + timeout
        while self.connections:
            now = time.monotonic()
            for connection in list(self.connections):
                if now >= end:
                    connection.transport.abort()
                else:
                    connection.close_if_idle(now, begin, seconds)
            await asyncio.sleep(0.01)
        await stopping
        self._checking.cancel()
        await asyncio.gather(self._checking, return_exceptions=True)
        await self._catalog.close()
        if self._access_log is not None:
            self._access_log.close()
        self._resources.close()

    def describe(self) -> list[str]:
        """Says in a line each what is served, and where."""
        lines = []
        for model in self._catalog.models:
            numbers = [
                str(version.number)
                for version in self._catalog.statuses(model)
                if version.state == State.AVAILABLE
            ]
            served = f"version {', '.join(numbers)}" if numbers else "waits for its first version"
            lines.append(f"model {model}: {served}")
        scheme = "https" if self._listeners.tls else "http"
        lines.append(f"page and REST: {scheme}://{format_address(self.host, self.rest_port)}/")
        lines.append(f"gRPC: {format_address(self.host, self.grpc_port)}")
        return lines

    async def _start_grpc(self) -> None:
        self._grpc = make_grpc_server(self._catalog, self._settings, self._metrics)
        address = format_address(self.host, self.grpc_port)
        tls = self._listeners.tls
        if tls is None:
            self._grpc.add_insecure_port(address)
        else:
            credentials = grpc.ssl_server_credentials([(tls.key, tls.certificate)])
            self._grpc.add_secure_port(address, credentials)
        await self._grpc.start()
        self._listeners.grpc.close()

    async def _start_rest(self) -> None:
        tls = self._listeners.tls
        self._rest = await asyncio.get_running_loop().create_server(
            lambda: Connection(self._clients),
            sock=self._listeners.rest,
            backlog=_BACKLOG,
            ssl=tls.context if tls else None,
            ssl_handshake_timeout=self._settings.limits.timeout_seconds if tls else None,
        )

    async def _wait_for_clients(self, end: float) -> None:
        """Waits until none is left and none comes any more, or the time is over."""
        n_requests, last = 0, time.monotonic()
        while (now := time.monotonic()) < min(end, last + _QUIET_SECONDS):
            if self.connections or self._clients.n_requests != n_requests:
                n_requests, last = self._clients.n_requests, now
            await asyncio.sleep(0.01)

    async def _stop_listening(self) -> None:
        """Listens no more, once everything that has connected is accepted."""
        listener = self._listeners.rest
        with suppress(OSError):  # where the system knows no such filter, a connection may be reset
            refuse_connections(listener)
        end = time.monotonic() + 1
        while is_readable(listener.fileno()) and time.monotonic() < end:
            await asyncio.sleep(0)
        self._rest.close()
        listener.close()

    async def _check_forever(self) -> None:
        seconds = min(_CHECK_SECONDS, self._settings.limits.timeout_seconds / 4)
        while True:
            await asyncio.sleep(seconds)
            try:
                self._check()
            except Exception:
                _log.exception("looking after the connections failed")

    def _check(self) -> None:
        now = time.monotonic()
        for connection in list(self.connections):
            connection.check(now)
        self._metrics.flush()
        if self._settings.workers > 1:
            self._show_served()  # another process may be asked for the metrics

    def _show_served(self) -> None:
        self._metrics.show_served(
            {(one.model, one.number): one.batcher.n_waiting for one in self._catalog.served}
        )

    def _expose(self) -> tuple[int, str, bytes]:
        self._show_served()
        return self._metrics.expose()

    def _readiness(self) -> tuple[int, str, bytes]:
        ready = {one.model for one in self._catalog.served}
        body = {
            "ready": self._catalog.is_ready,
            "draining": self._catalog.is_draining,
            "without_version": [name for name in self._catalog.models if name not in ready],
        }
        return 200 if self._catalog.is_ready else 503, JSON, orjson.dumps(body)
