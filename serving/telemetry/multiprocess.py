"""Metrics of several worker processes, shared through files in a folder; no TensorFlow."""

import os

from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

MULTIPROCESS_DIR = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable with the folder; prometheus_client reads it when it is imported."""


def choose_registry(registry: CollectorRegistry) -> CollectorRegistry:
    """Returns a registry of all processes if there are several, else that of this process."""
    if MULTIPROCESS_DIR not in os.environ:
        return registry
    shared = CollectorRegistry()
    MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
    return shared


def drop_process(pid: int, metrics_dir: str) -> None:
    """Removes the gauges of a process that has died."""
    mark_process_dead(pid, metrics_dir)  # type: ignore[no-untyped-call]
