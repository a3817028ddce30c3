"""TensorFlow Serving's REST interface: from an HTTP request to its response."""

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
from serving.http.connection import Send
from serving.http.hosts import AllowedHosts
from serving.http.messages import JSON, HttpError, Request, Response, is_compressed, read_body
from serving.http.routes import Route, find_route
from serving.interfaces.admission import submit
from serving.interfaces.classify_regress import (
    CLASSIFY_METHOD,
    EXAMPLES_INPUT,
    REGRESS_METHOD,
    classification_of,
    find_signature,
    regression_of,
)
from serving.models.batching import Outputs
from serving.models.catalog import Catalog
from serving.models.engine import Arrays, Signature
from serving.models.versions import ServedVersion
from serving.settings import ServingSettings
from serving.suspects import Note, RequestWatch
from serving.telemetry.metrics import Metrics
from serving.threads import as_future, in_thread
from trainer.signatures import SERVING_SIGNATURE

_log = logging.getLogger(__name__)

Page = Callable[[], tuple[int, str, bytes]]
"""Returns a page's status, content type and body."""

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
"""HTTP status of each code; 500 for the others."""


_PLAIN = {"HEAD": "GET"}
"""Methods that are answered like others; the connection leaves out the body."""
_LARGE_BODY = 2**16
"""A larger body, and one that may become larger, is read in a thread: it takes long."""


class _Pending(NamedTuple):
    """A response that waits for the model.

    Attributes:
        result: Future of what `write` takes.
        write: Turns the result into the response's body.
    """

    result: asyncio.Future[Any]
    write: Callable[[Any], bytes]


class _Call(NamedTuple):
    """A call of the model.

    Attributes:
        signature: The signature to run.
        inputs: Values by input name.
        write: Turns the outputs into the response's body.
    """

    signature: Signature
    inputs: Arrays
    write: Callable[[Outputs], bytes]


class RestApp:
    """Answers HTTP requests with models and pages.

    Attributes:
        is_draining: If set, each response closes its connection.
    """

    def __init__(
        self,
        catalog: Catalog,
        settings: ServingSettings,
        metrics: Metrics,
        watch: RequestWatch,
        pages: Mapping[str, Page] | None = None,
    ) -> None:
        """Initializes the application.

        Args:
            catalog: The models.
            settings: The section `serving`.
            metrics: Observes each request to a model.
            watch: Refuses requests that end processes.
            pages: Pages by path, for GET and HEAD, besides TensorFlow Serving's paths below `/v1`.
        """
        self.is_draining = False
        self._catalog = catalog
        self._settings = settings
        self._metrics = metrics
        self._watch = watch
        self._hosts = AllowedHosts(settings)
        self._pages = pages or {}
        self._metadata: WeakKeyDictionary[ServedVersion, bytes] = WeakKeyDictionary()

    def handle(self, request: Request, send: Send) -> asyncio.Future[Any] | None:
        """Answers a request.

        Args:
            request: The request.
            send: Called with the response, during this call or later.

        Returns:
            None if the response has been sent; else the future that it waits for. An exception that
            the caller sets on the future is sent as the response.
        """
        start = time.perf_counter()
        route, note, code = None, None, Code.OK
        try:
            self._hosts.check(request.host)
            if page := self._pages.get(request.path):
                response = Response(*_show(page, request), is_last=self.is_draining)
            else:
                route = find_route(_PLAIN.get(request.method, request.method), request.path)
                if request.body:
                    note = self._watch.begin(request.path.encode(), request.body)
                result = self._call(route, request)
                if isinstance(result, _Pending):
                    result.result.add_done_callback(
                        partial(self._finish, request, send, route, note, start, result.write)
                    )
                    return result.result
                response = Response(200, JSON, result, is_last=self.is_draining)
        except Exception as error:
            response, code = self._make_error(request, error)
        if note is not None:
            self._watch.end(note)
        if route is not None:
            self._count(route, code, start)
        send(response)
        return None

    def _finish(
        self,
        request: Request,
        send: Send,
        route: Route,
        note: Note | None,
        start: float,
        write: Callable[[Any], bytes],
        result: asyncio.Future[Any],
    ) -> None:
        code = Code.OK
        if note is not None:
            self._watch.end(note)
        try:
            response = Response(200, JSON, write(result.result()), is_last=self.is_draining)
        except Exception as error:
            response, code = self._make_error(request, error)
        self._count(route, code, start)
        send(response)

    def _make_error(self, request: Request, error: Exception) -> tuple[Response, Code]:
        allow = ""
        if isinstance(error, ServingError):
            code, body = error.code, dump_error(error.message, error.violations)
            status = error.status if isinstance(error, HttpError) else _STATUS_OF.get(code, 500)
            allow = getattr(error, "allow", "")
        else:
            _log.error("%s %r failed", request.method, request.path, exc_info=error)
            code, status, body = Code.INTERNAL, 500, dump_error("internal error")
        return Response(status, JSON, body, is_last=self.is_draining, allow=allow), code

    def _count(self, route: Route, code: Code, start: float) -> None:
        seconds = time.perf_counter() - start
        self._metrics.observe_request(route.model, "REST", route.entrypoint, code, seconds)

    def _call(self, route: Route, request: Request) -> bytes | _Pending:
        """Calls the method of a route; returns the body, or what it waits for."""
        if route.entrypoint == "GetModelStatus":
            return self._describe_status(route)
        if route.entrypoint == "GetModelMetadata":
            return self._describe_signatures(route)
        if len(request.body) > _LARGE_BODY or is_compressed(request):
            return _Pending(as_future(self._call_in_threads(route, request)), bytes)
        document = self._parse(request)
        served = self._catalog.find(route.model, route.version, route.label)
        call = self._read(route, document, served)
        return _Pending(submit(served, call.signature, call.inputs, self._settings), call.write)

    async def _call_in_threads(self, route: Route, request: Request) -> bytes:
        """Does what takes long for a large body in threads; returns the response's body."""
        document = await in_thread(self._parse, request)
        with self._catalog.find(route.model, route.version, route.label) as served:
            call = await in_thread(self._read, route, document, served)
            outputs = await submit(served, call.signature, call.inputs, self._settings)
        return await in_thread(call.write, outputs)

    def _parse(self, request: Request) -> dict[str, Any]:
        limits = self._settings.limits
        return parse(read_body(request, limits.body_bytes), limits.json_depth, limits.values)

    def _read(self, route: Route, document: Mapping[str, Any], served: ServedVersion) -> _Call:
        """Reads the body of a request to the model."""
        name = _read_signature_name(document)
        signatures = served.engine.signatures
        if route.entrypoint == "Predict":
            if name not in signatures:
                raise invalid(f'Serving signature name: "{name}" not found in signature def')
            inputs, is_by_row = read_predict(document, signatures[name])
            return _Call(signatures[name], inputs, _write_rows if is_by_row else _write_columns)
        is_classify = route.entrypoint == "Classify"
        signature = find_signature(
            signatures, name, CLASSIFY_METHOD if is_classify else REGRESS_METHOD
        )
        examples = read_examples(document, self._settings.limits)
        write = _write_classification if is_classify else _write_regression
        return _Call(signature, {EXAMPLES_INPUT: examples}, partial(write, len(examples)))

    def _describe_status(self, route: Route) -> bytes:
        versions = self._catalog.statuses(route.model, route.version, route.label)
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
                    for version in versions
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
        raise HttpError(405, Code.UNIMPLEMENTED, message, allow="GET, HEAD")
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
    """Reads the name of the signature from a request.

    Raises:
        ServingError: INVALID_ARGUMENT, if it is not a string.
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
