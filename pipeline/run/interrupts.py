"""Ctrl-C and SIGTERM: remembered, and raised again until the run reacts.

The KeyboardInterrupt that a signal raises can get lost: Python drops exceptions in finalizers and
callbacks of weak references, and a library may turn it into another error.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_REPEAT_SECONDS = 1.0


class Interrupts:
    """Raises KeyboardInterrupt on either signal, every second until it is acknowledged.

    Attributes:
        received: Whether a signal has arrived.
    """

    def __init__(self) -> None:
        """Installs handlers for both signals, and for SIGALRM, which repeats them."""
        self.received = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
            signal.signal(number, self._interrupt)

    def acknowledge(self) -> None:
        """Stops raising: the exception has been caught."""
        signal.setitimer(signal.ITIMER_REAL, 0)

    @contextmanager
    def heeded(self) -> Iterator[None]:
        """Ends a block with KeyboardInterrupt if a signal arrived, even if its exception got lost.

        Raises:
            KeyboardInterrupt: If a signal arrived; it is acknowledged.
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
