"""The application by itself: what it tells of a request, and when it gives one up."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from served_models import write_model

from serving.errors import Code
from serving.metrics import Metrics
from serving.rest.app import RestApp, make_app
from serving.settings import BatchingSettings, LimitSettings, ServingSettings
from serving.versions import Catalog

_PREDICT = "/v1/models/m:predict"


class _Recorder(Metrics):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[tuple[str, str, str, Code]] = []

    def observe_request(
        self, model: str, api: str, entrypoint: str, code: Code, seconds: float
    ) -> None:
        assert seconds > 0
        self.requests.append((model, api, entrypoint, code))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rest")
    write_model(folder, 1)
    return folder


@asynccontextmanager
async def _app(folder: Path, settings: ServingSettings, **options: Any) -> AsyncIterator[Any]:
    metrics = _Recorder()
    catalog = Catalog({"m": folder}, settings, metrics.make_on_batch)
    await catalog.start()
    yield make_app(catalog, settings, metrics, **options), metrics
    await catalog.close()


async def _ask(
    app: RestApp, method: str, path: str, body: bytes = b"", *, is_gone: bool = False
) -> tuple[int, dict[bytes, bytes], bytes]:
    received = [{"type": "http.request", "body": body}]
    sent: list[Any] = []

    async def receive() -> Any:
        if received:
            return received.pop()
        if is_gone:
            return {"type": "http.disconnect"}
        return await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    await app({"method": method, "path": path, "headers": []}, receive, send)
    start, end = sent
    return start["status"], dict(start["headers"]), end["body"]


def _run(
    folder: Path,
    use: Callable[[RestApp, _Recorder], Awaitable[None]],
    settings: ServingSettings | None = None,
    **options: Any,
) -> None:
    async def run() -> None:
        async with _app(folder, settings or ServingSettings(), **options) as (app, metrics):
            await use(app, metrics)

    asyncio.run(run())


def test_app_tells_of_each_request(folder: Path) -> None:
    async def use(app: RestApp, metrics: _Recorder) -> None:
        for method, path, body, status in [
            ("POST", _PREDICT, b'{"instances": [1]}', 200),
            ("POST", "/v1/models/n:classify", b"{}", 404),
            ("GET", "/v1/models/m", b"", 200),
            ("GET", "/v1/models/m/metadata", b"", 200),
            ("GET", "/none", b"", 404),
        ]:
            assert (await _ask(app, method, path, body))[0] == status
        assert metrics.requests == [
            ("m", "REST", "Predict", Code.OK),
            ("n", "REST", "Classify", Code.NOT_FOUND),
            ("m", "REST", "GetModelStatus", Code.OK),
            ("m", "REST", "GetModelMetadata", Code.OK),
        ]

    _run(folder, use)


def test_app_shows_pages(folder: Path) -> None:
    pages = {"/": lambda: (200, "text/html", b"<p>"), "/readyz": lambda: (503, "text/plain", b"no")}

    async def use(app: RestApp, metrics: _Recorder) -> None:
        status, headers, body = await _ask(app, "GET", "/")
        assert (status, headers[b"content-type"], body) == (200, b"text/html", b"<p>")
        assert headers[b"x-content-type-options"] == b"nosniff"
        assert (await _ask(app, "HEAD", "/readyz"))[0] == 503
        status, _, body = await _ask(app, "POST", "/")
        assert (status, json.loads(body)) == (405, {"error": "Method not allowed: POST /"})
        assert metrics.requests == []

    _run(folder, use, pages=pages)


def test_app_that_is_draining_closes_connections(folder: Path) -> None:
    async def use(app: RestApp, metrics: _Recorder) -> None:
        assert b"connection" not in (await _ask(app, "GET", "/v1/models/m"))[1]
        app.is_draining = True
        status, headers, _ = await _ask(app, "POST", _PREDICT, b'{"instances": [1]}')
        assert (status, headers[b"connection"]) == (200, b"close")

    _run(folder, use)


def test_app_hides_what_fails_unexpectedly_and_logs_it(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def page() -> Any:
        raise RuntimeError("secret")

    async def use(app: RestApp, metrics: _Recorder) -> None:
        status, headers, body = await _ask(app, "GET", "/")
        assert (status, json.loads(body)) == (500, {"error": "internal error"})
        assert headers[b"content-type"] == b"application/json"

    with caplog.at_level(logging.ERROR, "serving.rest.app"):
        _run(folder, use, pages={"/": page})
    assert "RuntimeError: secret" in caplog.text


def test_app_answers_429_beyond_what_may_wait(folder: Path) -> None:
    settings = ServingSettings(batching=BatchingSettings(max_batch_size=1, max_enqueued_batches=1))

    async def use(app: RestApp, metrics: _Recorder) -> None:
        body = b'{"instances": [1]}'
        answers = await asyncio.gather(*(_ask(app, "POST", _PREDICT, body) for _ in range(3)))
        assert sorted(status for status, _, _ in answers) == [200, 429, 429]
        assert (await _ask(app, "POST", _PREDICT, body))[0] == 200

    _run(folder, use, settings)


@pytest.mark.parametrize(
    ("is_gone", "expected"), [(False, (504, Code.DEADLINE_EXCEEDED)), (True, (499, Code.CANCELLED))]
)
def test_app_gives_up_an_answer(
    folder: Path, is_gone: bool, expected: tuple[int, Code], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = ServingSettings(limits=LimitSettings(timeout_seconds=0.2))

    async def use(app: RestApp, metrics: _Recorder) -> None:
        # A model that is busy for ever.
        with app._catalog.find("m") as served:
            futures = []
            monkeypatch.setattr(
                served, "submit", lambda *_: futures.append(asyncio.Future()) or futures[0]
            )
            body = b'{"instances": [1]}'
            status, _, answer = await _ask(app, "POST", _PREDICT, body, is_gone=is_gone)
        assert (status, metrics.requests[-1][3]) == expected
        assert json.loads(answer).keys() == {"error"}
        assert futures[0].cancelled()

    _run(folder, use, settings)
