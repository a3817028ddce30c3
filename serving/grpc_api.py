"""TensorFlow Serving's gRPC interface."""

import grpc

from serving.metrics import Metrics
from serving.settings import ServingSettings
from serving.versions import Catalog


def make_grpc_server(
    catalog: Catalog, settings: ServingSettings, metrics: Metrics
) -> grpc.aio.Server:
    """Makes the server, which listens nowhere yet."""
    return grpc.aio.server()
