"""The troubleshooting page has the messages of the program, word for word, and all of them."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.helpers.pages import DOCS_DIR, name_of, read
from tests.helpers.paths import PROJECT_DIR

PACKAGES = ("pipeline", "tracking", "components", "serving", "trainer", "tabular")
HOLE = "\0"
"""Stands for what an f-string puts in."""
USER_ERRORS = {
    "ConfigError",
    "DataError",
    "InputError",
    "ModelError",
    "OutputError",
    "RunNotFoundError",
    "SettingError",
    "StartError",
    "StateError",
    "TrackingError",
    "UserFunctionError",
}
"""Errors whose text users read; in modules of settings a `ValueError` is one as well."""
FEW_CHARS = 8
"""Messages with less text of their own are only made of others."""
ROWS = re.findall(r"^\| (`.*?) \|", read(DOCS_DIR / "troubleshooting.md"), re.MULTILINE)
MESSAGES = [message for row in ROWS for message in re.findall(r"`([^`]+)`", row)]
WITH_A_FILE_OF_THE_USER = "Trainer failed: ... (my_model.py:12)"


@cache
def trees() -> dict[Path, ast.AST]:
    """Parses the modules of the program and its set-up."""
    paths = [path for name in (*PACKAGES, "tools") for path in (PROJECT_DIR / name).rglob("*.py")]
    return {path: ast.parse(read(path)) for path in paths}


def text_of(node: ast.AST) -> str | None:
    """Gives the text of a literal, with holes; None where it is no text."""
    if isinstance(node, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.Constant) else HOLE for part in node.values]
        return "".join(map(str, parts))
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


@cache
def program_texts() -> str:
    """All texts of the program, a line each."""
    texts = (text_of(node) for tree in trees().values() for node in ast.walk(tree))
    return "\n".join(text for text in texts if text is not None)


def raised() -> Iterator[tuple[str, str]]:
    """Yields the file and the text of each error that users read."""
    for path, tree in trees().items():
        errors = USER_ERRORS | ({"ValueError"} if "settings" in str(path) else set())
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in errors:
                for text in filter(None, map(text_of, node.args)):
                    yield name_of(path), text


def pieces(message: str) -> list[str]:
    """Splits a message of the page at what differs from case to case."""
    return [piece.strip(" :;,") for piece in message.split("...")]


def is_on_page(text: str) -> bool:
    """Whether a message of the page, with text of its own, is the text or a part of it."""
    return any(
        all(piece in text for piece in pieces(message))
        and max(map(len, pieces(message))) >= FEW_CHARS
        for message in MESSAGES
    )


RAISED = [
    (file, text)
    for file, text in raised()
    if max(map(len, pieces(text.replace(HOLE, "...")))) >= FEW_CHARS
    and file != "pipeline/settings/reference.py"  # which speaks to who adds a setting
]


def test_program_raises_errors() -> None:
    assert len(RAISED) > 120


@pytest.mark.parametrize("message", [m for m in MESSAGES if m != WITH_A_FILE_OF_THE_USER])
def test_message_is_one_of_the_program(message: str) -> None:
    assert [piece for piece in pieces(message) if piece not in program_texts()] == []


@pytest.mark.parametrize(("file", "text"), RAISED)
def test_error_has_a_remedy(file: str, text: str) -> None:
    assert is_on_page(text), text.replace(HOLE, "...")
