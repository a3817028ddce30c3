"""The catalog: finds versions in the models' folders, loads them, and unloads what they replace."""

import asyncio
import gc
import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from serving.errors import Code, ModelLoadError, ServingError, invalid
from serving.models.batching import Batcher, OnBatch
from serving.models.columns import Column, read_columns
from serving.models.engine import Engine
from serving.models.folders import fingerprint, list_versions
from serving.models.versions import ServedVersion, State, Version
from serving.models.warm_up import load_engine
from serving.settings import ServingSettings
from serving.threads import in_thread

_log = logging.getLogger(__name__)
_MAX_PAUSE_SECONDS = 60.0
_MAX_ENDED = 10
"""Versions that have ended and are still listed in the status of their model."""
_MAX_FAILURES = 10
"""Upper end of the count of failures, from which the pause follows."""


class Catalog:
    """The models of a server and their versions; used from one event loop only."""

    def __init__(
        self,
        folders: Mapping[str, Path],
        settings: ServingSettings,
        make_on_batch: Callable[[str, Mapping[str, Column]], OnBatch],
        *,
        on_load: Callable[[str, int, float, bool], None] = lambda *_: None,
    ) -> None:
        """Initializes the catalog; `start` loads the versions.

        Args:
            folders: Model name to the folder of its versions.
            settings: The section `serving`.
            make_on_batch: Takes a model's name and its columns, and returns the function that the
                batcher of a version calls after each batch.
            on_load: Called after each attempt to load a version with model name, version number,
                seconds, and whether the version was loaded.
        """
        self._folders = folders
        self._settings = settings
        self._make_on_batch = make_on_batch
        self._on_load = on_load
        self._versions: dict[str, dict[int, Version]] = {name: {} for name in folders}
        self._served: dict[str, dict[int, ServedVersion]] = {name: {} for name in folders}
        self._closing: set[asyncio.Task[None]] = set()
        self._polling: list[asyncio.Task[None]] = []
        self.is_draining = False  # set by the server when it begins to stop

    @property
    def models(self) -> Iterable[str]:
        """The names of the models."""
        return self._folders

    @property
    def served(self) -> list[ServedVersion]:
        """The available versions."""
        return [served for versions in self._served.values() for served in versions.values()]

    @property
    def is_ready(self) -> bool:
        """Whether every model has an available version and the server is not draining."""
        return not self.is_draining and all(self._served.values())

    async def start(self) -> None:
        """Loads the versions and then polls for new ones until `close`."""
        # Excludes the imported modules from garbage collection. Freeing a model then takes a tenth
        # of the time, in which no request is answered.
        gc.freeze()
        await self.poll()
        self._polling = [asyncio.create_task(self._poll_forever(model)) for model in self._folders]

    async def close(self) -> None:
        """Stops polling and frees all versions once their requests are answered.

        Waits for `limits.timeout_seconds` at most, in case a version hangs.
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
        """Finds a served version.

        Args:
            model: Name of the model.
            version: Version number; None without a label means the newest available one.
            label: A label from `versions.labels`, instead of a number.

        Raises:
            ServingError: NOT_FOUND, if it is not served; INVALID_ARGUMENT, if the label is unknown.
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
        """Lists the states of a model's versions, the newest first.

        Args:
            model: Name of the model.
            version: Version number; None without a label means all versions.
            label: A label from `versions.labels`, instead of a number.

        Raises:
            ServingError: NOT_FOUND, if the model or version is unknown; INVALID_ARGUMENT, if the
                label is unknown.
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
        """Checks every folder once: loads new versions, then unloads those that they replace."""
        await asyncio.gather(*map(self._poll_model, self._folders))

    async def _poll_forever(self, model: str) -> None:
        while True:
            await asyncio.sleep(self._settings.versions.poll_seconds)
            try:
                await self._poll_model(model)
            except Exception:
                _log.exception("%s: looking for versions failed", model)

    async def _poll_model(self, model: str) -> None:
        versions, served = self._versions[model], self._served[model]
        paths = await in_thread(list_versions, self._folders[model])
        policy = self._settings.versions
        numbers = list(paths)
        if policy.policy == "specific":
            numbers = sorted(set(policy.numbers), reverse=True)
        n_wanted = policy.latest if policy.policy == "latest" else math.inf
        # If one of the newest versions cannot be served, an older one is served instead.
        wanted: set[int] = set()
        tried: set[int] = set()
        for number in numbers:
            if len(wanted) < n_wanted:
                tried.add(number)
                version = versions.setdefault(number, Version(model, number))
                await self._update(version, paths.get(number, self._folders[model] / str(number)))
                wanted |= {number} & served.keys()
        # A version that is no longer wanted stays until another one is available.
        for number in [number for number in served if wanted and number not in wanted]:
            self._unload(versions[number])
        ended = [n for n in sorted(versions) if n not in tried and versions[n].state == State.END]
        for number in ended[: max(0, len(ended) - _MAX_ENDED)]:
            del versions[number]

    async def _update(self, version: Version, path: Path) -> None:
        """Loads a version if it is due; if that fails, the loaded one stays available."""
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
        pause = min(2.0**version.n_failures, _MAX_PAUSE_SECONDS)
        version.n_failures = min(version.n_failures + 1, _MAX_FAILURES)
        version.retry_at = time.monotonic() + pause
        if version.number not in self._served[version.model]:
            version.state, version.code, version.message = State.END, code, text

    def _unload(self, version: Version) -> None:
        version.state, version.tried = State.UNLOADING, None

        def end(_: object) -> None:
            if version.state == State.UNLOADING:  # not loaded again in the meantime
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
        raise ModelLoadError("the folder of this version does not exist")
    try:
        columns = read_columns(path)
    except ValueError as error:
        raise ModelLoadError(str(error).replace(f"{path}/", "")) from None
    return load_engine(path, columns), columns
