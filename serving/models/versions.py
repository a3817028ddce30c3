"""A version of a model: its state, and what is needed while it is served."""

import asyncio
import ctypes
import gc
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from types import TracebackType

from serving.errors import Code
from serving.models.batching import Batcher
from serving.models.columns import Column
from serving.models.engine import Engine
from serving.models.folders import Fingerprint
from serving.models.value_check import ValueCheck
from serving.threads import in_thread


class State(IntEnum):
    """States of a version, by their numbers in TensorFlow Serving's ModelVersionStatus."""

    START = 10
    LOADING = 20
    AVAILABLE = 30
    UNLOADING = 40
    END = 50


@dataclass
class Version:
    """The state of a version, served or not.

    Attributes:
        model: Name of the model.
        number: Version number.
        state: Current state.
        code: OK, or the code of the error that ended it.
        message: Text of that error; empty without one.
        n_failures: Failed attempts to load it since the last success, counted up to a limit.
        retry_at: Time of the next attempt after a failure, as `time.monotonic()`.
        seen: Its files at the last check.
        tried: Its files at the last attempt to load it; None before the first.
    """

    model: str
    number: int
    state: State = State.START
    code: Code = Code.OK
    message: str = ""
    n_failures: int = field(default=0, repr=False)
    retry_at: float = field(default=0.0, repr=False)
    seen: Fingerprint | None = field(default=None, repr=False)
    tried: Fingerprint | None = field(default=None, repr=False)

    def is_due(self, files: Fingerprint) -> bool:
        """Returns whether to load the version, and remembers its files as `seen`.

        It is loaded when it is new, when its files have changed and then stayed the same between
        two checks, and again when the pause after a failure is over.
        """
        is_at_rest, self.seen = files == self.seen, files
        if self.tried is None or (files != self.tried and is_at_rest):
            return True
        return self.n_failures > 0 and time.monotonic() >= self.retry_at


class ServedVersion:
    """A version that answers requests.

    `with catalog.find(name) as served` keeps it loaded until the block ends.

    Attributes:
        model: Name of the model.
        number: Version number.
        engine: The loaded SavedModel.
        batcher: Runs requests on the engine.
        columns: The raw columns; empty if the model does not describe them.
        value_check: Checks the values of raw columns.
    """

    def __init__(
        self, version: Version, engine: Engine, batcher: Batcher, columns: Mapping[str, Column]
    ) -> None:
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
        """Waits until no `with` block uses the version, then frees it."""
        await self._is_free.wait()
        await self.batcher.close()
        await in_thread(self._free)

    def _free(self) -> None:
        self.engine.close()
        # A TensorFlow graph has reference cycles, which would stay until the next collection of the
        # oldest generation. The allocator keeps freed memory unless asked to return it.
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
