"""TensorFlow Serving's REST interface, as an ASGI application."""

import asyncio
import logging
import re
import time
import zlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from google.protobuf.json_format import MessageToDict
from tensorflow_serving.apis import get_model_metadata_pb2, model_pb2

from serving.batching import Outputs
from serving.engine import Arrays, Signature
from serving.errors import Code, ServingError
from serving.example_json import check_method, read_examples, write_classes, write_values
from serving.json_text import dump, dump_error, parse
from serving.metrics import Metrics
from serving.predict_json import read_predict, write_predict
from serving.settings import ServingSettings
from serving.versions import Catalog, ServedVersion
from trainer.signatures import SERVING_SIGNATURE

_log = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Page = Callable[[], tuple[int, str, bytes]]
"""Gives a page's status, content type and body."""
OnRequest = Callable[[str, str, int, float, int], None]
"""Told of each request: method, path, status, seconds, bytes of the reply's body."""

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
_NUMBERED = r"(?:/versions/([0-9]+)|/labels/([^/:]+))?"
_ASK = re.compile(rf"/v1/models/([^/:]+){_NUMBERED}:(classify|regress|predict)", re.IGNORECASE)
_LOOK = re.compile(rf"/v1/models(?:/([^/:]+))?{_NUMBERED}(/metadata)?", re.IGNORECASE)
_PATIENCE_SECONDS = 0.05
"""How long an answer may take before it is watched whether the client is still there."""


class _HttpError(ServingError):
    """What has a status of HTTP's own."""

    def __init__(self, status: int, code: Code, message: str) -> None:
        super().__init__(code, message)
        self.status = status


@dataclass(frozen=True)
class _Route:
    """What is asked of which model."""

    entrypoint: str
    model: str
    version: int | None
    label: str | None


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
        on_request: OnRequest | None,
    ) -> None:
        """Keeps its parts, see `make_app`."""
        self.is_draining = False
        self._catalog = catalog
        self._limits = settings.limits
        self._metrics = metrics
        self._pages = pages
        self._on_request = on_request
        self._metadata: WeakKeyDictionary[ServedVersion, bytes] = WeakKeyDictionary()

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answers a request."""
        start = time.perf_counter()
        method, path = scope["method"], scope["path"]
        route, code, content_type = None, Code.OK, _JSON
        try:
            if page := self._pages.get(path):
                status, content_type, body = _show(page, method, path)
            else:
                route = _route(method, path)
                status, body = 200, await self._answer(route, scope["headers"], receive)
        except ServingError as error:
            code, body = error.code, dump_error(error.message)
            is_http = isinstance(error, _HttpError)
            status = error.status if is_http else _STATUS_OF.get(code, 500)
        except Exception:
            _log.exception("%s %s failed", method, path)
            code, status, body = Code.INTERNAL, 500, dump_error("internal error")
        seconds = time.perf_counter() - start
        if route:
            self._metrics.observe_request(route.model, "REST", route.entrypoint, code, seconds)
        if self._on_request:
            self._on_request(method, path, status, seconds, len(body))
        await _reply(send, status, content_type, body, is_last=self.is_draining or status == 413)

    async def _answer(
        self, route: _Route, headers: list[tuple[bytes, bytes]], receive: Receive
    ) -> bytes:
        if route.entrypoint == "GetModelStatus":
            return self._describe_status(route)
        if route.entrypoint == "GetModelMetadata":
            return self._describe_signatures(route)
        body = await _read_body(
            headers, receive, self._limits.body_bytes, self._limits.timeout_seconds
        )
        request = parse(body, self._limits.json_depth)
        with self._catalog.find(route.model, route.version, route.label) as served:
            signature = _signature_of(request, served)
            if route.entrypoint == "Predict":
                inputs, is_by_row = read_predict(request, signature)
                outputs = await self._ask(served, signature, inputs, receive)
                return dump(write_predict(outputs, by_row=is_by_row))
            if route.entrypoint == "Classify":
                check_method(signature, "classify", {"classes", "scores"})
                outputs = await self._ask(served, signature, read_examples(request), receive)
                return dump(write_classes(outputs))
            check_method(signature, "regress", {"outputs"})
            outputs = await self._ask(served, signature, read_examples(request), receive)
            return dump(write_values(outputs))

    async def _ask(
        self, served: ServedVersion, signature: Signature, inputs: Arrays, receive: Receive
    ) -> Outputs:
        n_examples = signature.check(inputs)
        if n_examples > self._limits.examples:
            raise ServingError(
                Code.INVALID_ARGUMENT,
                f"{n_examples} examples, {self._limits.examples} are allowed in a request",
            )
        future = served.submit(signature, inputs, n_examples)
        return await _wait(future, receive, self._limits.timeout_seconds)

    def _describe_status(self, route: _Route) -> bytes:
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

    def _describe_signatures(self, route: _Route) -> bytes:
        served = self._catalog.find(route.model, route.version, route.label)
        if served not in self._metadata:
            self._metadata[served] = _make_metadata(served)
        return self._metadata[served]


def make_app(
    catalog: Catalog,
    settings: ServingSettings,
    metrics: Metrics,
    pages: Mapping[str, Page] | None = None,
    on_request: OnRequest | None = None,
) -> RestApp:
    """Makes the ASGI application.

    Args:
        catalog: The models.
        settings: Its limits count.
        metrics: Told of each request for a model.
        pages: Path to page, for GET, beside TensorFlow Serving's own paths below `/v1`.
        on_request: Told of each request.
    """
    return RestApp(catalog, settings, metrics, pages or {}, on_request)


@lru_cache(maxsize=1024)
def _route(method: str, path: str) -> _Route:
    """Finds out what a path asks for."""
    if method == "POST" and (match := _ASK.fullmatch(path)):
        model, number, label, verb = match.groups()
        return _Route(verb.capitalize(), model, _version(number), label)
    if method == "GET" and (match := _LOOK.fullmatch(path)):
        model, number, label, metadata = match.groups()
        if not model:
            raise ServingError(Code.INVALID_ARGUMENT, "Missing model name in request.")
        entrypoint = "GetModelMetadata" if metadata else "GetModelStatus"
        return _Route(entrypoint, model, _version(number), label)
    if path[:4].lower() == "/v1/":
        raise ServingError(Code.INVALID_ARGUMENT, f"Malformed request: {method} {path}")
    raise ServingError(Code.NOT_FOUND, f"Not found: {path}")


def _version(number: str | None) -> int | None:
    if number is None:
        return None
    if len(number) > 19 or int(number) >= 2**63:
        raise ServingError(
            Code.INVALID_ARGUMENT, f"Failed to convert version: {number} to numeric."
        )
    return int(number)


def _show(page: Page, method: str, path: str) -> tuple[int, str, bytes]:
    if method not in ("GET", "HEAD"):
        raise _HttpError(405, Code.UNIMPLEMENTED, f"Method not allowed: {method} {path}")
    return page()


def _signature_of(request: Mapping[str, Any], served: ServedVersion) -> Signature:
    name = request.get("signature_name") or SERVING_SIGNATURE
    if type(name) is not str:
        raise ServingError(Code.INVALID_ARGUMENT, "'signature_name' key must be a string value.")
    if name not in served.engine.signatures:
        raise ServingError(
            Code.INVALID_ARGUMENT, f'Serving signature name: "{name}" not found in signature def'
        )
    return served.engine.signatures[name]


async def _read_body(
    headers: list[tuple[bytes, bytes]], receive: Receive, most_bytes: int, seconds: float
) -> bytes:
    """Reads the body of a request.

    Raises:
        ServingError: If it is too large, comes too slowly or not at all, or is encoded strangely.
    """
    encoding = b""
    for name, value in headers:
        if name == b"content-length" and value.isdigit() and int(value) > most_bytes:
            raise _too_large(most_bytes)
        if name == b"content-encoding":
            encoding = value.lower()
    if encoding not in (b"", b"gzip", b"identity"):
        raise _HttpError(415, Code.INVALID_ARGUMENT, "Content-Encoding may be gzip only")
    body = await _receive_body(receive, most_bytes, seconds)
    return _unzip(body, most_bytes) if encoding == b"gzip" else body


async def _receive_body(receive: Receive, most_bytes: int, seconds: float) -> bytes:
    task = asyncio.current_task()
    assert task is not None
    is_late = False

    def give_up() -> None:
        nonlocal is_late
        is_late = True
        task.cancel()

    timer = asyncio.get_running_loop().call_later(seconds, give_up)
    parts, n_bytes = [], 0
    try:
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _cancelled()
            part = message.get("body", b"")
            n_bytes += len(part)
            if n_bytes > most_bytes:
                raise _too_large(most_bytes)
            parts.append(part)
            if not message.get("more_body"):
                return b"".join(parts)
    except asyncio.CancelledError:
        if not is_late:
            raise
        raise _HttpError(
            408, Code.DEADLINE_EXCEEDED, f"the request has not arrived within {seconds:g} s"
        ) from None
    finally:
        timer.cancel()


def _unzip(body: bytes, most_bytes: int) -> bytes:
    inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        plain = inflater.decompress(body, most_bytes + 1)
    except zlib.error:
        raise ServingError(Code.INVALID_ARGUMENT, "the body is not in gzip's format") from None
    if len(plain) > most_bytes:
        raise _too_large(most_bytes)
    if not inflater.eof or inflater.unused_data:
        raise ServingError(Code.INVALID_ARGUMENT, "the body is not one whole gzip member")
    return plain


async def _wait(future: asyncio.Future[Outputs], receive: Receive, seconds: float) -> Outputs:
    """Waits for an answer; gives it up where it is too late, or the client has gone.

    Nearly every answer comes before `_PATIENCE_SECONDS`, and costs a timer only.

    Raises:
        ServingError: What the future holds, or CANCELLED, or DEADLINE_EXCEEDED.
    """
    watchers: list[asyncio.Task[ServingError]] = []

    def start_watching() -> None:
        watchers.append(asyncio.create_task(_watch(future, receive, seconds - _PATIENCE_SECONDS)))

    timer = asyncio.get_running_loop().call_later(min(seconds, _PATIENCE_SECONDS), start_watching)
    try:
        return await future
    except asyncio.CancelledError:
        if watchers and watchers[0].done() and not watchers[0].cancelled():
            raise watchers[0].result() from None
        raise
    finally:
        timer.cancel()
        for watcher in watchers:
            watcher.cancel()


async def _watch(future: asyncio.Future[Outputs], receive: Receive, seconds: float) -> ServingError:
    """Cancels a future when the client goes or the time is over; says which."""
    try:
        await asyncio.wait_for(receive(), seconds)
        error = _cancelled()
    except asyncio.TimeoutError:
        error = ServingError(
            Code.DEADLINE_EXCEEDED, "Timed out waiting for the answer of the model"
        )
    future.cancel()
    return error


def _make_metadata(served: ServedVersion) -> bytes:
    spec = model_pb2.ModelSpec(name=served.model)
    spec.version.value = served.number
    signatures = get_model_metadata_pb2.SignatureDefMap()
    for name, signature in served.engine.signature_defs.items():
        signatures.signature_def[name].CopyFrom(signature)
    options = {"including_default_value_fields": True, "preserving_proto_field_name": True}
    return dump(
        {
            "model_spec": MessageToDict(spec, **options),
            "metadata": {"signature_def": MessageToDict(signatures, **options)},
        }
    )


async def _reply(send: Send, status: int, content_type: str, body: bytes, *, is_last: bool) -> None:
    headers = [
        (b"content-type", content_type.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"x-content-type-options", b"nosniff"),
    ]
    if is_last:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _too_large(most_bytes: int) -> ServingError:
    return _HttpError(
        413, Code.INVALID_ARGUMENT, f"the body has more than the {most_bytes} bytes allowed"
    )


def _cancelled() -> ServingError:
    return ServingError(Code.CANCELLED, "the client has gone")
