"""Samples of what the machine is doing while a run goes on."""

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
    """Samples in a thread until the block is left.

    Args:
        period_seconds: Time from sample to sample; None samples nothing.
        path: File that keeps the samples, a line each; its disk is the one measured.
        on_samples: Told each.
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
    """Measures the machine, under the names that MLflow gives to its system metrics.

    Args:
        folder: Where the disk is.

    Returns:
        Processor use in percent since the last call, memory and disk use in percent and megabytes
        of 10^6 bytes.
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
