"""Merging of requests into batches: those that arrive while the model runs form the next batch."""

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
_MAX_TURNS = 16
"""Turns of the event loop, about 16 us: gRPC delivers concurrent calls some turns apart."""
_CANCELLED = ServingError(Code.CANCELLED, "the request was cancelled")

Outputs = dict[str, NDArray[Any]]
OnBatch = Callable[[Signature, Arrays, int, float], None]
"""Called after each batch with signature, merged inputs, number of examples and seconds."""


class _Request(NamedTuple):
    signature: Signature
    inputs: Arrays
    n_examples: int
    key: Hashable
    """Requests with equal keys may be merged."""
    future: asyncio.Future[Outputs]

    @property
    def weight(self) -> int:
        """Number of examples for the limit of the queue; at least 1."""
        return self.n_examples or 1


class Batcher:
    """Runs requests on an engine, merged into batches.

    A small batch of a quick model runs on the event loop itself, since waking a thread and being
    woken by it takes longer. Larger or slower ones run in threads.

    A single request runs at once. After requests have been merged, the event loop collects further
    ones until none has arrived for `_MAX_TURNS` of its turns; each request that then stays alone
    reduces this number by one.

    All methods must be called on the event loop that created the batcher.
    """

    def __init__(self, engine: Engine, settings: BatchingSettings, on_batch: OnBatch) -> None:
        """Starts the threads.

        Args:
            engine: The loaded model.
            settings: Limits on the batch and on the queue.
            on_batch: Called after each batch, in the thread that ran it.
        """
        self._engine = engine
        self._settings = settings
        self._on_batch = on_batch
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self.n_waiting = 0  # examples submitted and not answered yet
        self._arrived: list[_Request] = []  # collected by the event loop
        self._n_turns = 1  # turns without a further request after which the collected ones run
        self._n_few = min(_FEW_EXAMPLES, settings.max_batch_size)
        self._seconds: dict[str, float] = {}  # duration of the last batch, by signature
        self._queue: SimpleQueue[_Request | None] = SimpleQueue()
        # Guards the attributes below: one thread at a time chooses its batch.
        self._choosing = threading.Lock()
        self._waiting: deque[_Request] = deque()
        self._is_open = True
        self._unmergeable: set[str] = set()
        self._workers = [in_thread(self._work) for _ in range(settings.num_batch_threads)]

    def submit(
        self, signature: Signature, inputs: Arrays, n_examples: int
    ) -> asyncio.Future[Outputs]:
        """Submits a request.

        Args:
            signature: One of the model's signatures.
            inputs: Values that `Signature.check` has accepted; must not be changed afterwards.
            n_examples: Number of examples that `Signature.check` has returned.

        Returns:
            A future of all outputs by name, or of the ServingError that this request causes; wrong
            requests do not affect others in the batch. A request whose future is cancelled, or has
            an exception set, before its batch is formed does not run.

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
            key = future  # equals no other key
        elif signature.has_free_sizes:
            key = (signature.name, *(inputs[name].shape[1:] for name in signature.inputs))
        request = _Request(signature, inputs, n_examples, key, future)
        if self.n_waiting and not self._arrived:
            self._queue.put(request)  # a thread is busy and will merge the requests that arrive
        else:
            self._arrived.append(request)
            if len(self._arrived) == 1:
                self._loop.call_soon(self._collect, 1, self._n_turns)
        self.n_waiting += request.weight
        return future

    async def close(self) -> None:
        """Answers the waiting requests, then ends the threads; no `submit` may follow."""
        self._run_arrived()
        self._queue.put(None)
        await asyncio.gather(*self._workers)

    def _collect(self, n_seen: int, n_left: int) -> None:
        """Waits for further requests, one turn of the event loop per call, then runs them.

        Args:
            n_seen: Collected requests at the previous turn.
            n_left: Turns to wait if no further request arrives.
        """
        n_arrived = len(self._arrived)
        if n_arrived > n_seen:
            n_left = self._n_turns
        if n_left > 1 and self.n_waiting < self._n_few:
            self._loop.call_soon(self._collect, n_arrived, n_left - 1)
        else:
            self._n_turns = _MAX_TURNS if n_arrived > 1 else max(1, self._n_turns - 1)
            self._run_arrived()

    def _run_arrived(self) -> None:
        """Runs the collected requests here if they are few and quick, else in threads."""
        arrived, self._arrived = self._arrived, []
        n_examples = sum(request.n_examples for request in arrived)
        if (
            n_examples <= self._n_few
            and len({request.key for request in arrived}) == 1
            and self._seconds.get(arrived[0].signature.name, 1) <= _QUICK_SECONDS
        ):
            self._run_batch(arrived)
        else:
            for request in arrived:
                self._queue.put(request)

    def _work(self) -> None:
        while batch := self._next_batch():
            self._run_batch(batch)

    def _next_batch(self) -> list[_Request]:
        """Takes the oldest request and those that can be merged with it, waiting for one if needed.

        Empty after `close`.
        """
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
        """Moves up to a batch of requests from the queue; waits if no request is there."""
        n_examples = sum(request.weight for request in self._waiting)
        with contextlib.suppress(Empty):
            while self._is_open and n_examples < self._settings.max_batch_size:
                request = self._queue.get(block=not self._waiting)
                if request is None:
                    self._is_open = False
                else:
                    self._waiting.append(request)
                    n_examples += request.weight

    def _run_batch(self, requests: Sequence[_Request]) -> None:
        """Runs a batch and sends the responses; if that fails, runs each half by itself."""
        live = []
        for request in requests:
            if request.future.done():  # the client no longer waits
                self._send([request], [_CANCELLED])
            else:
                live.append(request)
        if not live:
            return
        try:
            self._send(live, self._run_engine(live))
        except Exception as error:
            if len(live) > 1:
                middle = len(live) // 2
                self._run_batch(live[:middle])
                self._run_batch(live[middle:])
                return
            if not isinstance(error, ServingError):
                _log.exception("running the model failed")
                error = ServingError(
                    Code.INTERNAL, "running the model failed, see the server's log"
                )
            self._send(live, [error])

    def _run_engine(self, requests: Sequence[_Request]) -> list[Outputs]:
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
        responses = [outputs]
        if len(requests) > 1:
            if any(len(values) != n_examples for values in outputs.values()):
                self._unmergeable.add(signature.name)  # although its shapes say otherwise
                raise ServingError(Code.INTERNAL, "an output does not have one entry per example")
            responses = _split(outputs, [request.n_examples for request in requests])
        try:
            self._on_batch(signature, inputs, n_examples, seconds)
        except Exception:
            _log.exception("counting a batch failed")
        return responses

    def _send(
        self, requests: Sequence[_Request], responses: Sequence[Outputs | ServingError]
    ) -> None:
        if threading.get_ident() == self._loop_thread:
            self._deliver(requests, responses)
        else:
            self._loop.call_soon_threadsafe(self._deliver, requests, responses)

    def _deliver(
        self, requests: Sequence[_Request], responses: Sequence[Outputs | ServingError]
    ) -> None:
        for request, response in zip(requests, responses, strict=True):
            self.n_waiting -= request.weight
            if request.future.done():
                continue
            if isinstance(response, ServingError):
                request.future.set_exception(response)
            else:
                request.future.set_result(response)


def _split(outputs: Outputs, sizes: Sequence[int]) -> list[Outputs]:
    responses = []
    end = 0
    for size in sizes:
        begin, end = end, end + size
        responses.append({name: values[begin:end] for name, values in outputs.items()})
    return responses
