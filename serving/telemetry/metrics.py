"""Prometheus metrics of the server, under TensorFlow Serving's names where it has the same ones.

Several workers share them through files (`serving.telemetry.multiprocess`); the folder must be set
before this module is imported.
"""

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

from serving.errors import Code
from serving.models.batching import OnBatch
from serving.models.columns import Column
from serving.models.engine import Arrays, Signature
from serving.models.value_check import ValueCheck
from serving.telemetry.multiprocess import choose_registry
from trainer.signatures import SERVING_SIGNATURE

METRICS_PATH = "/monitoring/prometheus/metrics"
_UNKNOWN_MODEL = "(unknown)"
"""Label for all other names, so that clients cannot add series by inventing names."""
_TF = ":tensorflow:serving:"
_MICROSECONDS = [10 * 1.8**i for i in range(24)]
"""Upper bounds of TensorFlow Serving's buckets, up to 7.5 seconds."""
_SECONDS = [0.1 * 2**i for i in range(12)]
_EXAMPLES = [2**i for i in range(13)]
_MAX_PENDING = 10_000

OnRequest = Callable[[str, str, str, Code, float], None]
"""Called for each request with the arguments of `Metrics.observe_request`."""


class _Histogram(Histogram):
    """A histogram that takes many values in one call; the library needs 4 us for each value."""

    def observe_all(self, values: Sequence[float]) -> None:
        """Adds the values to the histogram."""
        self._sum.inc(sum(values))
        bounds = self._upper_bounds
        for bucket, n_values in Tally(bisect_left(bounds, value) for value in values).items():
            self._buckets[bucket].inc(n_values)


_Series = tuple[_Histogram, Counter | None]
"""The histogram of a value, and the counter that the value also increments."""


class Metrics:
    """The metrics of one server.

    Values observed for each request are buffered; `flush` and `expose` add them to the metrics.
    """

    def __init__(self, models: Iterable[str] = (), on_request: OnRequest | None = None) -> None:
        """Initializes all metrics.

        Args:
            models: The models that get their own series.
            on_request: Also called for each observed request.
        """
        # Drops the `_created` series, which the library adds to each metric.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._models = frozenset(models)
        self._on_request = on_request
        self._registry = registry = CollectorRegistry()
        self._n_requests = Counter(
            f"{_TF}request_count", "Requests.", ["model_name", "status"], registry=registry
        )
        self._request_latency = _Histogram(
            f"{_TF}request_latency",
            "Microseconds from a request to its response.",
            ["model_name", "API", "entrypoint"],
            buckets=_MICROSECONDS,
            registry=registry,
        )
        self._runtime_latency = _Histogram(
            f"{_TF}runtime_latency",
            "Microseconds to run the model on a batch, which may hold several requests.",
            ["model_name", "API", "runtime"],
            buckets=_MICROSECONDS,
            registry=registry,
        )
        self._batch_size = _Histogram(
            "serving_batch_examples",
            "Examples in a batch.",
            ["model_name"],
            buckets=_EXAMPLES,
            registry=registry,
        )
        self._n_waiting = Gauge(
            "serving_queue_examples",
            "Examples that wait for the model or are being processed.",
            ["model_name"],
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._version = Gauge(
            "serving_version",
            "The newest available version, the lowest one among several workers; 0: none.",
            ["model_name"],
            registry=registry,
            multiprocess_mode="livemin",
        )
        self._load_seconds = _Histogram(
            "serving_load_seconds",
            "Seconds to load a version and warm it up, or until that failed.",
            ["model_name", "status"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._violations = Counter(
            "serving_value_violations",
            "Values that the training data does not allow.",
            ["model_name", "column", "kind"],
            registry=registry,
        )
        self._request_series: dict[tuple[str, str, str, Code], _Series] = {}
        self._pending: deque[tuple[_Series, float]] = deque()

    def observe_request(
        self, model: str, entrypoint: str, api: str, code: Code, seconds: float
    ) -> None:
        """Counts a request.

        Args:
            model: Name of the model in the request, which need not exist.
            entrypoint: `REST` or `GRPC`.
            api: `Predict`, `Classify`, `Regress`, `GetModelMetadata`, `GetModelStatus`, or another
                method of gRPC.
            code: OK or the code of the error.
            seconds: Time from the request to its response.
        """
        key = (model if model in self._models else _UNKNOWN_MODEL, entrypoint, api, code)
        series = self._request_series.get(key)
        if series is None:
            series = self._request_series[key] = (
                self._request_latency.labels(key[0], api, entrypoint),
                self._n_requests.labels(key[0], code.name),
            )
        self._observe(series, seconds * 1e6)
        if self._on_request is not None:
            self._on_request(model, entrypoint, api, code, seconds)

    def make_on_batch(self, model: str, columns: Mapping[str, Column]) -> OnBatch:
        """Makes the function that the batcher of a version calls after each batch.

        Args:
            model: Name of the model.
            columns: The raw columns; values that the training data does not allow are counted.
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
            model: Name of the model.
            number: Version number.
            seconds: Duration of the attempt.
            is_loaded: Whether it succeeded.
        """
        self._load_seconds.labels(model, "OK" if is_loaded else "FAILED").observe(seconds)

    def update_served(self, waiting: Mapping[tuple[str, int], int]) -> None:
        """Sets the gauges of the served versions.

        Args:
            waiting: For each available version, model name and version number to the number of
                examples that wait for it.
        """
        for model in self._models:
            numbers = [number for name, number in waiting if name == model]
            self._version.labels(model).set(max(numbers, default=0))
            n_waiting = sum(waiting[model, number] for number in numbers)
            self._n_waiting.labels(model).set(n_waiting)

    def flush(self) -> None:
        """Adds the buffered values to the metrics."""
        values: defaultdict[_Series, list[float]] = defaultdict(list)
        with suppress(IndexError):  # another thread may have taken the last value
            while True:
                series, value = self._pending.popleft()
                values[series].append(value)
        for (histogram, counter), added in values.items():
            histogram.observe_all(added)
            if counter is not None:
                counter.inc(len(added))

    def expose(self) -> tuple[int, str, bytes]:
        """Returns the metrics of all workers in Prometheus' text format: status, type, body."""
        self.flush()
        # The library ends the name of every counter in `_total`; TensorFlow Serving does not.
        name = f"{_TF}request_count".encode()
        body = generate_latest(choose_registry(self._registry)).replace(name + b"_total", name)
        return 200, CONTENT_TYPE_PLAIN_0_0_4, body

    def _observe(self, series: _Series, value: float) -> None:
        self._pending.append((series, value))
        if len(self._pending) >= _MAX_PENDING:
            self.flush()
