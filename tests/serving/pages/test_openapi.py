import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import schemathesis

from serving.models.columns import Column
from serving.settings import LimitSettings, ServingSettings, VersionSettings
from tests.helpers.served_models import ServerThread, write_classifier, write_model

COLUMNS = {
    "share": Column(0.25, required=True, min=0.0, max=1.0),
    "word": Column("low", required=False, words=("high", "low")),
}
SETTINGS = ServingSettings(
    versions=VersionSettings(labels={"stable": 1}), limits=LimitSettings(examples=3)
)
SIGNATURES = (
    "classify", "columns", "examples", "matrix", "ragged", "regress", "serving_default", "single",
)  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerThread]:
    folder = tmp_path_factory.mktemp("models")
    write_model(folder / "half", 1)
    write_classifier(folder / "two words", 7, COLUMNS, names=("share", "word"))
    names = ("half", "two words", "absent")
    with ServerThread({name: folder / name for name in names}, SETTINGS) as server:
        yield server


@pytest.fixture(scope="module")
def openapi(server: ServerThread) -> dict[str, Any]:
    return dict(ask(f"{server.url}/openapi.json"))


def ask(url: str, body: Any = None, status: int = 200) -> Any:
    """Sends a GET, or a POST with JSON; checks the status and returns the JSON response."""
    data = None if body is None else json.dumps(body).encode()
    try:
        response = urllib.request.urlopen(urllib.request.Request(url, data))
    except urllib.error.HTTPError as error:
        response = error
    with response:
        answer = json.load(response)
    assert response.status == status, answer
    return answer


def validator(openapi: dict[str, Any], name: str) -> jsonschema_rs.Draft202012Validator:
    schema = {"$ref": f"#/components/schemas/{name}", "components": openapi["components"]}
    return jsonschema_rs.Draft202012Validator(schema)


def examples_in(openapi: dict[str, Any]) -> Iterator[tuple[str, str, Any, str, str]]:
    """Yields path, name and value of each example, and its request and response schema's names."""
    for path, operations in openapi["paths"].items():
        for operation in operations.values():
            if "requestBody" in operation:
                content = operation["requestBody"]["content"]["application/json"]
                response = operation["responses"]["200"]["content"]["application/json"]
                refs = [part["schema"]["$ref"].rpartition("/")[2] for part in (content, response)]
                for name, example in content["examples"].items():
                    yield path, name, example["value"], refs[0], refs[1]


def test_openapi_is_a_valid_description(openapi: dict[str, Any]) -> None:
    schema = schemathesis.openapi.from_dict(openapi)
    schema.validate()
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) == sum(map(len, openapi["paths"].values()))
    for schema in openapi["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema)


def test_openapi_lists_every_route(openapi: dict[str, Any]) -> None:
    half = ["", "/metadata", ":predict", ":classify", ":regress"]
    pipelines = ["", "/metadata", ":predict"]
    assert sorted(openapi["paths"]) == sorted(
        [
            "/",
            "/healthz",
            "/monitoring/prometheus/metrics",
            "/openapi.json",
            "/readyz",
            "/v1/models/absent",
            *(f"/v1/models/half{place}" for place in half),
            *(f"/v1/models/half/versions/1{place}" for place in half),
            *(f"/v1/models/half/labels/stable{place}" for place in half),
            *(f"/v1/models/two%20words{place}" for place in pipelines),
            *(f"/v1/models/two%20words/versions/7{place}" for place in pipelines),
        ]
    )
    assert openapi["info"]["version"] == "half 1, two words 7"


def test_openapi_describes_get_responses(server: ServerThread, openapi: dict[str, Any]) -> None:
    seen = 0
    for path, operations in openapi["paths"].items():
        if path.startswith("/v1/") and "get" in operations:
            response = operations["get"]["responses"]["200"]["content"]["application/json"]
            answer = ask(server.url + path)
            validator(openapi, response["schema"]["$ref"].rpartition("/")[2]).validate(answer)
            seen += 1
    assert seen == 11


def test_openapi_examples_are_accepted(server: ServerThread, openapi: dict[str, Any]) -> None:
    asked = set()
    for path, name, body, request, response in examples_in(openapi):
        validator(openapi, request).validate(body)
        validator(openapi, response).validate(ask(server.url + path, body))
        asked.add((path, name))
    by_row = [f"{name}, rows" for name in SIGNATURES if name != "single"]
    names = {*by_row, *(f"{name}, columns" for name in SIGNATURES)}
    assert {name for path, name in asked if path == "/v1/models/half:predict"} == names
    assert ("/v1/models/half/labels/stable:classify", "classify") in asked
    assert ("/v1/models/half/versions/1:regress", "regress") in asked


def test_openapi_examples_use_column_values(openapi: dict[str, Any]) -> None:
    bodies = {name: body for path, name, body, *_ in examples_in(openapi) if "two" in path}
    assert bodies == {
        "serving_default, rows": {"instances": [{"share": 0.25, "word": "low"}]},
        "serving_default, columns": {"inputs": {"share": [0.25], "word": ["low"]}},
    }


@pytest.mark.parametrize(
    ("body", "is_allowed"),
    [
        ({"instances": [1, 2.5]}, True),
        ({"instances": [{"x": 1}]}, True),
        ({"inputs": {"x": [1]}}, True),
        ({"inputs": [1]}, True),
        ({"signature_name": "", "instances": [1]}, True),
        ({"signature_name": "matrix", "instances": [[1, 2]]}, True),
        ({"signature_name": "single", "inputs": 1}, True),
        ({"signature_name": "columns", "instances": [{"number": 1, "word": "a"}]}, True),
        (
            {"signature_name": "columns", "instances": [{"number": 1, "word": {"b64": "YQ=="}}]},
            True,
        ),
        ({}, False),
        ({"instances": []}, False),
        ({"instances": [1, 2, 3, 4]}, False),
        ({"instances": ["1"]}, False),
        ({"instances": [None]}, False),
        ({"instances": [[1]]}, False),
        ({"instances": [{"x": 1, "z": 1}]}, False),
        ({"instances": [1], "inputs": [1]}, False),
        ({"instances": [1e39]}, False),
        ({"inputs": 1}, False),
        ({"signature_name": "other", "instances": [1]}, False),
        ({"signature_name": "matrix", "instances": [[1, 2, 3]]}, False),
        ({"signature_name": "single", "instances": [1]}, False),
        ({"signature_name": "columns", "instances": [{"number": 1}]}, False),
        ({"signature_name": "columns", "instances": [{"number": 1, "word": {"b64": "Y"}}]}, False),
    ],
)
def test_openapi_allows_only_accepted_requests(
    server: ServerThread, openapi: dict[str, Any], body: Any, is_allowed: bool
) -> None:
    assert validator(openapi, "half.1.predict.request").is_valid(body) == is_allowed
    ask(f"{server.url}/v1/models/half:predict", body, status=200 if is_allowed else 400)


def test_openapi_follows_the_versions(tmp_path: Path) -> None:
    write_model(tmp_path / "half", 1)
    with ServerThread({"half": tmp_path / "half"}) as server:
        assert "/v1/models/half/versions/1:predict" in ask(f"{server.url}/openapi.json")["paths"]
        write_model(tmp_path / "made", 2).rename(tmp_path / "half" / "2")
        deadline = time.monotonic() + 30
        while (description := ask(f"{server.url}/openapi.json"))["info"]["version"] != "half 2":
            assert time.monotonic() < deadline
            time.sleep(0.1)
    assert "/v1/models/half/versions/2:predict" in description["paths"]
    assert "/v1/models/half/versions/1:predict" not in description["paths"]
