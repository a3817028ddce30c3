"""Work on files in this process, without Beam, where Beam would do it here too."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import apache_beam as beam

RUNNER_ARG = "--runner=FnApiRunner"
"""Beam's runner inside this process."""
_WORKERS_PREFIX = "--direct_"
"""Of options that give that runner other workers than this thread."""


def is_in_process(beam_args: Sequence[str] | None) -> bool:
    """Whether a Beam pipeline with these options works in this process, by one worker."""
    if not beam_args:
        return True
    return RUNNER_ARG in beam_args and not any(arg.startswith(_WORKERS_PREFIX) for arg in beam_args)


def work_here(do_fn: beam.DoFn, elements: Iterable[Any]) -> Iterator[Any]:
    """Does what a Beam stage would, one element after another.

    A pipeline takes a fifth of a second to begin, and some hundredths for each of its stages.

    Args:
        do_fn: The stage.
        elements: What it takes, each as the one argument of its `process`.

    Yields:
        What it gives.
    """
    do_fn.setup()
    for element in elements:
        yield from do_fn.process(element)
