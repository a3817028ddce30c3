"""The pages of the documentation as Markdown, and the blocks of code in them."""

import re
from pathlib import Path

from tests.helpers.paths import PROJECT_DIR

README = PROJECT_DIR / "README.md"
DOCS_DIR = PROJECT_DIR / "docs"
PAGES: tuple[Path, ...] = (
    *sorted(PROJECT_DIR.glob("*.md")),
    *sorted(PROJECT_DIR.glob("examples/*/*.md")),
    *sorted(DOCS_DIR.glob("*.md")),
    *sorted(page for page in DOCS_DIR.glob("*/*.md") if page.parent.name != "bench"),
)
"""README and its like, those of the examples, and the pages below `docs`."""


def read(page: Path) -> str:
    """Reads a page."""
    return page.read_text(encoding="utf-8")


def name_of(page: Path) -> str:
    """Gives the path below the project's folder, which names a page in the tests' ids."""
    return str(page.relative_to(PROJECT_DIR))


def blocks(page: Path, language: str) -> list[str]:
    """Lists the fenced blocks of a language on a page, without their fences."""
    return re.findall(rf"^```{language}\n(.*?)^```$", read(page), re.MULTILINE | re.DOTALL)


def command_lines(start: str) -> list[tuple[str, str]]:
    """Lists the page and the text of each command that begins with a word, without comments."""
    return [
        (name_of(page), re.sub(r"\s+#.*", "", line))
        for page in PAGES
        for block in blocks(page, "sh")
        for line in block.replace("\\\n", " ").splitlines()
        if line.startswith(f"{start} ")
    ]
