"""The classes of the label: the file that lists them and their order, which gives each its id."""

import re

CLASSES_FILE = "classes"
"""The label's vocabulary, a word a line; the line number is the class id.

A file of that name is an asset of the transform graph and stands in `assets.extra` of the exported
model, where an evaluator reads it without loading the graph.
"""


def class_order(word: bytes) -> tuple[bool, int, bytes]:
    """Sort key of the classes: whole numbers by value, then all other words alphabetically."""
    is_number = re.fullmatch(rb"-?[0-9]+", word) is not None
    return (not is_number, int(word) if is_number else 0, word)
