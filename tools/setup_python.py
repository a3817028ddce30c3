"""Finds Python 3.10."""

import os
import sys
from pathlib import Path
from typing import Iterator, Optional

from setup_commands import numbers, on_path, output

# For a virtual environment, prints the Python that it was made with, which outlives it.
ASK_PYTHON = """
import sys
print(sys.implementation.name, *sys.version_info[:2])
print(sys.executable if sys.prefix == sys.base_prefix else sys.base_prefix + "/bin/python3.10")
"""


def find_python() -> Optional[str]:
    """Returns a CPython 3.10 of this machine that runs, or None.

    Each one is tried: pyenv's ``python3.10``, for example, fails if 3.10 is installed but not
    selected.
    """
    for candidate in python_candidates():
        lines = output([candidate, "-c", ASK_PYTHON]).splitlines()
        if len(lines) == 2 and lines[0] == "cpython 3 10":
            return lines[1]
    return None


def python_candidates() -> Iterator[str]:
    """Yields candidates for Python 3.10: from PATH, this one, then pyenv's, newest first."""
    yield from on_path("python3.10")
    yield sys.executable
    for pyenv in (os.environ.get("PYENV_ROOT"), os.path.expanduser("~/.pyenv")):
        found = Path(pyenv).glob("versions/3.10*/bin/python3.10") if pyenv else []
        yield from sorted(map(str, found), key=numbers, reverse=True)


def this_python() -> str:
    """Returns the running Python, or the one that its virtual environment was made with."""
    in_venv = sys.prefix != sys.base_prefix
    return os.path.join(sys.base_prefix, "bin", "python3") if in_venv else sys.executable
