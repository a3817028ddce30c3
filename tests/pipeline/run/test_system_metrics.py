"""Samples of system metrics."""

import time
from pathlib import Path

import pytest

from pipeline.run.interrupted import read_samples, samples_path
from pipeline.run.system_metrics import sampling, take_samples
from tracking.events import Samples


def test_sampling_writes_each_sample(tmp_path: Path) -> None:
    told: list[Samples] = []

    with sampling(0.02, samples_path(tmp_path / "deep", "run-1"), told.append):
        time.sleep(0.3)

    assert len(told) >= 3
    assert list(read_samples(tmp_path / "deep", "run-1")) == told
    times = [samples.timestamp_ms for samples in told]
    assert times == sorted(times)


def test_sampling_ends_with_the_block(tmp_path: Path) -> None:
    told: list[Samples] = []

    with pytest.raises(ValueError, match="x"), sampling(0.01, tmp_path / "s", told.append):
        raise ValueError("x")
    count = len(told)
    time.sleep(0.05)

    assert len(told) == count


def test_sampling_does_not_wait_for_the_next_sample(tmp_path: Path) -> None:
    start = time.monotonic()

    with sampling(60, tmp_path / "samples", lambda _: None):
        pass

    assert time.monotonic() - start < 5


def test_sampling_without_a_period_does_nothing(tmp_path: Path) -> None:
    told: list[Samples] = []

    with sampling(None, tmp_path / "deep" / "samples", told.append):
        time.sleep(0.05)

    assert told == []
    assert list(tmp_path.iterdir()) == []


def test_take_samples_measures_the_machine(tmp_path: Path) -> None:
    before = time.time()

    samples = take_samples(tmp_path)

    assert before * 1000 - 1 <= samples.timestamp_ms <= time.time() * 1000 + 1
    assert set(samples.values) == {
        "system/cpu_utilization_percentage",
        "system/system_memory_usage_megabytes",
        "system/system_memory_usage_percentage",
        "system/disk_usage_megabytes",
        "system/disk_usage_percentage",
    }
    for name, value in samples.values.items():
        assert 0 <= value <= (100 if name.endswith("percentage") else 1e9), name
    assert samples.values["system/system_memory_usage_megabytes"] > 10  # this process alone
