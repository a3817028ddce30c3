"""Requests merged into batches: whatever came while the model was busy is its next call."""

import asyncio
import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from serving.errors import Code, ServingError
from serving.models.engine import Arrays, Engine, Signature
from serving.settings import BatchingSettings
from serving.threads import in_thread

_log = logging.getLogger(__name__)
_QUICK_SECONDS = 0.0005
_FEW_EXAMPLES = 64
_MOST_TURNS = 16
"""Of the event loop, some 16 us: gRPC takes in one call after another, each some turns apart."""
_CANCELLED = ServingError(Code.CANCELLED, "the request was cancelled")

Outputs = dict[str, NDArray[Any]]
OnBatch = Callable[[Signature, Arrays, int, float], None]
"""Told of each call of the model: signature, merged inputs, number of examples, seconds."""


class _Request(NamedTuple):
    signature: Signature
    inputs: Arrays
    n_examples: int
    key: Hashable
    """What requests have in common that may be merged."""
    future: asyncio.Future[Outputs]

    @property
    def weight(self) -> int:
        """What it counts as among those that wait: one without examples also takes room."""
        return self.n_examples or 1


class Batcher:
    """Calls an engine from threads of its own.

    Few examples of a quick model are answered by the event loop itself, which takes less time than
    to wake a thread and be woken by it. A request that comes alone is answered at once. Where
    requests have been merged, the event loop takes in others until none has come for
    `_MOST_TURNS` of its turns, one less after each request that stayed alone all the same.

    All methods belong to the event loop that made it.
    """

    def __init__(self, engine: Engine, settings: BatchingSettings, on_batch: OnBatch) -> None:
        """Starts the threads.

        Args:
            engine: The model.
            settings: How far requests are merged, and how many may wait.
            on_batch: Called in a thread after each call of the model.
        """
        self._engine = engine
        self._settings = settings
        self._on_batch = on_batch
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self.n_waiting = 0  # examples sent and not answered yet
        self._arrived: list[_Request] = []  # since the event loop looked last
        self._n_turns = 1  # without another request, until they are answered
        self._n_few = min(_FEW_EXAMPLES, settings.max_batch_size)
        self._seconds: dict[str, float] = {}  # that the last call of a signature took
        self._queue: SimpleQueue[_Request | None] = SimpleQueue()
        # Guards what follows: one thread at a time chooses its batch.
        self._choosing = threading.Lock()
        self._waiting: deque[_Request] = deque()
        self._is_open = True
        self._unmergeable: set[str] = set()
        self._workers = [in_thread(self._work) for _ in range(settings.num_batch_threads)]

    def submit(
        self, signature: Signature, inputs: Arrays, n_examples: int
    ) -> asyncio.Future[Outputs]:
        """Asks the model.

        Args:
            signature: One of the model's.
            inputs: Values that its `check` lets pass, and must not change any more.
            n_examples: What `check` has counted.

        Returns:
            All outputs by name, or the ServingError of this request alone, whatever it was merged
            with. If it is done before the request's turn, the model is not asked.

        Raises:
            ServingError: RESOURCE_EXHAUSTED, if too many examples are waiting.
        """
        if self.n_waiting and self.n_waiting + n_examples > self._settings.max_enqueued_examples:
            raise ServingError(
                Code.RESOURCE_EXHAUSTED, f"{self.n_waiting} examples are waiting already"
            )
        future: asyncio.Future[Outputs] = self._loop.create_future()
        key: Hashable = signature.name
        if not signature.is_batched or signature.name in self._unmergeable:
            key = future  # of no other request
        elif signature.has_free_sizes:
            key = (signature.name, *(inputs[name].shape[1:] for name in signature.inputs))
        request = _Request(signature, inputs, n_examples, key, future)
        if self.n_waiting and not self._arrived:
            self._queue.put(request)  # a thread is busy, and will merge what comes meanwhile
        else:
            self._arrived.append(request)
            if len(self._arrived) == 1:
                self._loop.call_soon(self._take_in, 1, self._n_turns)
        self.n_waiting += request.weight
        return future

    async def close(self) -> None:
        """Answers what is waiting, then ends the threads; nothing may be sent any more."""
        self._take_arrived()
        self._queue.put(None)
        await asyncio.gather(*self._workers)

    def _take_in(self, n_seen: int, n_left: int) -> None:
        """Goes on for as many turns without another request, or until it is a batch."""
        n_arrived = len(self._arrived)
        if n_arrived > n_seen:
            n_left = self._n_turns
        if n_left > 1 and self.n_waiting < self._n_few:
            self._loop.call_soon(self._take_in, n_arrived, n_left - 1)
        else:
            self._n_turns = _MOST_TURNS if n_arrived > 1 else max(1, self._n_turns - 1)
            self._take_arrived()

    def _take_arrived(self) -> None:
        """Answers what has come at once if that is little and quick, else leaves it to threads."""
        arrived, self._arrived = self._arrived, []
        n_examples = sum(request.n_examples for request in arrived)
        if (
            n_examples <= self._n_few
            and len({request.key for request in arrived}) == 1
            and self._seconds.get(arrived[0].signature.name, 1) <= _QUICK_SECONDS
        ):
            self._answer(arrived)
        else:
            for request in arrived:
                self._queue.put(request)

    def _work(self) -> None:
        while batch := self._next_batch():
            self._answer(batch)

    def _next_batch(self) -> list[_Request]:
        """Takes the oldest request, and those that go with it; waits for one. Empty: the end."""
        with self._choosing:
            self._receive()
            if not self._waiting:
                return []
            first = self._waiting.popleft()
            batch, n_examples = [first], first.n_examples
            for _ in range(len(self._waiting)):
                request = self._waiting.popleft()
                n_merged = n_examples + request.n_examples
                if request.key == first.key and n_merged <= self._settings.max_batch_size:
                    batch.append(request)
                    n_examples = n_merged
                else:
                    self._waiting.append(request)
            return batch

    def _receive(self) -> None:
        """Takes from the queue what has come, up to a batch; waits if there is nothing to do."""
        n_examples = sum(request.weight for request in self._waiting)
        with contextlib.suppress(Empty):
            while self._is_open and n_examples < self._settings.max_batch_size:
                request = self._queue.get(block=not self._waiting)
                if request is None:
                    self._is_open = False
                else:
                    self._waiting.append(request)
                    n_examples += request.weight

    def _answer(self, requests: Sequence[_Request]) -> None:
        """Asks the model for all at once, and for either half where that fails."""
        live = []
        for request in requests:
            if request.future.done():  # nobody waits any more
                self._send([request], [_CANCELLED])
            else:
                live.append(request)
        if not live:
            return
        try:
            self._send(live, self._call(live))
        except Exception as error:
            if len(live) > 1:
                middle = len(live) // 2
                self._answer(live[:middle])
                self._answer(live[middle:])
                return
            if not isinstance(error, ServingError):
                _log.exception("a call of the model failed")
                error = ServingError(Code.INTERNAL, "the call failed, see the server's log")
            self._send(live, [error])

    def _call(self, requests: Sequence[_Request]) -> list[Outputs]:
        signature = requests[0].signature
        inputs = requests[0].inputs
        if len(requests) > 1:
            inputs = {
                name: np.concatenate([request.inputs[name] for request in requests])
                for name in signature.inputs
            }
        n_examples = sum(request.n_examples for request in requests)
        start = time.perf_counter()
        outputs = self._engine.run(signature, inputs)
        seconds = self._seconds[signature.name] = time.perf_counter() - start
        answers = [outputs]
        if len(requests) > 1:
            if any(len(values) != n_examples for values in outputs.values()):
                self._unmergeable.add(signature.name)  # whatever its shapes promise
                raise ServingError(Code.INTERNAL, "an output has not one entry per example")
            answers = _split(outputs, [request.n_examples for request in requests])
        try:
            self._on_batch(signature, inputs, n_examples, seconds)
        except Exception:
            _log.exception("a call of the model was not counted")
        return answers

    def _send(
        self, requests: Sequence[_Request], answers: Sequence[Outputs | ServingError]
    ) -> None:
        if threading.get_ident() == self._loop_thread:
            self._deliver(requests, answers)
        else:
            self._loop.call_soon_threadsafe(self._deliver, requests, answers)

    def _deliver(
        self, requests: Sequence[_Request], answers: Sequence[Outputs | ServingError]
    ) -> None:
        for request, answer in zip(requests, answers, strict=True):
            self.n_waiting -= request.weight
            if request.future.done():
                continue
            if isinstance(answer, ServingError):
                request.future.set_exception(answer)
            else:
                request.future.set_result(answer)


def _split(outputs: Outputs, sizes: Sequence[int]) -> list[Outputs]:
    answers = []
    end = 0
    for size in sizes:
        begin, end = end, end + size
        answers.append({name: values[begin:end] for name, values in outputs.items()})
    return answers
