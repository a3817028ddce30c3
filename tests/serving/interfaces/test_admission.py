from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from serving.models.columns import Column, write_columns
from serving.settings import LimitSettings, ServingSettings
from tests.helpers.grpc_client import GrpcClient, error_of, predict_request
from tests.helpers.rest_client import ask, connect, send
from tests.helpers.served_models import ServerThread, write_model

_SETTINGS = ServingSettings(check_values=True, limits=LimitSettings(examples=4))
_COLUMNS = {"x": Column(2.0, required=True, min=0.0, max=10.0)}
_TOO_LARGE = {
    "row": 1,
    "column": "x",
    "kind": "out_of_range",
    "text": "10.5 is out of range; allowed is 0 to 10",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerThread]:
    folder = tmp_path_factory.mktemp("models")
    write_columns(_COLUMNS, write_model(folder / "known", 1))
    write_model(folder / "unknown", 1)
    folders = {name: folder / name for name in ("known", "unknown")}
    with ServerThread(folders, _SETTINGS) as server:
        yield server


def predict_rest(server: ServerThread, path: str, request: object) -> tuple[int, Any]:
    with closing(connect(server)) as connection:
        return ask(connection, "POST", f"/v1/models/{path}", request)


def test_rest_accepts_allowed_values(server: ServerThread) -> None:
    assert predict_rest(server, "known:predict", {"instances": [0, 10]}) == (
        200,
        {"predictions": [2, 7]},
    )


def test_rest_lists_violations_by_row(server: ServerThread) -> None:
    status, answer = predict_rest(server, "known:predict", {"instances": [1, 10.5, float("nan")]})

    assert status == 400
    assert answer["error"] == (
        "values not allowed by the training data: row 1, x: 10.5 is out of range;"
        " allowed is 0 to 10, and 1 more"
    )
    missing = {"row": 2, "column": "x", "kind": "missing"}
    missing["text"] = "the value is missing, but required"
    assert answer["violations"] == [_TOO_LARGE, missing]


@pytest.mark.parametrize("method", ["classify", "regress"])
def test_rest_checks_values_in_examples(server: ServerThread, method: str) -> None:
    request = {"signature_name": method, "examples": [{"x": 1.0}, {"x": 10.5}]}

    status, answer = predict_rest(server, f"known:{method}", request)

    assert (status, answer["violations"]) == (400, [_TOO_LARGE])


def test_rest_lists_at_most_1000_violations(tmp_path: Path) -> None:
    write_columns(_COLUMNS, write_model(tmp_path / "m", 1))
    with ServerThread({"m": tmp_path / "m"}, ServingSettings(check_values=True)) as server:
        status, answer = predict_rest(server, "m:predict", {"instances": [11] * 3000})

    assert (status, len(answer["violations"])) == (400, 1000)
    assert answer["error"].endswith("and 2999 more")


def test_model_without_columns_is_not_checked(server: ServerThread) -> None:
    assert predict_rest(server, "unknown:predict", {"instances": [10.5]})[0] == 200


def test_values_are_only_counted_by_default(tmp_path: Path) -> None:
    write_columns(_COLUMNS, write_model(tmp_path / "m", 1))
    with ServerThread({"m": tmp_path / "m"}) as server:
        assert predict_rest(server, "m:predict", {"instances": [10.5]})[0] == 200
        with closing(connect(server)) as connection:
            metrics = send(connection, "GET", "/monitoring/prometheus/metrics")[1].decode()

    labels = '{column="x",kind="out_of_range",model_name="m"}'
    assert f"serving_value_violations_total{labels} 1.0" in metrics


def test_rest_and_grpc_limit_examples(server: ServerThread) -> None:
    text = "5 examples: 4 are allowed in a request"

    assert predict_rest(server, "known:predict", {"instances": [1] * 5}) == (400, {"error": text})
    assert predict_grpc(server, [1] * 5) == ("INVALID_ARGUMENT", text)


def test_grpc_describes_violations(server: ServerThread) -> None:
    assert predict_grpc(server, [1, 10.5]) == (
        "INVALID_ARGUMENT",
        "values not allowed by the training data: row 1, x: 10.5 is out of range;"
        " allowed is 0 to 10",
    )


def predict_grpc(server: ServerThread, numbers: list[float]) -> tuple[str, str]:
    client = GrpcClient(server)
    error = error_of(client.predictions.Predict, predict_request(numbers, model="known"))
    client.close()
    return error
