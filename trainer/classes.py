"""The classes of the label: the file that lists them and their order, which gives each its id."""

import re
from collections.abc import Iterable

CLASSES_FILE = "classes"
"""The label's vocabulary, a word a line; the line number is the class id.

A file of that name is an asset of the transform graph and stands in `assets.extra` of the exported
model, where an evaluator reads it without loading the graph.
"""


def class_order(word: bytes) -> tuple[bool, int, bytes]:
    """Sort key of the classes: whole numbers by value, then all other words alphabetically."""
    is_number = re.fullmatch(rb"-?[0-9]+", word) is not None
    return (not is_number, int(word) if is_number else 0, word)


def order_classes(words: Iterable[bytes], positive: str | None = None) -> list[bytes]:
    """Puts the classes in the order of their ids: by `class_order`, the positive one at the end."""
    last = None if positive is None else positive.encode()
    return sorted(words, key=lambda word: (word == last, class_order(word)))


def number_word(text: str) -> str:
    """Names the class of a number as a file has it: `1`, `01` and `1.0` are 1, and 0.50 is 0.5.

    Raises:
        ValueError: If it is no number.
    """
    try:
        return str(int(text))
    except ValueError:
        number = float(text)
    return str(int(number)) if number.is_integer() else f"{number:g}"
