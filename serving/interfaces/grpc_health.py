"""gRPC's health service: whether the models have versions that answer."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from serving.errors import ServingError
from serving.models.catalog import Catalog

_Status = health_pb2.HealthCheckResponse


class Health(health_pb2_grpc.HealthServicer):
    """Reports the health of each model under its name, and of all models under the empty name."""

    def __init__(self, catalog: Catalog, poll_seconds: float) -> None:
        """Initializes the service.

        Args:
            catalog: The models.
            poll_seconds: Seconds between two checks by `Watch`.
        """
        self._catalog = catalog
        self._poll_seconds = poll_seconds

    async def Check(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Returns the health of a model, or NOT_FOUND for an unknown model."""
        status = self._status(request.service)
        if status == _Status.SERVICE_UNKNOWN:
            await context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
        return _Status(status=status)

    async def Watch(self, request: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802
        """Streams the current health and each change, until the server drains."""
        sent = None
        while True:
            status = self._status(request.service)
            if status != sent:
                yield _Status(status=status)
                sent = status
            if self._catalog.is_draining:
                return
            await asyncio.sleep(self._poll_seconds)

    def _status(self, service: str) -> int:
        if service and service not in self._catalog.models:
            return int(_Status.SERVICE_UNKNOWN)
        return int(_Status.SERVING if self._is_serving(service) else _Status.NOT_SERVING)

    def _is_serving(self, service: str) -> bool:
        if not service:
            return self._catalog.is_ready
        try:
            self._catalog.find(service)
        except ServingError:
            return False
        return not self._catalog.is_draining
