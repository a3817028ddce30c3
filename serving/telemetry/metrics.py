"""What the server counts and measures, by TensorFlow Serving's names where it has one.

Several processes tell of each other through files, if PROMETHEUS_MULTIPROC_DIR names their folder
before this module is imported, which `serving.workers` sees to.
"""

import os
from bisect import bisect_left
from collections import Counter as Tally
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from serving.errors import Code
from serving.models.batching import OnBatch
from serving.models.columns import Column
from serving.models.engine import Arrays, Signature
from serving.models.value_check import ValueCheck
from serving.workers import MULTIPROCESS_DIR
from trainer.signatures import SERVING_SIGNATURE

METRICS_PATH = "/monitoring/prometheus/metrics"
_UNKNOWN_MODEL = "(unknown)"
"""Stands for whatever name a client may invent, so that the series stay as many as the models."""
_TF = ":tensorflow:serving:"
_MICROSECONDS = [10 * 1.8**i for i in range(24)]
"""Upper ends of TensorFlow Serving's buckets, up to 7.5 seconds."""
_SECONDS = [0.1 * 2**i for i in range(12)]
_EXAMPLES = [2**i for i in range(13)]
_MOST_PENDING = 10_000

OnRequest = Callable[[str, str, str, Code, float], None]
"""Told of a request: model, REST or GRPC, what was asked, code, seconds."""


class _Histogram(Histogram):
    """Takes many values at a time: one by one, the library's takes 4 us for each."""

    def observe_all(self, values: Sequence[float]) -> None:
        """Adds values."""
        self._sum.inc(sum(values))
        bounds = self._upper_bounds
        for bucket, n_values in Tally(bisect_left(bounds, value) for value in values).items():
            self._buckets[bucket].inc(n_values)


_Series = tuple[_Histogram, Counter | None]
"""What a value goes into, and what counts it beside."""


class Metrics:
    """The metrics of one server.

    What is observed for each request is kept aside, and counted by `flush` or `expose`.
    """

    def __init__(self, models: Iterable[str] = (), on_request: OnRequest | None = None) -> None:
        """Starts at zero.

        Args:
            models: The names that are counted apart.
            on_request: Told of each request as well.
        """
        disable_created_metrics()  # type: ignore[no-untyped-call] # a series beside each, of when it began
        self._models = frozenset(models)
        self._on_request = on_request
        self._registry = registry = CollectorRegistry()
        self._n_requests = Counter(
            f"{_TF}request_count", "Requests.", ["model_name", "status"], registry=registry
        )
        self._request_latency = _Histogram(
            f"{_TF}request_latency",
            "Microseconds from a request to its answer.",
            ["model_name", "API", "entrypoint"],
            buckets=_MICROSECONDS,
            registry=registry,
        )
        self._runtime_latency = _Histogram(
            f"{_TF}runtime_latency",
            "Microseconds of a call of the model, which may answer several requests.",
            ["model_name", "API", "runtime"],
            buckets=_MICROSECONDS,
            registry=registry,
        )
        self._batch_size = _Histogram(
            "serving_batch_examples",
            "Examples in a call of the model.",
            ["model_name"],
            buckets=_EXAMPLES,
            registry=registry,
        )
        self._n_waiting = Gauge(
            "serving_queue_examples",
            "Examples that wait for the model, or are in it.",
            ["model_name"],
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._version = Gauge(
            "serving_version",
            "The newest version that answers, of several processes the oldest of those; 0: none.",
            ["model_name"],
            registry=registry,
            multiprocess_mode="livemin",
        )
        self._load_seconds = _Histogram(
            "serving_load_seconds",
            "Seconds to load a version and warm it up, or to find that it cannot be served.",
            ["model_name", "status"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._violations = Counter(
            "serving_value_violations",
            "Values unlike those of the training.",
            ["model_name", "column", "kind"],
            registry=registry,
        )
        self._of_requests: dict[tuple[str, str, str, Code], _Series] = {}
        self._pending: deque[tuple[_Series, float]] = deque()

    def observe_request(
        self, model: str, entrypoint: str, api: str, code: Code, seconds: float
    ) -> None:
        """Counts a request.

        Args:
            model: The model it names; it need not exist.
            entrypoint: `REST` or `GRPC`.
            api: `Predict`, `Classify`, `Regress`, `GetModelMetadata`, `GetModelStatus`.
            code: What came of it.
            seconds: How long it took.
        """
        key = (model if model in self._models else _UNKNOWN_MODEL, entrypoint, api, code)
        series = self._of_requests.get(key)
        if series is None:
            series = self._of_requests[key] = (
                self._request_latency.labels(key[0], api, entrypoint),
                self._n_requests.labels(key[0], code.name),
            )
        self._observe(series, seconds * 1e6)
        if self._on_request is not None:
            self._on_request(model, entrypoint, api, code, seconds)

    def make_on_batch(self, model: str, columns: Mapping[str, Column]) -> OnBatch:
        """Makes what is told of each call of a version of a model.

        Args:
            model: The model.
            columns: What its raw columns held in training; values unlike those are counted.
        """
        sizes: _Series = (self._batch_size.labels(model), None)
        latencies: dict[str, _Series] = {}
        check = ValueCheck(columns)

        def on_batch(signature: Signature, inputs: Arrays, n_examples: int, seconds: float) -> None:
            self._observe(sizes, n_examples)
            if signature.name not in latencies:
                api = signature.method.rpartition("/")[2].capitalize()
                latencies[signature.name] = self._runtime_latency.labels(model, api, "TF1"), None
            self._observe(latencies[signature.name], seconds * 1e6)
            if signature.name == SERVING_SIGNATURE and columns:
                for (column, kind), n_values in check.count(inputs).items():
                    self._violations.labels(model, column, kind).inc(n_values)

        return on_batch

    def observe_load(self, model: str, number: int, seconds: float, is_loaded: bool) -> None:
        """Counts an attempt to load a version.

        Args:
            model: The model.
            number: The version.
            seconds: How long it took.
            is_loaded: Whether it answers now.
        """
        self._load_seconds.labels(model, "OK" if is_loaded else "FAILED").observe(seconds)

    def show_served(self, waiting: Mapping[tuple[str, int], int]) -> None:
        """Says what is served now.

        Args:
            waiting: Model and version to the number of examples that wait for it, of all that
                answer.
        """
        for model in self._models:
            numbers = [number for name, number in waiting if name == model]
            self._version.labels(model).set(max(numbers, default=0))
            n_waiting = sum(waiting[model, number] for number in numbers)
            self._n_waiting.labels(model).set(n_waiting)

    def flush(self) -> None:
        """Counts what has been observed since the last time."""
        values: defaultdict[_Series, list[float]] = defaultdict(list)
        with suppress(IndexError):  # another thread may have taken the last one
            while True:
                series, value = self._pending.popleft()
                values[series].append(value)
        for (histogram, counter), added in values.items():
            histogram.observe_all(added)
            if counter is not None:
                counter.inc(len(added))

    def expose(self) -> tuple[int, str, bytes]:
        """Gives all of them, of all processes, in Prometheus' text format: status, type, body."""
        self.flush()
        registry = self._registry
        if MULTIPROCESS_DIR in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        # The library ends the name of every counter in `_total`; TensorFlow Serving does not.
        name = f"{_TF}request_count".encode()
        body = generate_latest(registry).replace(name + b"_total", name)
        return 200, CONTENT_TYPE_PLAIN_0_0_4, body

    def _observe(self, series: _Series, value: float) -> None:
        self._pending.append((series, value))
        if len(self._pending) >= _MOST_PENDING:
            self.flush()
