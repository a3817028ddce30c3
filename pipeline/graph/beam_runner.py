"""What processes a run's data: what `beam.runner: auto` chooses, and what the user is told."""

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
"""At the end of a gzipped file: its length before, modulo 2**32."""
_UNITS = ("bytes", "KB", "MB", "GB", "TB")
_STEP = 1000


@dataclass(frozen=True)
class BeamChoice:
    """What processes the data.

    Attributes:
        args: Options of a Beam pipeline.
        words: The same for the user, of `auto` also on how much data it is.
    """

    args: list[str]
    words: str


def choose_beam(config: Config) -> BeamChoice:
    """Chooses for the size of the input, where the user has left the choice to `auto`.

    Args:
        config: The configuration, its files being there.

    Raises:
        DataError: If there are no files.
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
    """Counts the worker processes that pay for themselves; 0 if this process does better alone.

    Measured on two processors: two workers take 56 s of processor time more than none over four
    thousand rows in four files (72 s against 16 s), 44 s more over ten million in ten (182 s
    against 138 s), and 0.8 GB of memory each. So only their start costs: 7 s for each in each of
    the four data nodes, together as much as the work on 70 MB of CSV. Alone, this process and its
    threads keep 1.4 processors busy.

    Args:
        csv_sizes: Bytes of each file; a worker takes one at a time.
        processors: How many this process may use.
        memory_bytes: What the machine has.
    """
    shares = sum(csv_sizes) / max(_WORKER_CSV_BYTES, *csv_sizes)
    n_workers = int(min(shares, processors, memory_bytes / _WORKER_MEMORY_BYTES, _MOST_WORKERS))
    return n_workers if n_workers >= _FEWEST_WORKERS else 0


def csv_bytes(path: str) -> int:
    """Gives the size of a file, of a gzipped one that before (of 4 GiB and more, the rest)."""
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
