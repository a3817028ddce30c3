"""TensorFlow Serving's REST interface: from a request to its answer."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from tensorflow_serving.apis import get_model_metadata_pb2, model_pb2

from serving.errors import Code, ServingError, invalid
from serving.formats.example_json import read_examples, write_classes
from serving.formats.json_text import dump, dump_error, parse
from serving.formats.predict_json import read_predict, write_predict
from serving.http.connection import Respond
from serving.http.messages import JSON, Answer, HttpError, Request, read_body
from serving.http.routes import Route, find_route
from serving.interfaces.admission import submit
from serving.interfaces.classify_regress import (
    CLASSIFY_METHOD,
    EXAMPLES_INPUT,
    REGRESS_METHOD,
    classification_of,
    find_classic_signature,
    regression_of,
)
from serving.models.batching import Outputs
from serving.models.versions import Catalog, ServedVersion
from serving.settings import ServingSettings
from serving.telemetry.metrics import Metrics
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


class _Pending(NamedTuple):
    """An answer that waits for the model.

    Attributes:
        outputs: What the model will give.
        write: Makes the answer of it.
    """

    outputs: asyncio.Future[Outputs]
    write: Callable[[Outputs], bytes]


class RestApp:
    """The application.

    Attributes:
        is_draining: Whether clients are told to close their connections.
    """

    def __init__(
        self,
        catalog: Catalog,
        settings: ServingSettings,
        metrics: Metrics,
        pages: Mapping[str, Page] | None = None,
    ) -> None:
        """Keeps its parts.

        Args:
            catalog: The models.
            settings: Its limits count.
            metrics: Told of each request for a model.
            pages: Path to page, for GET, beside TensorFlow Serving's own paths below `/v1`.
        """
        self.is_draining = False
        self._catalog = catalog
        self._settings = settings
        self._metrics = metrics
        self._pages = pages or {}
        self._metadata: WeakKeyDictionary[ServedVersion, bytes] = WeakKeyDictionary()

    def handle(self, request: Request, respond: Respond) -> asyncio.Future[Outputs] | None:
        """Answers a request.

        Args:
            request: It.
            respond: Given the answer, at once or later.

        Returns:
            If later, what is waited for; an exception put into it is answered in its place.
        """
        start = time.perf_counter()
        route, code = None, Code.OK
        try:
            if page := self._pages.get(request.path):
                answer = Answer(*_show(page, request), is_last=self.is_draining)
            else:
                route = find_route(request.method, request.path)
                found = self._find_answer(route, request)
                if isinstance(found, _Pending):
                    found.outputs.add_done_callback(
                        partial(self._end, request, respond, route, start, found.write)
                    )
                    return found.outputs
                answer = Answer(200, JSON, found, is_last=self.is_draining)
        except Exception as error:
            answer, code = self._explain(request, error)
        if route is not None:
            self._count(route, code, start)
        respond(answer)
        return None

    def _end(
        self,
        request: Request,
        respond: Respond,
        route: Route,
        start: float,
        write: Callable[[Outputs], bytes],
        outputs: asyncio.Future[Outputs],
    ) -> None:
        code = Code.OK
        try:
            answer = Answer(200, JSON, write(outputs.result()), is_last=self.is_draining)
        except Exception as error:
            answer, code = self._explain(request, error)
        self._count(route, code, start)
        respond(answer)

    def _explain(self, request: Request, error: Exception) -> tuple[Answer, Code]:
        if isinstance(error, ServingError):
            code, body = error.code, dump_error(error.message, error.violations)
            status = error.status if isinstance(error, HttpError) else _STATUS_OF.get(code, 500)
        else:
            _log.error("%s %r failed", request.method, request.path, exc_info=error)
            code, status, body = Code.INTERNAL, 500, dump_error("internal error")
        return Answer(status, JSON, body, is_last=self.is_draining), code

    def _count(self, route: Route, code: Code, start: float) -> None:
        seconds = time.perf_counter() - start
        self._metrics.observe_request(route.model, "REST", route.entrypoint, code, seconds)

    def _find_answer(self, route: Route, request: Request) -> bytes | _Pending:
        if route.entrypoint == "GetModelStatus":
            return self._describe_status(route)
        if route.entrypoint == "GetModelMetadata":
            return self._describe_signatures(route)
        limits = self._settings.limits
        asked = parse(read_body(request, limits.body_bytes), limits.json_depth)
        served = self._catalog.find(route.model, route.version, route.label)
        name = _read_signature_name(asked)
        signatures = served.engine.signatures
        if route.entrypoint == "Predict":
            if name not in signatures:
                raise invalid(f'Serving signature name: "{name}" not found in signature def')
            inputs, is_by_row = read_predict(asked, signatures[name])
            outputs = submit(served, signatures[name], inputs, self._settings)
            return _Pending(outputs, _write_rows if is_by_row else _write_columns)
        is_classify = route.entrypoint == "Classify"
        signature = find_classic_signature(
            signatures, name, CLASSIFY_METHOD if is_classify else REGRESS_METHOD
        )
        examples = read_examples(asked)
        outputs = submit(served, signature, {EXAMPLES_INPUT: examples}, self._settings)
        write = _write_classification if is_classify else _write_regression
        return _Pending(outputs, partial(write, len(examples)))

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


def _show(page: Page, request: Request) -> tuple[int, str, bytes]:
    if request.method not in ("GET", "HEAD"):
        message = f"Method not allowed: {request.method} {request.path}"
        raise HttpError(405, Code.UNIMPLEMENTED, message)
    return page()


def _write_rows(outputs: Outputs) -> bytes:
    return dump(write_predict(outputs, by_row=True))


def _write_columns(outputs: Outputs) -> bytes:
    return dump(write_predict(outputs, by_row=False))


def _write_classification(n_examples: int, outputs: Outputs) -> bytes:
    return dump(write_classes(*classification_of(outputs, n_examples)))


def _write_regression(n_examples: int, outputs: Outputs) -> bytes:
    return dump({"results": regression_of(outputs, n_examples)})


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
