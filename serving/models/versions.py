"""Which versions of which models are served: found in folders, loaded, swapped, let go."""

import asyncio
import ctypes
import gc
import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from types import TracebackType

from serving.errors import Code, ModelLoadError, ServingError, invalid
from serving.models.batching import Batcher, OnBatch
from serving.models.columns import Column, read_columns
from serving.models.engine import Engine
from serving.models.folders import Fingerprint, fingerprint, list_versions
from serving.models.value_check import ValueCheck
from serving.models.warm_up import load_engine
from serving.settings import ServingSettings
from serving.threads import in_thread

_log = logging.getLogger(__name__)
_LONGEST_PAUSE_SECONDS = 60.0
_KEPT_ENDED = 10
_MOST_FAILURES = 10  # counted


class State(IntEnum):
    """States of a version, by their numbers in TensorFlow Serving's ModelVersionStatus."""

    START = 10
    LOADING = 20
    AVAILABLE = 30
    UNLOADING = 40
    END = 50


@dataclass
class Version:
    """A version of a model, at some point of its life.

    Attributes:
        model: Name of the model.
        number: The version.
        state: Where it is.
        code: OK, or why it has ended.
        message: The same in words.
    """

    model: str
    number: int
    state: State = State.START
    code: Code = Code.OK
    message: str = ""
    n_failures: int = field(default=0, repr=False)
    retry_at: float = field(default=0.0, repr=False)
    seen: Fingerprint | None = field(default=None, repr=False)
    """The files at the last look."""
    tried: Fingerprint | None = field(default=None, repr=False)
    """The files when they were last loaded, whatever came of it."""

    def is_due(self, files: Fingerprint) -> bool:
        """Whether to load it: at first, when its files have changed and rest, after a pause."""
        is_at_rest, self.seen = files == self.seen, files
        if self.tried is None or (files != self.tried and is_at_rest):
            return True
        return self.n_failures > 0 and time.monotonic() >= self.retry_at


class ServedVersion:
    """A version that answers, for as long as it is held: `with catalog.find(name) as served`."""

    def __init__(
        self, version: Version, engine: Engine, batcher: Batcher, columns: Mapping[str, Column]
    ) -> None:
        """Keeps its parts."""
        self.model = version.model
        self.number = version.number
        self.engine = engine
        self.batcher = batcher
        self.columns = columns
        self.value_check = ValueCheck(columns)
        self._n_holders = 0
        self._is_free = asyncio.Event()
        self._is_free.set()

    def __enter__(self) -> "ServedVersion":
        self._n_holders += 1
        self._is_free.clear()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._n_holders -= 1
        if not self._n_holders:
            self._is_free.set()

    async def close(self) -> None:
        """Waits until nobody holds it, and frees it."""
        await self._is_free.wait()
        await self.batcher.close()
        await in_thread(self._free)

    def _free(self) -> None:
        self.engine.close()
        # A TensorFlow graph is a knot of references, which would lie about until the next
        # collection of the oldest generation; and what each thread that loads has freed stays with
        # the allocator unless asked for.
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)


class Catalog:
    """The models of a server and their versions; all of it belongs to one event loop."""

    def __init__(
        self,
        folders: Mapping[str, Path],
        settings: ServingSettings,
        make_on_batch: Callable[[str, Mapping[str, Column]], OnBatch],
        *,
        on_load: Callable[[str, int, float, bool], None] = lambda *_: None,
    ) -> None:
        """Loads nothing yet.

        Args:
            folders: Model name to the folder of its versions.
            settings: Which versions to serve, and how.
            make_on_batch: Given a model's name and its columns, makes what is told of each call of
                a version of it.
            on_load: Told of each attempt to load a version: its model, its number, the seconds it
                took, and whether it is served.
        """
        self._folders = folders
        self._settings = settings
        self._make_on_batch = make_on_batch
        self._on_load = on_load
        self._versions: dict[str, dict[int, Version]] = {name: {} for name in folders}
        self._served: dict[str, dict[int, ServedVersion]] = {name: {} for name in folders}
        self._closing: set[asyncio.Task[None]] = set()
        self._polling: list[asyncio.Task[None]] = []
        self.is_draining = False  # the server answers for the last time, and says so

    @property
    def models(self) -> Iterable[str]:
        """The names of the models."""
        return self._folders

    @property
    def served(self) -> list[ServedVersion]:
        """The versions that answer."""
        return [served for versions in self._served.values() for served in versions.values()]

    @property
    def is_ready(self) -> bool:
        """Whether every model has a version that answers, and the server goes on."""
        return not self.is_draining and all(self._served.values())

    async def start(self) -> None:
        """Loads what is there, and goes on looking for new versions until `close`."""
        # What is imported stays: without it, to collect a model's remains takes a tenth of the
        # time, in which no request is answered.
        gc.freeze()
        await self.poll()
        self._polling = [asyncio.create_task(self._poll_forever(model)) for model in self._folders]

    async def close(self) -> None:
        """Looks no more, and frees all versions once their requests are answered.

        A version that hangs is left behind after `limits.timeout_seconds`.
        """
        for polling in self._polling:
            polling.cancel()
        await asyncio.gather(*self._polling, return_exceptions=True)
        for model, served in self._served.items():
            for number in list(served):
                self._unload(self._versions[model][number])
        if self._closing:
            await asyncio.wait(self._closing, timeout=self._settings.limits.timeout_seconds)

    def find(
        self, model: str, version: int | None = None, label: str | None = None
    ) -> ServedVersion:
        """Finds who answers.

        Args:
            model: Name of the model.
            version: Its version; None: the newest that answers, unless there is a label.
            label: A name from `versions.labels`.

        Raises:
            ServingError: NOT_FOUND, if it is not served; INVALID_ARGUMENT, of an unknown label.
        """
        if label is not None:
            version = self._version_of(model, label)
        served = self._served.get(model, {})
        if version is None and served:
            return served[max(served)]
        if version is not None and version in served:
            return served[version]
        which = f"Latest({model})" if version is None else f"Specific({model}, {version})"
        raise ServingError(Code.NOT_FOUND, f"Servable not found for request: {which}")

    def statuses(
        self, model: str, version: int | None = None, label: str | None = None
    ) -> list[Version]:
        """Lists what became of the versions of a model, the newest first.

        Raises:
            ServingError: NOT_FOUND, if there is none; INVALID_ARGUMENT, of an unknown label.
        """
        if label is not None:
            version = self._version_of(model, label)
        known = self._versions.get(model, {})
        found = [
            known[number] for number in sorted(known, reverse=True) if version in (None, number)
        ]
        if not found and (version is not None or model not in self._folders):
            numbered = "" if version is None else f" with version {version}"
            raise ServingError(
                Code.NOT_FOUND, f"Could not find any versions of model {model}{numbered}"
            )
        return found

    async def poll(self) -> None:
        """Looks at every folder once: loads what is new, then lets go what it replaces."""
        await asyncio.gather(*map(self._follow, self._folders))

    async def _poll_forever(self, model: str) -> None:
        while True:
            await asyncio.sleep(self._settings.versions.poll_seconds)
            try:
                await self._follow(model)
            except Exception:
                _log.exception("%s: looking for versions failed", model)

    async def _follow(self, model: str) -> None:
        versions, served = self._versions[model], self._served[model]
        paths = await in_thread(list_versions, self._folders[model])
        policy = self._settings.versions
        numbers = list(paths)
        if policy.policy == "specific":
            numbers = sorted(set(policy.numbers), reverse=True)
        n_wanted = policy.latest if policy.policy == "latest" else math.inf
        # Of the newest, one that is refused leaves its place to the next.
        wanted: set[int] = set()
        tried: set[int] = set()
        for number in numbers:
            if len(wanted) < n_wanted:
                tried.add(number)
                version = versions.setdefault(number, Version(model, number))
                await self._update(version, paths.get(number, self._folders[model] / str(number)))
                wanted |= {number} & served.keys()
        # What answers stays until something else answers in its place.
        for number in [number for number in served if wanted and number not in wanted]:
            self._unload(versions[number])
        ended = [n for n in sorted(versions) if n not in tried and versions[n].state == State.END]
        for number in ended[: max(0, len(ended) - _KEPT_ENDED)]:
            del versions[number]

    async def _update(self, version: Version, path: Path) -> None:
        """Loads a version if its files ask for it; the one that is served stays if they fail."""
        start = time.monotonic()
        problem: ModelLoadError | None = None
        try:
            files = await in_thread(fingerprint, path, self._folders[version.model])
        except ModelLoadError as error:
            files, problem = ((str(error), 0, 0, 0),), error
        is_deleted = not files and version.number in self._served[version.model]
        if is_deleted or not version.is_due(files):
            return
        version.tried = files
        try:
            if problem is not None:
                raise problem
            await self._load(version, path)
        except Exception as error:
            is_known = isinstance(error, ModelLoadError)
            code, text = Code.UNKNOWN, str(error)
            if not is_known:
                code, text = Code.INTERNAL, f"{type(error).__name__}, see the server's log"
            self._refuse(version, code, text)
            _log.error("%s: %s", path, error, exc_info=not is_known)
        else:
            version.n_failures = 0
        seconds = time.monotonic() - start
        self._on_load(version.model, version.number, seconds, not version.n_failures)

    async def _load(self, version: Version, path: Path) -> None:
        served = self._served[version.model]
        if version.number not in served:
            version.state = State.LOADING
        engine, columns = await in_thread(_load, path)
        on_batch = self._make_on_batch(version.model, columns)
        batcher = Batcher(engine, self._settings.batching, on_batch)
        if version.number in served:
            self._close(served.pop(version.number))
        served[version.number] = ServedVersion(version, engine, batcher, columns)
        version.state, version.code, version.message = State.AVAILABLE, Code.OK, ""
        _log.info("%s version %d: serving", version.model, version.number)

    def _refuse(self, version: Version, code: Code, text: str) -> None:
        pause = min(2.0**version.n_failures, _LONGEST_PAUSE_SECONDS)
        version.n_failures = min(version.n_failures + 1, _MOST_FAILURES)
        version.retry_at = time.monotonic() + pause
        if version.number not in self._served[version.model]:
            version.state, version.code, version.message = State.END, code, text

    def _unload(self, version: Version) -> None:
        version.state, version.tried = State.UNLOADING, None

        def end(_: object) -> None:
            if version.state == State.UNLOADING:  # and not wanted again meanwhile
                version.state = State.END
            _log.info("%s version %d: unloaded", version.model, version.number)

        self._close(self._served[version.model].pop(version.number)).add_done_callback(end)

    def _close(self, served: ServedVersion) -> "asyncio.Task[None]":
        task = asyncio.create_task(served.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        return task

    def _version_of(self, model: str, label: str) -> int:
        labels = self._settings.versions.labels
        if label not in labels:
            raise invalid(f"Unrecognized servable version label: {label}")
        return labels[label]


def _load(path: Path) -> tuple[Engine, Mapping[str, Column]]:
    if not path.is_dir():
        raise ModelLoadError("there is no folder of this version")
    try:
        columns = read_columns(path)
    except ValueError as error:
        raise ModelLoadError(str(error).replace(f"{path}/", "")) from None
    return load_engine(path, columns), columns
