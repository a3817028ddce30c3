"""The OpenAPI description of the server, made from the signatures of the served versions."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from serving.errors import ServingError
from serving.models.catalog import Catalog
from serving.models.versions import ServedVersion
from serving.pages.request_schema import (
    make_examples_request,
    make_predict_request,
    make_predict_response,
    make_results_response,
)
from serving.pages.tensor_schema import Schema
from serving.settings import ServingSettings

_ERRORS = {
    400: "The request is wrong.",
    404: "The model does not exist, or the version is not available.",
    408: "The request did not arrive in time.",
    413: "The body is too large.",
    415: "The body has an encoding other than gzip.",
    429: "Too many examples are waiting.",
    503: "The server is stopping or has too many connections.",
    504: "The model did not answer in time.",
}
_ERROR: Schema = {
    "type": "object",
    "properties": {
        "error": {"type": "string"},
        "violations": {
            "description": "Values that the training data does not allow, with `check_values`.",
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "row": {"type": "integer", "minimum": 0},
                    "column": {"type": "string"},
                    "kind": {"enum": ["missing", "unseen", "out_of_range"]},
                    "text": {"type": "string"},
                },
                "required": ["row", "column", "kind", "text"],
            },
        },
    },
    "required": ["error"],
}
_STATUS: Schema = {
    "type": "object",
    "properties": {
        "model_version_status": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "version": {"type": "string", "pattern": "^[0-9]+$"},
                    "state": {
                        "enum": ["UNKNOWN", "START", "LOADING", "AVAILABLE", "UNLOADING", "END"]
                    },
                    "status": {
                        "type": "object",
                        "properties": {
                            "error_code": {"type": "string"},
                            "error_message": {"type": "string"},
                        },
                        "required": ["error_code", "error_message"],
                    },
                },
                "required": ["version", "state", "status"],
            },
        }
    },
    "required": ["model_version_status"],
}
_METADATA: Schema = {
    "type": "object",
    "properties": {
        "model_spec": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "version": {"type": "string"}},
            "required": ["name", "version"],
        },
        "metadata": {
            "type": "object",
            "properties": {"signature_def": {"type": "object"}},
            "required": ["signature_def"],
        },
    },
    "required": ["model_spec", "metadata"],
}


def make_openapi(catalog: Catalog, settings: ServingSettings) -> dict[str, Any]:
    """Describes the server in its current state.

    Args:
        catalog: The models. Each version has separate paths, since its signatures may differ.
        settings: The section `serving`, for labels and limits.

    Returns:
        An OpenAPI 3.1 document.
    """
    schemas: dict[str, Schema] = {"Error": _ERROR, "Status": _STATUS, "Metadata": _METADATA}
    paths: dict[str, Any] = dict(_server_paths())
    numbers = []
    for model in catalog.models:
        for place, served in _places(catalog, settings, model):
            paths[place] = {"get": _get(f"Status of {model}", "Status", model)}
            if served is None:
                continue
            paths[f"{place}/metadata"] = {"get": _get(f"Signatures of {model}", "Metadata", model)}
            for verb, operation in _post_operations(served, settings.limits.examples, schemas):
                paths[f"{place}:{verb}"] = {"post": operation}
            if "/" not in place.removeprefix(path_of(model)):
                numbers.append(f"{model} {served.number}")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": ", ".join(catalog.models) or "No model",
            "description": "The interface of TensorFlow Serving. Numbers may also be NaN, Infinity "
            "and -Infinity, which standard JSON does not have; a missing number is sent as NaN.",
            "version": ", ".join(numbers) or "none",
        },
        "paths": paths,
        "components": {"schemas": schemas},
    }


def path_of(model: str) -> str:
    """Returns the path of a model's status, with which its other paths begin."""
    return f"/v1/models/{quote(model, safe='', errors='surrogateescape')}"


def _places(
    catalog: Catalog, settings: ServingSettings, model: str
) -> Iterator[tuple[str, ServedVersion | None]]:
    """Yields the paths of a model, its versions and labels, each with the version that answers."""
    path = path_of(model)
    yield path, _find(catalog, model)
    for version in catalog.statuses(model):
        yield f"{path}/versions/{version.number}", _find(catalog, model, version.number)
    for label, number in settings.versions.labels.items():
        served = _find(catalog, model, number)
        if served is not None:
            yield f"{path}/labels/{quote(label, safe='')}", served


def _find(catalog: Catalog, model: str, number: int | None = None) -> ServedVersion | None:
    try:
        return catalog.find(model, number)
    except ServingError:
        return None


def _post_operations(
    served: ServedVersion, max_examples: int, schemas: dict[str, Schema]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Describes `predict`, and `classify` and `regress` if a signature supports them."""
    signatures, columns = served.engine.signatures, served.columns
    requests = {"predict": make_predict_request(signatures, columns, max_examples)}
    responses = {"predict": make_predict_response(signatures, max_examples)}
    for verb in ("classify", "regress"):
        if any(signature.method.endswith(f"/{verb}") for signature in signatures.values()):
            requests[verb] = make_examples_request(verb, signatures, columns, max_examples)
            responses[verb] = make_results_response(verb, max_examples)
    for verb, (schema, examples) in requests.items():
        name = f"{_component(served.model)}.{served.number}.{verb}"
        schemas[f"{name}.request"], schemas[f"{name}.response"] = schema, responses[verb]
        content = {"schema": _ref(f"{name}.request"), "examples": examples}
        operation = {
            "summary": f"{verb.capitalize()} with version {served.number} of {served.model}",
            "tags": [served.model],
            "requestBody": {"required": True, "content": {"application/json": content}},
            "responses": _responses(_ref(f"{name}.response"), *_ERRORS),
        }
        yield verb, operation


def _component(name: str) -> str:
    """Escapes a name for OpenAPI, which allows few characters in names of components."""
    return re.sub(r"[^A-Za-z0-9-]", lambda found: f"_{ord(found[0]):x}_", name)


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _get(summary: str, schema: str, model: str) -> dict[str, Any]:
    return {
        "summary": summary,
        "tags": [model],
        "responses": _responses(_ref(schema), 400, 404, 503),
    }


def _responses(schema: Schema, *errors: int) -> dict[str, Any]:
    wrong = {"content": {"application/json": {"schema": _ref("Error")}}}
    return {
        "200": {
            "description": "The response.",
            "content": {"application/json": {"schema": schema}},
        },
        **{str(code): {"description": _ERRORS[code], **wrong} for code in errors},
    }


def _server_paths() -> Iterator[tuple[str, Any]]:
    """Describes the paths that belong to no model."""
    for path, summary, content_type, codes in (
        ("/", "A page about the models, with a form to try them", "text/html", (200,)),
        ("/openapi.json", "This description", "application/json", (200,)),
        ("/healthz", "Whether the server runs", "application/json", (200,)),
        (
            "/readyz",
            "Whether every model has an available version",
            "application/json",
            (200, 503),
        ),
        ("/monitoring/prometheus/metrics", "Metrics", "text/plain", (200,)),
    ):
        content: Schema = {content_type: {}}
        responses = {
            str(code): {"description": "Yes." if code == 200 else "No.", "content": content}
            for code in codes
        }
        yield path, {"get": {"summary": summary, "responses": responses}}
