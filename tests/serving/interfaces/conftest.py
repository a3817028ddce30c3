"""Servers and clients that the tests of an interface share."""

import http.client
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.settings import LimitSettings, ServingSettings, VersionSettings
from tests.helpers.grpc_client import GrpcClient
from tests.helpers.rest_client import connect
from tests.helpers.served_models import ServerThread, write_model


@pytest.fixture(scope="package")
def grpc_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with versions 1 and 3, and a version 5 that cannot be loaded."""
    folder = tmp_path_factory.mktemp("half")
    write_model(folder, 1)
    write_model(folder, 3, shift=3.0)
    (folder / "5").mkdir()
    (folder / "5" / "saved_model.pb").write_bytes(b"nothing")
    return folder


@pytest.fixture(scope="package")
def client(grpc_folder: Path) -> Iterator[GrpcClient]:
    """The model `half` with all its versions, and the model `empty` without any."""
    settings = ServingSettings(
        versions=VersionSettings(policy="all", labels={"stable": 1, "gone": 7}),
        limits=LimitSettings(body_bytes=2**18, examples=100),
    )
    folders = {"half": grpc_folder, "empty": grpc_folder / "none"}
    with ServerThread(folders, settings) as server:
        client = GrpcClient(server)
        yield client
        client.close()


@pytest.fixture(scope="package")
def rest_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with versions 1, y = x / 2 + 2, and 2, y = x / 2 + 3."""
    folder = tmp_path_factory.mktemp("rest")
    write_model(folder, 1)
    write_model(folder, 2, shift=3.0)
    return folder


@pytest.fixture(scope="package")
def rest_server(rest_folder: Path) -> Iterator[ServerThread]:
    """The model `m` with both versions; the label `stable` is version 1."""
    versions = VersionSettings(policy="all", labels={"stable": 1, "gone": 9})
    with ServerThread({"m": rest_folder}, ServingSettings(versions=versions)) as server:
        yield server


@pytest.fixture
def connection(rest_server: ServerThread) -> Iterator[http.client.HTTPConnection]:
    connection = connect(rest_server)
    yield connection
    connection.close()
