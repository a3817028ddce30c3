"""The server: models, REST and gRPC on one event loop."""

import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import grpc
import orjson

from serving.errors import StartError
from serving.http.connection import Connection, ServerState, is_readable, refuse_connections
from serving.http.messages import JSON
from serving.interfaces.grpc_api import make_grpc_server
from serving.interfaces.rest import RestApp
from serving.listeners import Listeners, format_address, open_listeners
from serving.models.catalog import Catalog
from serving.models.versions import State
from serving.pages.page import make_pages
from serving.settings import ServingSettings
from serving.suspects import RequestWatch
from serving.telemetry.access_log import AccessLog
from serving.telemetry.metrics import METRICS_PATH, Metrics

_log = logging.getLogger(__name__)
_BACKLOG = 2048
_CHECK_SECONDS = 0.5
_QUIET_SECONDS = 0.1


class Server:
    """Serves models over REST and gRPC.

    Attributes:
        host: Address that it listens at.
        rest_port: Port of REST.
        grpc_port: Port of gRPC.
        connections: The open HTTP connections.
    """

    def __init__(
        self,
        folders: Mapping[str, Path],
        settings: ServingSettings,
        listeners: Listeners | None = None,
        shared_dir: Path | None = None,
    ) -> None:
        """Prepares the server for the running event loop; `start` loads the models and listens.

        Args:
            folders: Model name to the folder of its versions.
            settings: The section `serving`.
            listeners: The server's ports; None opens those of the settings.
            shared_dir: Folder that it shares with its supervisor; None makes one.

        Raises:
            StartError: If a port is in use or a TLS file cannot be used.
        """
        self._resources = ExitStack()
        self._listeners = listeners or self._resources.enter_context(open_listeners(settings))
        self.host = str(self._listeners.rest.getsockname()[0])
        self.rest_port = self._listeners.rest_port
        self.grpc_port = self._listeners.grpc_port
        ports = {"rest_port": self.rest_port, "grpc_port": self.grpc_port}
        self._settings = settings = settings.model_copy(update=ports)
        self._access_log = AccessLog() if settings.access_log else None
        on_request = self._access_log.write_grpc if self._access_log else None
        self._metrics = Metrics(folders, on_request)
        self._catalog = Catalog(
            folders, settings, self._metrics.make_on_batch, on_load=self._metrics.observe_load
        )
        if shared_dir is None:
            shared_dir = Path(self._resources.enter_context(TemporaryDirectory(prefix="serving-")))
        self._watch = RequestWatch(shared_dir)
        pages = {
            **make_pages(self._catalog, settings),
            "/healthz": lambda: (200, JSON, b'{"alive":true}'),
            "/readyz": self._readiness,
            METRICS_PATH: self._expose,
        }
        self._app = RestApp(self._catalog, settings, self._metrics, self._watch, pages)
        on_response = self._access_log.write_http if self._access_log else None
        self._http = ServerState(self._app.handle, settings.limits, on_response)
        self.connections = self._http.connections

    async def start(self) -> None:
        """Loads the models and listens.

        Raises:
            StartError: If another process has taken a port in the meantime.
        """
        await self._catalog.start()
        try:
            await self._start_grpc()
            await self._start_rest()
        except (OSError, RuntimeError) as error:
            raise StartError(f"cannot listen: {error}") from None
        self._checking = asyncio.create_task(self._check_forever())

    async def stop(self) -> None:
        """Drains: reports that it is not ready, waits, answers open requests, then closes.

        For up to `drain_seconds` it still accepts connections, so that clients and load balancers
        have time to choose another server.
        """
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
        """Returns lines that name the served versions and the addresses."""
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
        self._grpc = make_grpc_server(self._catalog, self._settings, self._metrics, self._watch)
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
            lambda: Connection(self._http),
            sock=self._listeners.rest,
            backlog=_BACKLOG,
            ssl=tls.context if tls else None,
            ssl_handshake_timeout=self._settings.limits.timeout_seconds if tls else None,
        )

    async def _wait_for_clients(self, end: float) -> None:
        """Waits until there have been no connections and requests for a moment, or until `end`."""
        n_requests, last = 0, time.monotonic()
        while (now := time.monotonic()) < min(end, last + _QUIET_SECONDS):
            if self.connections or self._http.n_requests != n_requests:
                n_requests, last = self._http.n_requests, now
            await asyncio.sleep(0.01)

    async def _stop_listening(self) -> None:
        """Accepts the connections that are established, then closes the REST port."""
        listener = self._listeners.rest
        with suppress(OSError):  # without socket filters, a new connection may be reset
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
                _log.exception("checking the connections failed")

    def _check(self) -> None:
        now = time.monotonic()
        for connection in list(self.connections):
            connection.check(now)
        self._metrics.flush()
        if self._settings.workers > 1:
            self._update_served()  # another worker may be asked for the metrics

    def _update_served(self) -> None:
        self._metrics.update_served(
            {
                (served.model, served.number): served.batcher.n_waiting
                for served in self._catalog.served
            }
        )

    def _expose(self) -> tuple[int, str, bytes]:
        self._update_served()
        return self._metrics.expose()

    def _readiness(self) -> tuple[int, str, bytes]:
        ready = {served.model for served in self._catalog.served}
        body = {
            "ready": self._catalog.is_ready,
            "draining": self._catalog.is_draining,
            "without_version": [name for name in self._catalog.models if name not in ready],
        }
        return 200 if self._catalog.is_ready else 503, JSON, orjson.dumps(body)
