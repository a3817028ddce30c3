"""The messages on the troubleshooting page are those of the program."""

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest

from tests.helpers.pages import DOCS_DIR, read
from tests.helpers.paths import PROJECT_DIR

SOURCES = ("pipeline", "tracking", "components", "serving", "trainer", "tabular", "tools")
HOLE = "\0"
"""Stands for what an f-string puts in."""
MESSAGES = [
    message
    for row in re.findall(r"^\| (`.*?) \|", read(DOCS_DIR / "troubleshooting.md"), re.MULTILINE)
    for message in re.findall(r"`([^`]+)`", row)
]
WITH_A_FILE_OF_THE_USER = "Trainer failed: ... (my_model.py:12)"


def literals(tree: ast.AST) -> Iterator[str]:
    """Yields the texts of a module, f-strings as a whole with holes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else HOLE for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@cache
def program_texts() -> str:
    """All texts of the program, a line each."""
    paths = [path for name in SOURCES for path in (PROJECT_DIR / name).rglob("*.py")]
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in paths]
    return "\n".join(text for tree in trees for text in literals(tree))


def test_page_has_messages() -> None:
    assert len(MESSAGES) > 50


@pytest.mark.parametrize("message", [m for m in MESSAGES if m != WITH_A_FILE_OF_THE_USER])
def test_message_is_one_of_the_program(message: str) -> None:
    pieces = [piece.strip(" :;,") for piece in message.split("...")]

    assert [piece for piece in pieces if piece not in program_texts()] == []
