"""Finding, loading, replacing and unloading of versions."""

import asyncio
import math
import shutil
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest

from serving.errors import Code, ServingError
from serving.models import catalog as catalog_module
from serving.models.catalog import Catalog
from serving.models.versions import State
from serving.settings import LimitSettings, ServingSettings, VersionSettings
from tests.helpers.served_models import write_model

Loads = list[tuple[str, int, bool]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("made"), 1)


@pytest.fixture
def base(made: Path, tmp_path: Path) -> Path:
    """A model's folder with version 1; y = x / 2 + 2."""
    shutil.copytree(made, tmp_path / "half" / "1")
    return tmp_path / "half"


def _push(base: Path, number: int | str, source: Path | None = None) -> None:
    """Adds a version with a single rename, as the Pusher does."""
    shutil.copytree(source or base / "1", base / ".tmp-push")
    (base / ".tmp-push").rename(base / str(number))


def _break(base: Path, number: int) -> None:
    _push(base, number)
    (base / str(number) / "saved_model.pb").write_bytes(b"\xff")


def _settings(**policy: object) -> ServingSettings:
    policy.setdefault("poll_seconds", 0.05)
    return ServingSettings(
        versions=VersionSettings(**policy), limits=LimitSettings(timeout_seconds=5)
    )


def _run(
    test: Callable[[Catalog], Awaitable[None]],
    folders: dict[str, Path] | Path,
    settings: ServingSettings | None = None,
) -> Loads:
    """Runs a test with a catalog that polls only when the test calls `poll`; returns its loads."""
    folders = {"half": folders} if isinstance(folders, Path) else folders
    loads: Loads = []

    async def run() -> None:
        catalog = Catalog(
            folders,
            settings or _settings(),
            lambda model, columns: lambda *batch: None,
            on_load=lambda model, number, seconds, is_served: loads.append(
                (model, number, is_served)
            ),
        )
        await catalog.poll()
        try:
            await test(catalog)
        finally:
            await catalog.close()

    asyncio.run(run())
    return loads


async def _ask(catalog: Catalog, version: int | None = None, label: str | None = None) -> int:
    """Sends a request; returns the version that answered."""
    with catalog.find("half", version, label) as served:
        signature = served.engine.signatures["serving_default"]
        inputs = {"x": np.float32([2])}
        await served.batcher.submit(signature, inputs, signature.check(inputs))
        return served.number


def _states(catalog: Catalog) -> dict[int, str]:
    return {version.number: version.state.name for version in catalog.statuses("half")}


def _served(catalog: Catalog) -> list[int]:
    return [n for n, state in _states(catalog).items() if state == "AVAILABLE"]


async def _until(condition: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


def test_catalog_replaces_an_older_version(base: Path) -> None:
    async def test(catalog: Catalog) -> None:
        assert await _ask(catalog) == 1
        with catalog.find("half") as old:
            _push(base, 10)
            await catalog.poll()
            assert await _ask(catalog) == 10
            await asyncio.sleep(0.05)
            assert _states(catalog) == {10: "AVAILABLE", 1: "UNLOADING"}  # `old` is in use
            signature = old.engine.signatures["single"]
            answer = await old.batcher.submit(signature, {"x": np.array(2, np.float32)}, 1)
            assert answer["y"] == 3
        await _until(lambda: _states(catalog)[1] == "END")

    assert _run(test, base) == [("half", 1, True), ("half", 10, True)]


@pytest.mark.parametrize(
    ("policy", "served"),
    [
        ({}, [3]),
        ({"latest": 2}, [3, 2]),
        ({"policy": "all"}, [3, 2, 1]),
        ({"policy": "specific", "numbers": (1, 3)}, [3, 1]),
    ],
)
def test_catalog_follows_the_version_policy(
    base: Path, policy: dict[str, object], served: list[int]
) -> None:
    _push(base, 2)
    _push(base, "003")
    (base / "notes").mkdir()

    async def test(catalog: Catalog) -> None:
        assert _served(catalog) == served
        assert await _ask(catalog) == 3

    _run(test, base, _settings(**policy))


def test_catalog_serves_older_version_after_rollback(base: Path) -> None:
    _push(base, 2)

    async def test(catalog: Catalog) -> None:
        assert await _ask(catalog) == 2
        shutil.rmtree(base / "2")
        await catalog.poll()
        assert await _ask(catalog) == 1

    _run(test, base)


@pytest.mark.parametrize("gone", ["", "1"])
def test_catalog_keeps_serving_a_deleted_version(base: Path, gone: str) -> None:
    async def test(catalog: Catalog) -> None:
        shutil.rmtree(base / gone)
        await catalog.poll()
        await catalog.poll()
        assert await _ask(catalog) == 1
        assert catalog.is_ready

    _run(test, base)


def test_catalog_finds_by_label(base: Path) -> None:
    async def test(catalog: Catalog) -> None:
        assert await _ask(catalog, label="stable") == 1
        assert [v.number for v in catalog.statuses("half", label="stable")] == [1]
        with pytest.raises(ServingError, match="Unrecognized servable version label: no") as error:
            catalog.find("half", label="no")
        assert error.value.code == Code.INVALID_ARGUMENT
        with pytest.raises(ServingError, match=r"Specific\(half, 7\)") as error:
            catalog.find("half", label="canary")
        assert error.value.code == Code.NOT_FOUND

    _run(test, base, _settings(labels={"stable": 1, "canary": 7}))


@pytest.mark.parametrize(
    ("model", "version", "message"),
    [
        ("no", None, "Servable not found for request: Latest(no)"),
        ("half", 9, "Servable not found for request: Specific(half, 9)"),
    ],
)
def test_catalog_refuses_unknown_models_and_versions(
    base: Path, model: str, version: int | None, message: str
) -> None:
    async def test(catalog: Catalog) -> None:
        with pytest.raises(ServingError) as error:
            catalog.find(model, version)
        assert (error.value.code, error.value.message) == (Code.NOT_FOUND, message)
        with pytest.raises(ServingError, match="Could not find any versions of model") as error:
            catalog.statuses(model, version)
        assert error.value.code == Code.NOT_FOUND

    _run(test, base)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda path: (path / "saved_model.pb").unlink(), "saved_model.pb: cannot be read"),
        (lambda path: (path / "saved_model.pb").write_bytes(b"\xff"), "is not a SavedModel"),
        (lambda path: shutil.rmtree(path / "variables"), "cannot be loaded: "),
        (lambda path: _write_extra(path, "columns.json", "[]"), "is not a description of columns"),
        (lambda path: _write_extra(path, "tf_serving_warmup_requests", "?" * 99), "cannot be read"),
        (lambda path: (path / "link").symlink_to("/etc"), "is a symbolic link out of"),
    ],
)
def test_catalog_reports_why_loading_failed(
    base: Path, damage: Callable[[Path], None], reason: str
) -> None:
    async def test(catalog: Catalog) -> None:
        _push(base, 2, base / "1")
        damage(base / "2")
        await catalog.poll()
        assert await _ask(catalog) == 1
        (version,) = catalog.statuses("half", 2)
        assert (version.state, version.code) == (State.END, Code.UNKNOWN)
        assert reason in version.message
        assert str(base) not in version.message
        version.retry_at = math.inf
        await catalog.poll()  # does not try again at each poll
        await catalog.poll()

    assert _run(test, base) == [("half", 1, True), ("half", 2, False)]


def _write_extra(path: Path, name: str, text: str) -> None:
    (path / "assets.extra").mkdir()
    (path / "assets.extra" / name).write_text(text)


def test_catalog_serves_the_newest_that_loads(base: Path) -> None:
    _break(base, 2)
    _break(base, 3)

    async def test(catalog: Catalog) -> None:
        assert _states(catalog) == {3: "END", 2: "END", 1: "AVAILABLE"}
        assert await _ask(catalog) == 1

    _run(test, base)


def test_catalog_reports_an_unexpected_error(base: Path) -> None:
    def make_on_batch(*_: object) -> None:
        raise ZeroDivisionError("secret")

    async def test() -> None:
        catalog = Catalog({"half": base}, _settings(), make_on_batch)
        await catalog.poll()
        (version,) = catalog.statuses("half")
        assert (version.state, version.code) == (State.END, Code.INTERNAL)
        assert version.message == "ZeroDivisionError, see the server's log"
        assert not catalog.is_ready
        await catalog.close()

    asyncio.run(test())


def test_catalog_pauses_before_loading_again(base: Path) -> None:
    _break(base, 2)

    async def test(catalog: Catalog) -> None:
        version = catalog._versions["half"][2]
        assert 0 < version.retry_at - time.monotonic() <= 1
        version.retry_at = math.inf
        for _ in range(5):
            await catalog.poll()
        version.retry_at = time.monotonic()
        await catalog.poll()
        assert 1 < version.retry_at - time.monotonic() <= 2
        version.retry_at = math.inf
        await catalog.poll()

    assert _run(test, base) == [("half", 2, False), ("half", 1, True), ("half", 2, False)]


def test_catalog_waits_for_a_copy_to_finish(base: Path) -> None:
    async def test(catalog: Catalog) -> None:
        (base / "2" / "variables").mkdir(parents=True)
        await catalog.poll()
        # As after many failures, the next timed attempt is a minute away.
        catalog._versions["half"][2].retry_at = time.monotonic() + 60
        for name in ["saved_model.pb", "variables/variables.index"]:
            shutil.copy(base / "1" / name, base / "2" / name)
            await catalog.poll()
            assert await _ask(catalog) == 1
        name = "variables/variables.data-00000-of-00001"
        shutil.copy(base / "1" / name, base / "2" / name)
        await catalog.poll()  # notices the change
        await catalog.poll()  # notices that the files are stable
        assert await _ask(catalog) == 2

    # Nothing was loaded while the files kept changing.
    assert _run(test, base) == [("half", 1, True), ("half", 2, False), ("half", 2, True)]


def test_catalog_reloads_a_changed_version(base: Path) -> None:
    async def test(catalog: Catalog) -> None:
        shutil.rmtree(base / "1")
        await catalog.poll()
        write_model(base, 1, shift=5.0)
        await catalog.poll()
        await catalog.poll()
        with catalog.find("half") as served:
            signature = served.engine.signatures["serving_default"]
            assert (await served.batcher.submit(signature, {"x": np.float32([2])}, 1))["y"] == [6]
        assert _states(catalog) == {1: "AVAILABLE"}

    _run(test, base)


def test_catalog_keeps_a_version_with_broken_files(base: Path) -> None:
    async def test(catalog: Catalog) -> None:
        (base / "1" / "saved_model.pb").write_bytes(b"\xff")
        await catalog.poll()
        await catalog.poll()
        assert await _ask(catalog) == 1
        assert _states(catalog) == {1: "AVAILABLE"}

    assert _run(test, base) == [("half", 1, True), ("half", 1, False)]


def test_catalog_serves_new_version_within_1_s(base: Path) -> None:
    seconds = []

    async def test() -> None:
        catalog = Catalog({"half": base}, ServingSettings(), lambda *_: lambda *batch: None)
        await catalog.start()
        for number in (2, 3, 4):
            _push(base, number)
            start = time.monotonic()
            await _until(lambda number=number: _served(catalog) == [number])
            seconds.append(time.monotonic() - start)
        await catalog.close()

    asyncio.run(test())
    assert min(seconds) < 1  # other processes may slow some of them


def test_catalog_loads_models_independently(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(base, tmp_path / "slow")
    gate = threading.Event()
    load_engine = catalog_module.load_engine

    def load(path: Path, *args: object) -> object:
        if "slow" in path.parts and path.name == "2":
            assert gate.wait(60)
        return load_engine(path, *args)

    monkeypatch.setattr(catalog_module, "load_engine", load)

    async def test() -> None:
        folders = {"slow": tmp_path / "slow", "half": base}
        catalog = Catalog(folders, _settings(), lambda *_: lambda *batch: None)
        await catalog.start()
        _push(tmp_path / "slow", 2)
        await _until(lambda: len(catalog.statuses("slow")) == 2)
        _push(base, 2)
        await _until(lambda: _served(catalog) == [2])
        assert catalog.statuses("slow", 2)[0].state == State.LOADING
        gate.set()
        await _until(lambda: catalog.statuses("slow", 2)[0].state == State.AVAILABLE)
        await catalog.close()

    asyncio.run(test())


def test_catalog_goes_on_if_a_version_hangs(base: Path) -> None:
    async def test(catalog: Catalog) -> None:
        for number in range(2, 15):
            catalog.find("half").__enter__()  # never released
            _push(base, number)
            await catalog.poll()
            assert await _ask(catalog) == number

    settings = _settings().model_copy(update={"limits": LimitSettings(timeout_seconds=0.1)})
    start = time.monotonic()
    _run(test, base, settings)
    assert time.monotonic() - start < 60


def test_catalog_forgets_old_versions(base: Path) -> None:
    async def test(catalog: Catalog) -> None:
        for number in range(2, 16):
            (base / str(number - 1)).rename(base / str(number))
            await catalog.poll()
        await _until(lambda: set(_states(catalog).values()) == {"AVAILABLE", "END"})
        await catalog.poll()
        assert sorted(_states(catalog)) == list(range(5, 16))

    _run(test, base)


def test_catalog_is_ready_if_all_models_are(base: Path, tmp_path: Path) -> None:
    async def test(catalog: Catalog) -> None:
        assert not catalog.is_ready
        assert catalog.statuses("other") == []
        shutil.copytree(base, tmp_path / "other")
        await catalog.poll()
        assert catalog.is_ready

    _run(test, {"half": base, "other": tmp_path / "other"})


def test_catalog_close_answers_open_requests(base: Path) -> None:
    async def test() -> None:
        catalog = Catalog({"half": base}, _settings(), lambda *_: lambda *batch: None)
        await catalog.start()
        asked = [asyncio.create_task(_ask(catalog)) for _ in range(50)]
        await asyncio.sleep(0)
        await catalog.close()
        assert await asyncio.gather(*asked) == [1] * 50
        assert _states(catalog) == {1: "END"}
        with pytest.raises(ServingError, match="Servable not found"):
            catalog.find("half")

    asyncio.run(test())
