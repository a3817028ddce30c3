"""Samples processor, memory and disk use during a run."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tracking.events import Samples, to_line

_MEGABYTE = 1e6


@contextmanager
def sampling(
    period_seconds: float | None, path: Path, on_samples: Callable[[Samples], None]
) -> Iterator[None]:
    """Samples in a thread until the block ends.

    Args:
        period_seconds: Time between samples; None takes no samples.
        path: File for the samples, one JSON line each; the disk that holds it is measured.
        on_samples: Called with each sample.
    """
    if period_seconds is None:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    done = threading.Event()

    def sample_all() -> None:
        with open(path, "a", encoding="utf-8") as file:
            while not done.wait(period_seconds):
                samples = take_samples(path.parent)
                file.write(to_line(samples))
                file.flush()
                on_samples(samples)

    thread = threading.Thread(target=sample_all, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def take_samples(folder: Path) -> Samples:
    """Measures the machine; the metrics are named like the system metrics of MLflow.

    Args:
        folder: A folder on the disk to measure.

    Returns:
        Processor use since the last call in percent, memory and disk use in percent and in
        megabytes of 10^6 bytes.
    """
    memory, disk = psutil.virtual_memory(), shutil.disk_usage(folder)
    values = {
        "cpu_utilization_percentage": psutil.cpu_percent(),
        "system_memory_usage_megabytes": memory.used / _MEGABYTE,
        "system_memory_usage_percentage": memory.percent,
        "disk_usage_megabytes": disk.used / _MEGABYTE,
        "disk_usage_percentage": 100 * disk.used / disk.total,
    }
    return Samples(
        int(time.time() * 1000), {f"system/{key}": value for key, value in values.items()}
    )
