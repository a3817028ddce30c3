"""The exposed metrics, parsed like Prometheus does."""

import re
import time
from pathlib import Path

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from serving.errors import Code
from serving.models.columns import Column
from serving.models.engine import Engine
from serving.telemetry.metrics import Metrics
from tests.helpers.served_models import write_model

REQUEST_COUNT = ":tensorflow:serving:request_count"


def read(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """Returns the value of each sample by name and sorted label values."""
    families = text_string_to_metric_families(metrics.expose()[2].decode())
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
    }


def test_requests_are_counted_by_model_and_code() -> None:
    metrics = Metrics(["half"])
    metrics.observe_request("half", "REST", "Predict", Code.OK, 0.001)
    metrics.observe_request("half", "GRPC", "Predict", Code.OK, 0.001)
    metrics.observe_request("half", "REST", "Predict", Code.INVALID_ARGUMENT, 0.001)

    text = metrics.expose()[2].decode()

    assert f"# TYPE {REQUEST_COUNT} counter\n" in text
    assert f'{REQUEST_COUNT}{{model_name="half",status="OK"}} 2.0\n' in text
    assert f'{REQUEST_COUNT}{{model_name="half",status="INVALID_ARGUMENT"}} 1.0\n' in text


def test_latency_uses_tensorflow_serving_buckets() -> None:
    metrics = Metrics(["half"])
    for microseconds in (9, 11, 19, 10**9):
        metrics.observe_request("half", "REST", "Predict", Code.OK, microseconds / 1e6)

    samples = read(metrics)

    name, labels = ":tensorflow:serving:request_latency", ("Predict", "REST", "half")
    buckets = [samples[(f"{name}_bucket", le, *labels)] for le in ("10.0", "18.0", "+Inf")]
    assert buckets == [1, 2, 4]
    assert samples[(f"{name}_count", *labels)] == 4
    assert samples[(f"{name}_sum", *labels)] == pytest.approx(39 + 10**9)


def test_unknown_models_share_one_series() -> None:
    metrics = Metrics(["half"])
    for number in range(100):
        metrics.observe_request(f"invented-{number}", "REST", "Predict", Code.NOT_FOUND, 0.001)

    lines = metrics.expose()[2].decode().splitlines()

    assert [line for line in lines if line.startswith(REQUEST_COUNT)] == [
        f'{REQUEST_COUNT}{{model_name="(unknown)",status="NOT_FOUND"}} 100.0'
    ]


def test_batches_are_measured(tmp_path: Path) -> None:
    engine = Engine(write_model(tmp_path, 1))
    metrics = Metrics(["half"])
    on_batch = metrics.make_on_batch("half", {})
    for n_examples in (1, 3):
        inputs = {"x": np.ones(n_examples, np.float32)}
        on_batch(engine.signatures["serving_default"], inputs, n_examples, 0.0002)
    engine.close()

    samples = read(metrics)

    assert samples["serving_batch_examples_sum", "half"] == 4
    assert samples["serving_batch_examples_bucket", "1.0", "half"] == 1
    latency = ":tensorflow:serving:runtime_latency_sum"
    assert samples[latency, "Predict", "TF1", "half"] == pytest.approx(400)


def test_value_violations_are_counted(tmp_path: Path) -> None:
    engine = Engine(write_model(tmp_path, 1))
    metrics = Metrics(["half"])
    on_batch = metrics.make_on_batch("half", {"x": Column(1.0, required=True, min=0.0, max=5.0)})
    inputs = {"x": np.array([[7.0], [1.0], [np.nan], [9.0]], np.float32)[:, 0]}
    for name in ("serving_default", "matrix"):  # only the first takes raw columns
        on_batch(engine.signatures[name], inputs, 4, 0.001)
    engine.close()

    samples = read(metrics)

    name = "serving_value_violations_total"
    found = {key[1:]: value for key, value in samples.items() if key[0] == name}
    assert found == {("half", "out_of_range", "x"): 2, ("half", "missing", "x"): 1}


def test_loads_versions_and_queues_are_exposed() -> None:
    metrics = Metrics(["half", "empty"])
    metrics.observe_load("half", 4, 0.3, True)
    metrics.observe_load("half", 5, 0.1, False)
    metrics.update_served({("half", 3): 5, ("half", 4): 2})

    samples = read(metrics)

    assert samples["serving_load_seconds_sum", "OK", "half"] == pytest.approx(0.3)
    assert samples["serving_load_seconds_count", "FAILED", "half"] == 1
    assert samples["serving_version", "half"] == 4
    assert samples["serving_version", "empty"] == 0
    assert samples["serving_queue_examples", "half"] == 7


def test_versions_add_no_series() -> None:
    metrics = Metrics(["half"])
    sizes = set()
    for number in range(1, 20):
        metrics.observe_load("half", number, 0.3, True)
        metrics.update_served({("half", number): 0})
        sizes.add(len(read(metrics)))

    assert len(sizes) == 1


def test_observe_request_takes_microseconds() -> None:
    metrics = Metrics(["half"])
    best = 1.0
    for _ in range(20):
        start = time.perf_counter()
        for _ in range(1000):
            metrics.observe_request("half", "REST", "Predict", Code.OK, 0.001)
        metrics.flush()
        best = min(best, (time.perf_counter() - start) / 1000)

    assert best < 20e-6  # about 2e-6 on an idle machine


def test_on_request_is_called_for_each_request() -> None:
    told: list[tuple[object, ...]] = []
    metrics = Metrics(["half"], lambda *request: told.append(request))
    metrics.observe_request("x", "GRPC", "Predict", Code.NOT_FOUND, 0.001)

    assert told == [("x", "GRPC", "Predict", Code.NOT_FOUND, 0.001)]


def test_metric_names_are_valid() -> None:
    metrics = Metrics(["half"])
    metrics.observe_request("half", "REST", "Predict", Code.OK, 0.001)

    names = {key[0] for key in read(metrics)}

    assert all(re.fullmatch(r"[a-zA-Z_:][a-zA-Z0-9_:]*", name) for name in names)
