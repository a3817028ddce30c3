"""gRPC's health service."""

from pathlib import Path

from grpc_health.v1 import health_pb2

from tests.helpers.grpc_client import GrpcClient, error_of
from tests.helpers.served_models import ServerThread, write_model


def _status(client: GrpcClient, service: str) -> str:
    request = health_pb2.HealthCheckRequest(service=service)
    status = client.health.Check(request, timeout=20).status
    return health_pb2.HealthCheckResponse.ServingStatus.Name(status)


def test_health_covers_each_model_and_all(client: GrpcClient) -> None:
    assert _status(client, "half") == "SERVING"
    assert _status(client, "empty") == "NOT_SERVING"
    assert _status(client, "") == "NOT_SERVING"  # one of the models has no version
    request = health_pb2.HealthCheckRequest(service="x")
    assert error_of(client.health.Check, request)[0] == "NOT_FOUND"


def test_health_watch_ends_when_server_drains(tmp_path: Path) -> None:
    with ServerThread({"half": tmp_path}) as server:
        client = GrpcClient(server)
        watch = client.health.Watch(health_pb2.HealthCheckRequest(service=""), timeout=60)
        names = (health_pb2.HealthCheckResponse.ServingStatus.Name(one.status) for one in watch)
        assert next(names) == "NOT_SERVING"
        write_model(tmp_path / "tmp", 1).rename(tmp_path / "1")
        assert next(names) == "SERVING"
        assert _status(client, "") == _status(client, "half") == "SERVING"
        server.loop.call_soon_threadsafe(setattr, server.server._catalog, "is_draining", True)
        assert list(names) == ["NOT_SERVING"]
        assert _status(client, "") == _status(client, "half") == "NOT_SERVING"
        client.close()
