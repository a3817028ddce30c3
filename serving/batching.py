"""Requests merged into batches: whatever came while the model was busy is its next call."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.engine import Arrays, Engine, Signature
from serving.errors import Code, ServingError
from serving.settings import BatchingSettings

Outputs = dict[str, NDArray[Any]]
OnBatch = Callable[[Signature, Arrays, int, float], None]
"""Told of each call of the model: signature, merged inputs, number of examples, seconds."""


@dataclass(frozen=True)
class _Request:
    signature: Signature
    inputs: Arrays
    n_examples: int
    key: Hashable
    """What requests have in common that may be merged."""
    future: asyncio.Future[Outputs]


class Batcher:
    """Calls an engine from threads of its own; nothing waits for a batch to fill.

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
        self._queue: SimpleQueue[_Request | None] = SimpleQueue()
        self.n_waiting = 0  # examples sent and not answered yet
        self._threads = [
            threading.Thread(target=self._work, name=f"batches-{i}", daemon=True)
            for i in range(settings.num_batch_threads)
        ]
        for thread in self._threads:
            thread.start()

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
            with. A request that is cancelled before its turn is not computed.

        Raises:
            ServingError: RESOURCE_EXHAUSTED, if too many examples are waiting.
        """
        if self.n_waiting and self.n_waiting + n_examples > self._settings.max_enqueued_examples:
            raise ServingError(
                Code.RESOURCE_EXHAUSTED, f"{self.n_waiting} examples are waiting already"
            )
        self.n_waiting += n_examples
        future: asyncio.Future[Outputs] = self._loop.create_future()
        key: Hashable = signature.name
        if not signature.is_batched:
            key = future  # of no other request
        elif signature.has_free_sizes:
            key = (signature.name, *(inputs[name].shape[1:] for name in signature.inputs))
        self._queue.put(_Request(signature, inputs, n_examples, key, future))
        return future

    async def close(self) -> None:
        """Answers what is waiting, then ends the threads."""
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            await asyncio.to_thread(thread.join)

    def _work(self) -> None:
        waiting: deque[_Request] = deque()
        is_open = True
        while is_open or waiting:
            is_open = self._receive(waiting) and is_open
            if waiting:
                requests = self._take_batch(waiting)
                self._loop.call_soon_threadsafe(self._deliver, requests, self._answer(requests))

    def _receive(self, waiting: deque[_Request]) -> bool:
        """Takes what has come, up to a batch; waits if there is nothing to do. False: the end."""
        n_examples = sum(request.n_examples for request in waiting)
        try:
            while n_examples < self._settings.max_batch_size:
                request = self._queue.get(block=not waiting)
                if request is None:
                    return False
                waiting.append(request)
                n_examples += request.n_examples
        except Empty:
            pass
        return True

    def _take_batch(self, waiting: deque[_Request]) -> list[_Request]:
        """Takes the first request, and of the others those that go with it."""
        first = waiting.popleft()
        batch, n_examples = [first], first.n_examples
        for _ in range(len(waiting)):
            request = waiting.popleft()
            if (
                request.key == first.key
                and n_examples + request.n_examples <= self._settings.max_batch_size
            ):
                batch.append(request)
                n_examples += request.n_examples
            else:
                waiting.append(request)
        return batch

    def _answer(self, requests: Sequence[_Request]) -> list[Outputs | ServingError]:
        """Asks the model for all at once, and for each alone where that fails."""
        live = [request for request in requests if not request.future.cancelled()]
        try:
            merged = iter(self._call(live) if live else [])
        except ServingError as error:
            if len(live) == 1:
                merged = iter([error])
            else:
                merged = iter([answer for one in live for answer in self._answer([one])])
        cancelled = ServingError(Code.CANCELLED, "the request was cancelled")
        alive = {id(request) for request in live}
        return [next(merged) if id(request) in alive else cancelled for request in requests]

    def _call(self, requests: Sequence[_Request]) -> list[Outputs | ServingError]:
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
        self._on_batch(signature, inputs, n_examples, time.perf_counter() - start)
        if len(requests) == 1:
            return [outputs]
        if any(len(values) != n_examples for values in outputs.values()):
            raise ServingError(Code.INTERNAL, "an output has not one entry per example")
        answers: list[Outputs | ServingError] = []
        end = 0
        for request in requests:
            begin, end = end, end + request.n_examples
            answers.append({name: values[begin:end] for name, values in outputs.items()})
        return answers

    def _deliver(
        self, requests: Sequence[_Request], answers: Sequence[Outputs | ServingError]
    ) -> None:
        for request, answer in zip(requests, answers, strict=True):
            self.n_waiting -= request.n_examples
            if request.future.done():
                continue
            if isinstance(answer, ServingError):
                request.future.set_exception(answer)
            else:
                request.future.set_result(answer)
