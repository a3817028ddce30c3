"""Interrupts whose exception gets lost."""

import os
import signal
from contextlib import suppress

import pytest

from pipeline.run.interrupts import Interrupts


def lose(number: signal.Signals) -> None:
    """Interrupts this process, and swallows the exception, as a library may."""
    with suppress(KeyboardInterrupt):
        os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_heeded_raises_a_lost_interrupt(interrupts: Interrupts, number: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt), interrupts.heeded():
        lose(number)

    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_heeded_without_interrupt_ends_normally(interrupts: Interrupts) -> None:
    with interrupts.heeded():
        done = True

    assert done
