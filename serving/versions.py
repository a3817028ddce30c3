"""Which versions of which models are served: found in folders, loaded, swapped, let go."""

import asyncio
import itertools
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from types import TracebackType

from serving.batching import Batcher, OnBatch, Outputs
from serving.columns import Column, read_columns
from serving.engine import Arrays, Engine, Signature
from serving.errors import Code, ModelLoadError, ServingError
from serving.settings import ServingSettings, VersionSettings
from serving.warm_up import load_engine

_log = logging.getLogger(__name__)
_LONGEST_PAUSE_SECONDS = 60.0
_KEPT_ENDED = 10


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

    def submit(
        self, signature: Signature, inputs: Arrays, n_examples: int
    ) -> asyncio.Future[Outputs]:
        """Asks the model, see `Batcher.submit`."""
        return self.batcher.submit(signature, inputs, n_examples)

    async def close(self) -> None:
        """Waits until nobody holds it, and frees it."""
        await self._is_free.wait()
        await self.batcher.close()
        await asyncio.to_thread(self.engine.close)


class Catalog:
    """The models of a server and their versions; all of it belongs to one event loop."""

    def __init__(
        self,
        folders: Mapping[str, Path],
        settings: ServingSettings,
        make_on_batch: Callable[[str, Mapping[str, Column]], OnBatch],
    ) -> None:
        """Loads nothing yet.

        Args:
            folders: Model name to the folder of its versions.
            settings: Which versions to serve, and how.
            make_on_batch: Given a model's name and its columns, makes what is told of each call of
                a version of it.
        """
        self._folders = folders
        self._settings = settings
        self._make_on_batch = make_on_batch
        self._versions: dict[str, dict[int, Version]] = {name: {} for name in folders}
        self._served: dict[str, dict[int, ServedVersion]] = {name: {} for name in folders}
        self._closing: set[asyncio.Task[None]] = set()
        self._polling: asyncio.Task[None] | None = None

    @property
    def models(self) -> Iterable[str]:
        """The names of the models."""
        return self._folders

    @property
    def is_ready(self) -> bool:
        """Whether every model has a version that answers."""
        return all(self._served.values())

    async def start(self) -> None:
        """Loads what is there, and goes on looking for new versions until `close`."""
        await self.poll()
        self._polling = asyncio.create_task(self._poll_forever())

    async def close(self) -> None:
        """Looks no more, and frees all versions once their requests are answered."""
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.gather(self._polling, return_exceptions=True)
        for model, served in self._served.items():
            for number in list(served):
                self._unload(self._versions[model][number])
        await asyncio.gather(*self._closing)

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
        for model, folder in self._folders.items():
            numbers = await asyncio.to_thread(_list_versions, folder)
            await self._follow(model, _choose(numbers, self._settings.versions))

    async def _poll_forever(self) -> None:
        while True:
            await asyncio.sleep(self._settings.versions.poll_seconds)
            try:
                await self.poll()
            except Exception:
                _log.exception("looking for versions failed")

    async def _follow(self, model: str, wanted: list[int]) -> None:
        versions, served = self._versions[model], self._served[model]
        for number in wanted:
            version = versions.setdefault(number, Version(model, number))
            if number not in served and time.monotonic() >= version.retry_at:
                await self._load(version)
        # What answers stays until something that is wanted answers in its place.
        if any(number in served for number in wanted):
            for number in [number for number in served if number not in wanted]:
                self._unload(versions[number])
        ended = [n for n in sorted(versions) if n not in wanted and versions[n].state == State.END]
        for number in ended[: max(0, len(ended) - _KEPT_ENDED)]:
            del versions[number]

    async def _load(self, version: Version) -> None:
        version.state, version.code, version.message = State.LOADING, Code.OK, ""
        path = self._folders[version.model] / str(version.number)
        start = time.monotonic()
        try:
            engine, columns = await asyncio.to_thread(_load, path)
        except ModelLoadError as error:
            pause = min(2.0**version.n_failures, _LONGEST_PAUSE_SECONDS)
            version.n_failures += 1
            version.retry_at = time.monotonic() + pause
            version.state, version.code, version.message = State.END, Code.UNKNOWN, str(error)
            _log.error("%s version %d: %s", version.model, version.number, error)
            return
        on_batch = self._make_on_batch(version.model, columns)
        batcher = Batcher(engine, self._settings.batching, on_batch)
        self._served[version.model][version.number] = ServedVersion(
            version, engine, batcher, columns
        )
        version.state, version.n_failures = State.AVAILABLE, 0
        _log.info(
            "%s version %d: serving, loaded in %.0f ms",
            version.model,
            version.number,
            (time.monotonic() - start) * 1000,
        )

    def _unload(self, version: Version) -> None:
        served = self._served[version.model].pop(version.number)
        version.state = State.UNLOADING

        async def close() -> None:
            await served.close()
            version.state = State.END
            _log.info("%s version %d: unloaded", version.model, version.number)

        task = asyncio.create_task(close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _version_of(self, model: str, label: str) -> int:
        labels = self._settings.versions.labels
        if label not in labels:
            raise ServingError(
                Code.INVALID_ARGUMENT, f"Unrecognized servable version label: {label}"
            )
        return labels[label]


def _load(path: Path) -> tuple[Engine, Mapping[str, Column]]:
    try:
        columns = read_columns(path)
    except ValueError as error:
        raise ModelLoadError(str(error)) from None
    return load_engine(path, columns), columns


def _list_versions(folder: Path) -> list[int]:
    """Lists the versions in a folder, the newest first; none where there is no folder."""
    try:
        names = [entry.name for entry in folder.iterdir() if entry.is_dir()]
    except OSError:
        return []
    return sorted({int(name) for name in names if name.isdecimal()}, reverse=True)


def _choose(numbers: list[int], settings: VersionSettings) -> list[int]:
    """Picks what to serve, the newest first."""
    if settings.policy == "latest":
        return list(itertools.islice(numbers, settings.latest))
    if settings.policy == "specific":
        return sorted(settings.numbers, reverse=True)
    return numbers
