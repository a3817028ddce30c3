"""Which Beam runner works for a run, and on how much data: what the user is told of the choice."""

import os
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

from pipeline.config import Config
from pipeline.data_files import find_files

_GZIP_SUFFIX = ".gz"
_LENGTH_BYTES = 4
"""At the end of a gzipped file: its length before, modulo 2**32."""
_UNITS = ("bytes", "KB", "MB", "GB", "TB")
_STEP = 1000


def describe_choice(config: Config) -> str:
    """Says which runner works, and for `auto` for how much data on how many processors.

    Args:
        config: The configuration, its files being there.

    Raises:
        DataError: If there are no files.
    """
    if config.beam.runner != "auto":
        return config.beam.runner
    paths = list(chain.from_iterable(find_files(config).values()))
    processors = _count(len(os.sched_getaffinity(0)), "processor")
    workers = f" with {' '.join(config.beam.args)}" if config.beam.args else ""
    return (
        f"in this process{workers}, for {_say_bytes(csv_bytes(paths))} of CSV in"
        f" {_count(len(paths), 'file')}, on {processors}"
    )


def csv_bytes(paths: Iterable[str]) -> int:
    """Adds up the sizes of files, of a gzipped one that before (of 4 GiB and more, the rest)."""
    return sum(
        _length_before(path) if path.endswith(_GZIP_SUFFIX) else os.path.getsize(path)
        for path in paths
    )


def _length_before(path: str) -> int:
    with Path(path).open("rb") as file:
        file.seek(max(0, os.path.getsize(path) - _LENGTH_BYTES))
        return int.from_bytes(file.read(), "little")


def _say_bytes(n_bytes: float) -> str:
    for unit in _UNITS:
        if n_bytes < _STEP or unit == _UNITS[-1]:
            break
        n_bytes /= _STEP
    return f"{n_bytes:.3g} {unit}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
