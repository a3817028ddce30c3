"""Writes into README.md what is made elsewhere: the configuration reference, the benchmarks' table.

python tools/readme.py
"""

from pathlib import Path

from pipeline.settings.reference import make_reference

_PROJECT_DIR = Path(__file__).resolve().parent.parent
README = _PROJECT_DIR / "README.md"
TABLE = _PROJECT_DIR / "docs" / "bench" / "table.md"


def fill(text: str) -> str:
    """Puts the parts between their markers in a text.

    Args:
        text: A Markdown text that holds the markers of both.

    Returns:
        The text with the reference and the table of now.
    """
    text = _put(text, "configuration reference", make_reference())
    return _put(text, "benchmarks", TABLE.read_text("utf-8").strip())


def _put(text: str, name: str, part: str) -> str:
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, rest = text.split(begin)
    after = rest.split(end)[1]
    return f"{before}{begin}\n{part}\n{end}{after}"


if __name__ == "__main__":
    README.write_text(fill(README.read_text("utf-8")), "utf-8")
