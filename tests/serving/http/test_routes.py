import pytest

from serving.errors import Code, ServingError
from serving.http.routes import Route, find_route


@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        ("POST", "/v1/models/m:predict", Route("Predict", "m", None, None)),
        ("POST", "/v1/models/m:classify", Route("Classify", "m", None, None)),
        ("POST", "/V1/Models/M:REGRESS", Route("Regress", "M", None, None)),
        ("POST", "/v1/models/m/versions/007:predict", Route("Predict", "m", 7, None)),
        ("POST", "/v1/models/m/labels/stable:predict", Route("Predict", "m", None, "stable")),
        ("POST", "/v1/models/a b.é-c:predict", Route("Predict", "a b.é-c", None, None)),
        ("GET", "/v1/models/m", Route("GetModelStatus", "m", None, None)),
        ("GET", "/v1/models/m/versions/7", Route("GetModelStatus", "m", 7, None)),
        ("GET", "/v1/models/m/labels/stable", Route("GetModelStatus", "m", None, "stable")),
        ("GET", "/v1/models/m/metadata", Route("GetModelMetadata", "m", None, None)),
        ("GET", "/v1/models/m/versions/7/metadata", Route("GetModelMetadata", "m", 7, None)),
        (
            "GET",
            f"/v1/models/m/versions/{2**63 - 1}",
            Route("GetModelStatus", "m", 2**63 - 1, None),
        ),
    ],
)
def test_find_route_parses_valid_paths(method: str, path: str, route: Route) -> None:
    assert find_route(method, path) == route


@pytest.mark.parametrize(
    ("method", "path", "code", "message"),
    [
        ("GET", "/v1/models", Code.INVALID_ARGUMENT, "Missing model name in request."),
        (
            "POST",
            f"/v1/models/m/versions/{2**63}:predict",
            Code.INVALID_ARGUMENT,
            "Failed to convert version: 9223372036854775808 to numeric.",
        ),
        (
            "GET",
            "/v1/models/m:predict",
            Code.INVALID_ARGUMENT,
            "Malformed request: GET /v1/models/m:predict",
        ),
        ("POST", "/v1/models/m", Code.INVALID_ARGUMENT, "Malformed request: POST /v1/models/m"),
        ("HEAD", "/v1/models/m", Code.INVALID_ARGUMENT, "Malformed request: HEAD /v1/models/m"),
        ("GET", "/v1/models/m/", Code.INVALID_ARGUMENT, "Malformed request: GET /v1/models/m/"),
        ("POST", "/v1/models/m:predict/", Code.INVALID_ARGUMENT, None),
        ("POST", "/v1/models/m:explain", Code.INVALID_ARGUMENT, None),
        ("POST", "/v1/models/m/versions/x:predict", Code.INVALID_ARGUMENT, None),
        ("POST", "/v1/models/m/versions/1/labels/x:predict", Code.INVALID_ARGUMENT, None),
        ("POST", "/v1/models/m/versions/\u0667:predict", Code.INVALID_ARGUMENT, None),
        (
            "POST",
            f"/v1/models/{'m' * 2000}:predict",
            Code.INVALID_ARGUMENT,
            "Malformed request: a path of 2019 characters",
        ),
        ("GET", "/v2/models/m", Code.NOT_FOUND, "Not found: /v2/models/m"),
        ("GET", "/favicon.ico", Code.NOT_FOUND, "Not found: /favicon.ico"),
    ],
)
def test_find_route_refuses_invalid_paths(
    method: str, path: str, code: Code, message: str | None
) -> None:
    with pytest.raises(ServingError) as caught:
        find_route(method, path)
    assert caught.value.code == code
    assert message in (None, caught.value.message)
