"""Ctrl-C and SIGTERM, remembered and insisted on.

The exception that a signal raises may be lost: Python drops one that comes up in a finalizer or a
weak reference's callback, and a library may turn it into an error of its own.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_REPEAT_SECONDS = 1.0


class Interrupts:
    """Raises KeyboardInterrupt on either signal, again and again until it is acknowledged.

    Attributes:
        received: Whether one has come.
    """

    def __init__(self) -> None:
        """Takes both signals over, and the timer of SIGALRM to repeat them."""
        self.received = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
            signal.signal(number, self._interrupt)

    def acknowledge(self) -> None:
        """Says that the exception has arrived."""
        signal.setitimer(signal.ITIMER_REAL, 0)

    @contextmanager
    def heeded(self) -> Iterator[None]:
        """Has what is done inside end by KeyboardInterrupt if one has come, be it lost on its way.

        Raises:
            KeyboardInterrupt: If so; it is acknowledged.
        """
        try:
            yield
            if self.received:
                raise KeyboardInterrupt
        except KeyboardInterrupt:
            self.acknowledge()
            raise

    def _interrupt(self, _: int, __: FrameType | None) -> None:
        self.received = True
        signal.setitimer(signal.ITIMER_REAL, _REPEAT_SECONDS)
        raise KeyboardInterrupt
