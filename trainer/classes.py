"""The classes of the label: the file that lists them, and the order that gives each its id."""

import re
from collections.abc import Iterable

CLASSES_FILE = "classes"
"""Name of the file with one class name per line; the line number, from 0, is the class id.

It is an asset of the transform graph, and is copied to `assets.extra` of the exported model, where
it can be read without loading the graph.
"""


def class_order(word: bytes) -> tuple[bool, int, bytes]:
    """Computes the sort key of a class: whole numbers by value, then other words by their bytes."""
    is_number = re.fullmatch(rb"-?[0-9]+", word) is not None
    return (not is_number, int(word) if is_number else 0, word)


def order_classes(words: Iterable[bytes], positive: str | None = None) -> list[bytes]:
    """Sorts class names by `class_order`, with the positive class, if any, at the end."""
    last = None if positive is None else positive.encode()
    return sorted(words, key=lambda word: (word == last, class_order(word)))


def number_class_name(text: str) -> str:
    """Normalizes the text of a number to a class name: `01` and `1.0` to 1, `0.50` to 0.5.

    Raises:
        ValueError: If the text is not a number.
    """
    try:
        return str(int(text))
    except ValueError:
        number = float(text)
    return str(int(number)) if number.is_integer() else f"{number:g}"
