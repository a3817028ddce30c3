"""RestApp without HTTP: metrics, pages, draining and errors."""

import asyncio
import gzip
import json
import logging
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from serving.errors import Code, ServingError
from serving.http.messages import Request, Response
from serving.interfaces.rest import RestApp
from serving.models.catalog import Catalog
from serving.settings import BatchingSettings, ServingSettings
from serving.suspects import RequestWatch
from serving.telemetry.metrics import Metrics
from tests.helpers.served_models import write_model, write_wide

_PREDICT = "/v1/models/m:predict"


class _Recorder(Metrics):
    """Metrics that keep the observed requests."""

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
    with tempfile.TemporaryDirectory() as shared_dir:
        watch = RequestWatch(Path(shared_dir))
        yield RestApp(catalog, settings, metrics, watch, **options), metrics
    await catalog.close()


async def _ask(app: RestApp, method: str, path: str, body: bytes = b"") -> Response:
    answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
    app.handle(Request(method, path, body=body), answer.set_result)
    return await answer


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


def test_app_observes_each_model_request(folder: Path) -> None:
    async def use(app: RestApp, metrics: _Recorder) -> None:
        for method, path, body, status in [
            ("POST", _PREDICT, b'{"instances": [1]}', 200),
            ("POST", "/v1/models/n:classify", b"{}", 404),
            ("GET", "/v1/models/m", b"", 200),
            ("GET", "/v1/models/m/metadata", b"", 200),
            ("GET", "/none", b"", 404),
        ]:
            assert (await _ask(app, method, path, body)).status == status
        assert metrics.requests == [
            ("m", "REST", "Predict", Code.OK),
            ("n", "REST", "Classify", Code.NOT_FOUND),
            ("m", "REST", "GetModelStatus", Code.OK),
            ("m", "REST", "GetModelMetadata", Code.OK),
        ]

    _run(folder, use)


def test_app_serves_pages(folder: Path) -> None:
    pages = {"/": lambda: (200, "text/html", b"<p>"), "/readyz": lambda: (503, "text/plain", b"no")}

    async def use(app: RestApp, metrics: _Recorder) -> None:
        assert await _ask(app, "GET", "/") == Response(200, "text/html", b"<p>")
        assert (await _ask(app, "HEAD", "/readyz")).status == 503
        answer = await _ask(app, "POST", "/")
        assert answer.status == 405
        assert json.loads(answer.body) == {"error": "Method not allowed: POST /"}
        assert metrics.requests == []

    _run(folder, use, pages=pages)


def test_draining_app_closes_connections(folder: Path) -> None:
    async def use(app: RestApp, metrics: _Recorder) -> None:
        assert not (await _ask(app, "GET", "/v1/models/m")).is_last
        app.is_draining = True
        for method, path, status in [("POST", _PREDICT, 200), ("GET", "/none", 404)]:
            answer = await _ask(app, method, path, b'{"instances": [1]}')
            assert (answer.status, answer.is_last) == (status, True)

    _run(folder, use)


def test_app_logs_and_hides_unexpected_errors(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def page() -> Any:
        raise RuntimeError("secret")

    async def use(app: RestApp, metrics: _Recorder) -> None:
        status, content_type, body, *_ = await _ask(app, "GET", "/")
        assert (status, json.loads(body)) == (500, {"error": "internal error"})
        assert content_type == "application/json"

    with caplog.at_level(logging.ERROR, "serving.interfaces.rest"):
        _run(folder, use, pages={"/": page})
    assert "RuntimeError: secret" in caplog.text


def test_app_answers_429_when_queue_is_full(folder: Path) -> None:
    settings = ServingSettings(batching=BatchingSettings(max_batch_size=1, max_enqueued_batches=1))

    async def use(app: RestApp, metrics: _Recorder) -> None:
        body = b'{"instances": [1]}'
        answers = await asyncio.gather(*(_ask(app, "POST", _PREDICT, body) for _ in range(3)))
        assert sorted(answer.status for answer in answers) == [200, 429, 429]
        assert (await _ask(app, "POST", _PREDICT, body)).status == 200

    _run(folder, use, settings)


def test_app_sends_an_error_set_on_the_future(folder: Path) -> None:
    async def use(app: RestApp, metrics: _Recorder) -> None:
        answers: list[Response] = []
        request = Request("POST", _PREDICT, body=b'{"instances": [1]}')
        pending = app.handle(request, answers.append)
        assert pending is not None
        pending.set_exception(ServingError(Code.DEADLINE_EXCEEDED, "too late"))
        assert (await _ask(app, *request[:2], request.body)).status == 200
        (answer,) = answers
        assert (answer.status, json.loads(answer.body)) == (504, {"error": "too late"})
        assert metrics.requests[0][3] == Code.DEADLINE_EXCEEDED

    _run(folder, use)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b'{"instances": [%b1]}' % (b"1.00000000000000000000, " * 4000), (), 200),
        (b'{"instances": ["x"], "context": "%b"}' % (b"c" * 2**17), (), 400),
        (b"[" * 2**17, (), 400),
        (gzip.compress(b'{"instances": [1]}'), [(b"content-encoding", b"gzip")], 200),
        (gzip.compress(b"[" * 2**20), [(b"content-encoding", b"gzip")], 400),
    ],
    ids=["large", "large and wrong", "deep", "compressed", "compressed and deep"],
)
def test_app_reads_large_and_compressed_bodies_in_a_thread(
    folder: Path, body: bytes, headers: Sequence[tuple[bytes, bytes]], status: int
) -> None:
    async def use(app: RestApp, metrics: _Recorder) -> None:
        answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        pending = app.handle(Request("POST", _PREDICT, headers, body), answer.set_result)
        assert (pending is None, answer.done()) == (False, False)
        assert (await answer).status == status
        assert len(metrics.requests) == 1

    _run(folder, use)


def test_app_gives_up_a_large_body(folder: Path) -> None:
    async def use(app: RestApp, metrics: _Recorder) -> None:
        answers: list[Response] = []
        body = b'{"instances": [%b1]}' % (b"1.00000000000000000000, " * 4000)
        pending = app.handle(Request("POST", _PREDICT, body=body), answers.append)
        assert pending is not None
        pending.set_exception(ServingError(Code.DEADLINE_EXCEEDED, "too late"))
        await asyncio.sleep(0.5)
        assert [answer.status for answer in answers] == [504]
        assert (await _ask(app, "POST", _PREDICT, b'{"instances": [1]}')).status == 200

    _run(folder, use)


@pytest.mark.parametrize("check_values", [False, True])
def test_more_columns_need_no_more_calls(tmp_path: Path, check_values: bool) -> None:
    settings = ServingSettings(check_values=check_values)
    n_calls = {}
    for n_columns in (100, 300):
        write_wide(tmp_path / str(n_columns), 1, n_columns)
        row = {f"c{index}": 0.25 for index in range(n_columns)}
        use = partial(_count_calls, n_calls, n_columns, json.dumps({"instances": [row]}).encode())
        _run(tmp_path / str(n_columns), use, settings)

    assert n_calls[300] < n_calls[100] + 50, "a step calls Python for each column"


async def _count_calls(
    n_calls: dict[int, int], n_columns: int, body: bytes, app: RestApp, metrics: _Recorder
) -> None:
    """Counts the calls of Python functions during a request, without the first ones."""
    for _ in range(3):
        assert json.loads((await _ask(app, "POST", _PREDICT, body)).body) == {"predictions": [0.25]}
    events: list[str] = []
    sys.setprofile(lambda frame, event, _: events.append(event))
    try:
        await _ask(app, "POST", _PREDICT, body)
    finally:
        sys.setprofile(None)
    n_calls[n_columns] = events.count("call")
