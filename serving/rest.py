"""TensorFlow Serving's REST interface."""

from typing import Any

from serving.metrics import Metrics
from serving.settings import ServingSettings
from serving.versions import Catalog


def make_app(catalog: Catalog, settings: ServingSettings, metrics: Metrics) -> Any:
    """Makes the ASGI application."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 501, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    return app
