"""Imports of large libraries, without a search for garbage among what they make."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quick_imports() -> Iterator[None]:
    """Holds the garbage collector off while modules are imported.

    Eight thousand modules make millions of objects, all of which stay: looking through them over
    and over takes a fifth of the time of importing TFX. Afterwards they are left out of what is
    looked through.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
