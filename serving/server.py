"""The server: its models, REST and gRPC on one event loop."""

import asyncio
import contextlib
import socket
from collections.abc import Mapping
from pathlib import Path

import uvicorn

from serving.grpc_api import make_grpc_server
from serving.metrics import Metrics
from serving.rest import make_app
from serving.settings import ServingSettings
from serving.versions import Catalog


class Server:
    """Serves the models in some folders.

    Attributes:
        rest_port: Where REST listens, once started.
        grpc_port: Where gRPC listens, once started.
    """

    def __init__(self, folders: Mapping[str, Path], settings: ServingSettings) -> None:
        """Makes it; nothing listens yet. Belongs to the running event loop."""
        self._settings = settings
        self._metrics = Metrics()
        self._catalog = Catalog(folders, settings, self._metrics.make_on_batch)
        self.rest_port = self.grpc_port = 0

    async def start(self) -> None:
        """Loads the models and listens."""
        await self._catalog.start()
        self._grpc = make_grpc_server(self._catalog, self._settings, self._metrics)
        self.grpc_port = self._grpc.add_insecure_port(
            f"{self._settings.host}:{self._settings.grpc_port}"
        )
        await self._grpc.start()
        listener = socket.create_server((self._settings.host, self._settings.rest_port))
        self.rest_port = listener.getsockname()[1]
        app = make_app(self._catalog, self._settings, self._metrics)
        self._uvicorn = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        self._uvicorn.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
        self._serving = asyncio.create_task(self._uvicorn.serve(sockets=[listener]))

    async def stop(self) -> None:
        """Answers what has been accepted, then ends."""
        self._uvicorn.should_exit = True
        await asyncio.gather(self._serving, self._grpc.stop(self._settings.drain_seconds))
        await self._catalog.close()
