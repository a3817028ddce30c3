"""Rules for the names of columns, and forms of names for places that take fewer characters."""

import re
import unicodedata
from collections.abc import Collection
from typing import Annotated

from pydantic import AfterValidator

MAX_CHARACTERS = 500
"""The longest name of a column; messages, pages and graphs hold it in full."""
ALL_OTHERS = "*"
"""Key in `features` that stands for all columns that are not named there."""
_CONTROL = ("Cc", "Cs", "Zl", "Zp")
"""Unicode's categories of control characters, halves of characters, and line ends."""


def fault_of_name(name: str) -> str | None:
    """Says why a column cannot have a name; None if it can."""
    if name != name.strip():
        return "begins or ends with a blank: leave it out, as it is left out of titles"
    if any(unicodedata.category(character) in _CONTROL for character in name):
        fault = "holds a line end or another control character"
    elif len(name) > MAX_CHARACTERS:
        fault = f"is longer than {MAX_CHARACTERS} characters"
    elif name in ("", ALL_OTHERS):
        fault = "means all other columns" if name else "is empty"
    else:
        return None
    return f"{fault}: rename the column in data.csv.rename"


def _check(name: str) -> str:
    fault = fault_of_name(name)
    if fault is not None:
        raise ValueError(f"a column's name {fault}")
    return name


ColumnName = Annotated[str, AfterValidator(_check)]
"""A setting that names a column."""


def clean_name(title: str) -> str:
    """Makes a valid name of a title that is none; empty if nothing remains."""
    shown = (
        " " if unicodedata.category(character) in _CONTROL else character for character in title
    )
    name = " ".join("".join(shown).split())[:MAX_CHARACTERS].strip()
    return "" if fault_of_name(name) else name


def free_name(name: str, taken: Collection[str]) -> str:
    """Returns the name itself, or with the first of `_2`, `_3` and so on, that is not taken."""
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free


def escape(name: str, allowed: str) -> str:
    """Replaces characters that a place does not take, so that no two names become equal.

    A character becomes its code point in hexadecimal between `.x` and `.`; so does a point that
    would begin such an escape by itself, hence `unescape` gives the name back.

    >>> escape("Width (cm)", "A-Za-z ")
    'Width .x28.cm.x29.'

    Args:
        name: Any text.
        allowed: Characters that stay as they are, written as inside the brackets of a regular
            expression; the point stays in any case. Letters, digits and points must be taken.
    """
    special = rf"[^.{allowed}]|\.(?=x[0-9a-f]+(?:\.|[^.{allowed}]))"
    return re.sub(special, lambda found: escape_one(found[0]), name)


def escape_one(character: str) -> str:
    """Writes a character as `escape` does."""
    return f".x{ord(character):x}."


def unescape(text: str) -> str:
    """Reverses `escape`."""
    return re.sub(r"\.x([0-9a-f]+)\.", lambda found: chr(int(found[1], 16)), text)


def scope_name(name: str) -> str:
    """Makes a name of a column one that TensorFlow takes for a scope of variables.

    Names of letters, digits and `_.-` that begin with a letter or digit stay as they are.
    """
    escaped = escape(name, "A-Za-z0-9_-")
    return escaped if escaped[:1] not in "_-" else escape_one(name[0]) + escaped[1:]
