import asyncio
import gzip
from collections.abc import Sequence
from typing import Any

import pytest

from serving.errors import Code, ServingError
from serving.rest.http_io import HttpError, Message, Receive, read_body, wait_for_answer

_GZIP = [(b"content-encoding", b"GZIP")]


def _give(*parts: bytes, is_whole: bool = True) -> Receive:
    """Makes ASGI's receive of a body in parts, behind which the client waits, or has gone."""
    left = list(parts)

    async def receive() -> Message:
        if left:
            part = left.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(left) or not is_whole}
        if not is_whole:
            return {"type": "http.disconnect"}
        return await asyncio.Event().wait()  # type: ignore[return-value]

    return receive


def _read(receive: Receive, headers: Sequence[tuple[bytes, bytes]] = (), seconds: float = 9) -> Any:
    return asyncio.run(read_body(list(headers), receive, 100, seconds))


def test_read_body_joins_its_parts() -> None:
    assert _read(_give(b"a", b"", b"bc")) == b"abc"
    assert _read(_give(b"x" * 100), [(b"content-length", b"100")]) == b"x" * 100


def test_read_body_unpacks_gzip() -> None:
    assert _read(_give(gzip.compress(b"x" * 100)), _GZIP) == b"x" * 100


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", [(b"content-length", b"101")], 413),
        (b"x" * 101, [], 413),
        (gzip.compress(b"x" * 101, mtime=0), _GZIP, 413),
        (b"{}", [(b"content-encoding", b"br")], 415),
        (b"{}", [(b"content-encoding", b"gzip, gzip")], 415),
    ],
)
def test_read_body_refuses(body: bytes, headers: list[tuple[bytes, bytes]], status: int) -> None:
    with pytest.raises(HttpError) as caught:
        _read(_give(body), headers)
    assert (caught.value.status, caught.value.code) == (status, Code.INVALID_ARGUMENT)


@pytest.mark.parametrize(
    "body", [b"{}", b"", gzip.compress(b"{}", mtime=0)[:-1], gzip.compress(b"", mtime=0) * 2]
)
def test_read_body_refuses_what_is_no_gzip(body: bytes) -> None:
    with pytest.raises(ServingError, match="gzip") as caught:
        _read(_give(body), _GZIP)
    assert caught.value.code == Code.INVALID_ARGUMENT


def test_read_body_waits_no_longer_than_told() -> None:
    async def receive() -> Message:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b"x", "more_body": True}

    with pytest.raises(HttpError, match=r"has not arrived within 0\.1 s") as caught:
        _read(receive, seconds=0.1)
    assert (caught.value.status, caught.value.code) == (408, Code.DEADLINE_EXCEEDED)


def test_read_body_ends_when_the_client_goes() -> None:
    with pytest.raises(ServingError) as caught:
        _read(_give(b"x", is_whole=False))
    assert caught.value.code == Code.CANCELLED


def test_read_body_leaves_a_task_that_is_cancelled_to_its_canceller() -> None:
    async def cancel() -> None:
        task = asyncio.create_task(read_body([], _give(), 100, 9))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())


async def _wait(receive: Receive, seconds: float, answer_after: float | None) -> Any:
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()
    if answer_after is not None:
        loop.call_later(answer_after, future.set_result, "answer")
    try:
        return await wait_for_answer(future, receive, seconds)
    except ServingError as error:
        return error.code, future.cancelled()


@pytest.mark.parametrize(
    ("is_there", "seconds", "answer_after", "expected"),
    [
        (True, 9, 0, "answer"),
        (True, 9, 0.15, "answer"),
        (True, 0.1, None, (Code.DEADLINE_EXCEEDED, True)),
        (True, 0.01, None, (Code.DEADLINE_EXCEEDED, True)),
        (False, 9, None, (Code.CANCELLED, True)),
        (False, 9, 0, "answer"),
    ],
)
def test_wait_for_answer_ends_by_answer_deadline_or_disconnect(
    is_there: bool, seconds: float, answer_after: float | None, expected: Any
) -> None:
    receive = _give(is_whole=is_there)
    assert asyncio.run(_wait(receive, seconds, answer_after)) == expected


def test_wait_for_answer_leaves_no_task_behind() -> None:
    async def wait() -> set[asyncio.Task[Any]]:
        await _wait(_give(), 9, 0.1)
        await asyncio.sleep(0.05)
        return asyncio.all_tasks() - {asyncio.current_task()}  # type: ignore[arg-type]

    assert asyncio.run(wait()) == set()
