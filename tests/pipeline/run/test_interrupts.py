"""Interrupts that get lost."""

import os
import signal
from contextlib import suppress

import pytest

from pipeline.run.interrupts import Interrupts


def lose(number: signal.Signals) -> None:
    """Interrupts this process, and keeps the exception to itself, as a library may."""
    with suppress(KeyboardInterrupt):
        os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_heeded_ends_by_an_interrupt_that_was_lost_on_its_way(
    interrupts: Interrupts, number: signal.Signals
) -> None:
    with pytest.raises(KeyboardInterrupt), interrupts.heeded():
        lose(number)

    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_heeded_lets_what_is_not_interrupted_end_well(interrupts: Interrupts) -> None:
    with interrupts.heeded():
        done = True

    assert done
