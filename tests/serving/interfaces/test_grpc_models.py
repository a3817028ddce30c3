"""The methods of the gRPC interface that describe models."""

from pathlib import Path
from typing import Any

import pytest
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
)

from serving.errors import Code
from tests.helpers.grpc_client import GrpcClient, error_of, fill_spec


def test_model_metadata_returns_saved_signatures(client: GrpcClient, grpc_folder: Path) -> None:
    request = fill_spec(get_model_metadata_pb2.GetModelMetadataRequest(), label="stable")
    request.metadata_field.append("signature_def")

    response = client.predictions.GetModelMetadata(request, timeout=20)

    assert response.model_spec.name == "half"
    assert response.model_spec.version.value == 1
    given = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(given)
    saved = saved_model_pb2.SavedModel.FromString(
        (grpc_folder / "1" / "saved_model.pb").read_bytes()
    )
    assert given.signature_def == saved.meta_graphs[0].signature_def


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ([], "GetModelMetadataRequest must specify at least one metadata_field"),
        (["signature_def", "x"], "Metadata field x is not supported"),
    ],
)
def test_model_metadata_refuses_other_fields(client: GrpcClient, fields: Any, text: str) -> None:
    request = fill_spec(get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=fields))
    assert error_of(client.predictions.GetModelMetadata, request) == ("INVALID_ARGUMENT", text)


def test_model_status_lists_versions_and_errors(client: GrpcClient) -> None:
    request = fill_spec(get_model_status_pb2.GetModelStatusRequest())

    statuses = client.models.GetModelStatus(request, timeout=20).model_version_status

    assert [(one.version, one.State.Name(one.state)) for one in statuses] == [
        (5, "END"),
        (3, "AVAILABLE"),
        (1, "AVAILABLE"),
    ]
    assert statuses[0].status.error_code == Code.UNKNOWN
    assert "is not a SavedModel" in statuses[0].status.error_message
    assert statuses[1].status.error_code == Code.OK


@pytest.mark.parametrize("spec", [{"version": 1}, {"label": "stable"}])
def test_model_status_of_a_single_version(client: GrpcClient, spec: Any) -> None:
    request = fill_spec(get_model_status_pb2.GetModelStatusRequest(), **spec)
    (status,) = client.models.GetModelStatus(request, timeout=20).model_version_status
    assert status.version == 1


@pytest.mark.parametrize(
    ("request_", "code", "text"),
    [
        (get_model_status_pb2.GetModelStatusRequest(), "INVALID_ARGUMENT", "Missing ModelSpec"),
        (
            fill_spec(get_model_status_pb2.GetModelStatusRequest(), "x"),
            "NOT_FOUND",
            "Could not find any versions of model x",
        ),
        (
            fill_spec(get_model_status_pb2.GetModelStatusRequest(), label="x"),
            "INVALID_ARGUMENT",
            "Unrecognized servable version label: x",
        ),
    ],
)
def test_model_status_refuses_wrong_requests(
    client: GrpcClient, request_: Any, code: Any, text: str
) -> None:
    assert error_of(client.models.GetModelStatus, request_) == (code, text)


def test_reload_config_is_unimplemented(client: GrpcClient) -> None:
    code, _ = error_of(
        client.models.HandleReloadConfigRequest, model_management_pb2.ReloadConfigRequest()
    )
    assert code == "UNIMPLEMENTED"
