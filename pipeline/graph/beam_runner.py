"""Chooses how Beam processes the data of a run if `beam.runner` is `auto`."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import psutil

from pipeline.data.files import find_files
from pipeline.settings.config import Config

_FEWEST_WORKERS = 4
_MOST_WORKERS = 16
_WORKER_CSV_BYTES = 100e6
_WORKER_MEMORY_BYTES = 2e9
_GZIP_SUFFIX = ".gz"
_LENGTH_BYTES = 4
"""The last bytes of a gzipped file hold its uncompressed length modulo 2**32."""
_UNITS = ("bytes", "KB", "MB", "GB", "TB")
_STEP = 1000


@dataclass(frozen=True)
class BeamChoice:
    """How Beam processes the data.

    Attributes:
        args: Options of a Beam pipeline.
        text: The choice as shown to the user; with `auto`, also the size of the data.
    """

    args: list[str]
    text: str


def choose_beam(config: Config) -> BeamChoice:
    """Chooses by the size of the data if the user left the choice to `auto`.

    Args:
        config: The configuration.

    Returns:
        The choice.

    Raises:
        DataError: If there are no CSV files.
    """
    beam = config.beam
    if beam.runner != "auto":
        return BeamChoice(beam.pipeline_args, beam.runner)
    paths = list(chain.from_iterable(find_files(config).values()))
    sizes = [csv_bytes(path) for path in paths]
    processors = len(os.sched_getaffinity(0))
    where, args = "in this process", []
    if beam.args:
        where = f"with {' '.join(beam.args)}"
    elif n_workers := count_workers(sizes, processors, psutil.virtual_memory().total):
        where = f"by {n_workers} worker processes"
        args = ["--direct_running_mode=multi_processing", f"--direct_num_workers={n_workers}"]
    return BeamChoice(
        [*beam.pipeline_args, *args],
        f"{where}, for {_say_bytes(sum(sizes))} of CSV in {_count(len(paths), 'file')},"
        f" on {_count(processors, 'processor')}",
    )


def count_workers(csv_sizes: Sequence[int], processors: int, memory_bytes: float) -> int:
    """Computes how many worker processes are worth starting; 0 if this process is faster alone.

    Measured on two processors: compared with no workers, two workers take 56 s more of processor
    time for four thousand rows in four files (72 s and 16 s), 44 s more for ten million rows in ten
    files (182 s and 138 s), and 0.8 GB of memory each. So the cost is that of starting them: 7 s
    for each worker in each of the four data nodes, as much as the work on 70 MB of CSV. Without
    workers, this process keeps 1.4 processors busy with its threads.

    Args:
        csv_sizes: Bytes of each file; a worker processes one file at a time.
        processors: Number of processors that this process may use.
        memory_bytes: Memory of the machine.

    Returns:
        The number of workers, 0 or at least 4.
    """
    shares = sum(csv_sizes) / max(_WORKER_CSV_BYTES, *csv_sizes)
    n_workers = int(min(shares, processors, memory_bytes / _WORKER_MEMORY_BYTES, _MOST_WORKERS))
    return n_workers if n_workers >= _FEWEST_WORKERS else 0


def csv_bytes(path: str) -> int:
    """Finds the uncompressed size of a file; modulo 4 GiB if it is gzipped."""
    n_bytes = os.path.getsize(path)
    if not path.endswith(_GZIP_SUFFIX):
        return n_bytes
    with Path(path).open("rb") as file:
        file.seek(max(0, n_bytes - _LENGTH_BYTES))
        return int.from_bytes(file.read(), "little")


def _say_bytes(n_bytes: float) -> str:
    for unit in _UNITS:
        if n_bytes < _STEP or unit == _UNITS[-1]:
            break
        n_bytes /= _STEP
    return f"{n_bytes:.3g} {unit}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
