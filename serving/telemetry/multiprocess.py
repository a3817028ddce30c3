"""Metrics of supervisor and worker processes, shared through files in a folder; no TensorFlow.

The folder must be in the environment before this module is imported.
"""

import os
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from serving.telemetry import MULTIPROCESS_DIR


def choose_registry(registry: CollectorRegistry) -> CollectorRegistry:
    """Returns a registry of all processes that share the folder, else that of this process."""
    if MULTIPROCESS_DIR not in os.environ:
        return registry
    shared = CollectorRegistry()
    MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
    return shared


class SupervisorMetrics:
    """The metrics of the supervisor, which the workers show with theirs."""

    def __init__(self, folder: Path) -> None:
        """Starts at no deaths.

        Args:
            folder: The folder in the environment.
        """
        self._folder = folder
        self._n_restarts = Counter(
            "serving_restarts",
            "Worker processes that died and were replaced.",
            ["reason"],
            registry=CollectorRegistry(),
        )

    def count_death(self, pid: int, reason: str) -> None:
        """Counts a worker that has died, and removes its gauges."""
        self._n_restarts.labels(reason).inc()
        mark_process_dead(pid, str(self._folder))  # type: ignore[no-untyped-call]
