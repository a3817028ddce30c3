"""TensorFlow Serving's REST interface, as an ASGI application."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from tensorflow_serving.apis import get_model_metadata_pb2, model_pb2

from serving.admission import submit
from serving.batching import Outputs
from serving.classic import (
    CLASSIFY_METHOD,
    EXAMPLES_INPUT,
    REGRESS_METHOD,
    classification_of,
    find_classic_signature,
    regression_of,
)
from serving.engine import Arrays, Signature
from serving.errors import Code, ServingError
from serving.metrics import Metrics
from serving.rest.example_json import read_examples, write_classes
from serving.rest.http_io import HttpError, Receive, Send, read_body, reply, wait_for_answer
from serving.rest.json_text import dump, dump_error, parse
from serving.rest.predict_json import read_predict, write_predict
from serving.rest.routes import Route, find_route
from serving.rest.tensor_json import invalid
from serving.settings import ServingSettings
from serving.versions import Catalog, ServedVersion
from trainer.signatures import SERVING_SIGNATURE

_log = logging.getLogger(__name__)

Page = Callable[[], tuple[int, str, bytes]]
"""Gives a page's status, content type and body."""

_STATUS_OF = {
    Code.OK: 200,
    Code.CANCELLED: 499,
    Code.INVALID_ARGUMENT: 400,
    Code.DEADLINE_EXCEEDED: 504,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.PERMISSION_DENIED: 403,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.FAILED_PRECONDITION: 400,
    Code.ABORTED: 409,
    Code.OUT_OF_RANGE: 400,
    Code.UNIMPLEMENTED: 501,
    Code.UNAVAILABLE: 503,
    Code.UNAUTHENTICATED: 401,
}
"""Of any other code: 500."""
_JSON = "application/json"


class RestApp:
    """The application; HTTP only.

    Attributes:
        is_draining: Whether clients are told to close their connections.
    """

    def __init__(
        self,
        catalog: Catalog,
        settings: ServingSettings,
        metrics: Metrics,
        pages: Mapping[str, Page],
    ) -> None:
        """Keeps its parts, see `make_app`."""
        self.is_draining = False
        self._catalog = catalog
        self._settings = settings
        self._limits = settings.limits
        self._metrics = metrics
        self._pages = pages
        self._metadata: WeakKeyDictionary[ServedVersion, bytes] = WeakKeyDictionary()

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answers a request."""
        start = time.perf_counter()
        method, path = scope["method"], scope["path"]
        route, code, content_type, is_last = None, Code.OK, _JSON, self.is_draining
        try:
            if page := self._pages.get(path):
                status, content_type, body = _show(page, method, path)
            else:
                route = find_route(method, path)
                status, body = 200, await self._answer(route, scope["headers"], receive)
        except HttpError as error:
            # The body may not have been read; what is still to come is no next request.
            is_last = True
            code, status, body = error.code, error.status, dump_error(error.message)
        except ServingError as error:
            code, body = error.code, dump_error(error.message, error.violations)
            status = _STATUS_OF.get(code, 500)
        except Exception:
            _log.exception("%s %r failed", method, path)
            code, status, body = Code.INTERNAL, 500, dump_error("internal error")
        if route:
            seconds = time.perf_counter() - start
            self._metrics.observe_request(route.model, "REST", route.entrypoint, code, seconds)
        await reply(send, status, content_type, body, is_last=is_last)

    async def _answer(
        self, route: Route, headers: list[tuple[bytes, bytes]], receive: Receive
    ) -> bytes:
        if route.entrypoint == "GetModelStatus":
            return self._describe_status(route)
        if route.entrypoint == "GetModelMetadata":
            return self._describe_signatures(route)
        body = await read_body(
            headers, receive, self._limits.body_bytes, self._limits.timeout_seconds
        )
        request = parse(body, self._limits.json_depth)
        with self._catalog.find(route.model, route.version, route.label) as served:
            name = _read_signature_name(request)
            signatures = served.engine.signatures
            if route.entrypoint == "Predict":
                if name not in signatures:
                    raise invalid(f'Serving signature name: "{name}" not found in signature def')
                inputs, is_by_row = read_predict(request, signatures[name])
                outputs = await self._ask(served, signatures[name], inputs, receive)
                return dump(write_predict(outputs, by_row=is_by_row))
            is_classify = route.entrypoint == "Classify"
            signature = find_classic_signature(
                signatures, name, CLASSIFY_METHOD if is_classify else REGRESS_METHOD
            )
            examples = read_examples(request)
            outputs = await self._ask(served, signature, {EXAMPLES_INPUT: examples}, receive)
            if is_classify:
                return dump(write_classes(*classification_of(outputs, len(examples))))
            return dump({"results": regression_of(outputs, len(examples))})

    async def _ask(
        self, served: ServedVersion, signature: Signature, inputs: Arrays, receive: Receive
    ) -> Outputs:
        future = await submit(served, signature, inputs, self._settings)
        return await wait_for_answer(future, receive, self._limits.timeout_seconds)

    def _describe_status(self, route: Route) -> bytes:
        found = self._catalog.statuses(route.model, route.version, route.label)
        return dump(
            {
                "model_version_status": [
                    {
                        "version": str(version.number),
                        "state": version.state.name,
                        "status": {
                            "error_code": version.code.name,
                            "error_message": version.message,
                        },
                    }
                    for version in found
                ]
            }
        )

    def _describe_signatures(self, route: Route) -> bytes:
        served = self._catalog.find(route.model, route.version, route.label)
        if served not in self._metadata:
            self._metadata[served] = _make_metadata(served)
        return self._metadata[served]


def make_app(
    catalog: Catalog,
    settings: ServingSettings,
    metrics: Metrics,
    pages: Mapping[str, Page] | None = None,
) -> RestApp:
    """Makes the ASGI application.

    Args:
        catalog: The models.
        settings: Its limits count.
        metrics: Told of each request for a model.
        pages: Path to page, for GET, beside TensorFlow Serving's own paths below `/v1`.
    """
    return RestApp(catalog, settings, metrics, pages or {})


def _show(page: Page, method: str, path: str) -> tuple[int, str, bytes]:
    if method not in ("GET", "HEAD"):
        raise HttpError(405, Code.UNIMPLEMENTED, f"Method not allowed: {method} {path}")
    return page()


def _read_signature_name(request: Mapping[str, Any]) -> str:
    """Reads which signature is asked for.

    Raises:
        ServingError: INVALID_ARGUMENT, if that is no text.
    """
    name = request.get("signature_name", "")
    if type(name) is not str:
        raise invalid("'signature_name' key must be a string value.")
    return name or SERVING_SIGNATURE


def _make_metadata(served: ServedVersion) -> bytes:
    spec = model_pb2.ModelSpec(name=served.model)
    spec.version.value = served.number
    signatures = get_model_metadata_pb2.SignatureDefMap()
    for name, signature in served.engine.signature_defs.items():
        signatures.signature_def[name].CopyFrom(signature)
    return dump(
        {
            "model_spec": _to_dict(spec),
            "metadata": {"signature_def": _to_dict(signatures)},
        }
    )


def _to_dict(message: Message) -> dict[str, Any]:
    return MessageToDict(
        message, including_default_value_fields=True, preserving_proto_field_name=True
    )
