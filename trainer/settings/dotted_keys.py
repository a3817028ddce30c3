"""Paths to settings, written as one text: `features.age.fill`, `features."sepal.length"`."""

import re
from collections.abc import Iterable

_PART = re.compile(r'"(?:[^"]|"")*"(?=[.=]|\Z)|[^.=]*')
"""A part between quotes, which are doubled inside it; or one without points and `=`."""
_NEEDS_QUOTES = re.compile(r'[.=]|^"|^\s|\s$|^$')


def split_key(text: str) -> tuple[tuple[str, ...], str]:
    """Splits a text that begins with a path.

    >>> split_key('features."sepal.length"=numeric')
    (('features', 'sepal.length'), '=numeric')

    Returns:
        The parts of the path, and what follows: nothing, or the text from the first `=` on that is
        not between quotes.
    """
    parts: list[str] = []
    end = 0
    while True:
        found = _PART.match(text, end)
        assert found is not None, "a part may be empty"
        part, end = found[0], found.end()
        is_quoted = len(part) > 1 and part[0] == part[-1] == '"'
        parts.append(part[1:-1].replace('""', '"') if is_quoted else part)
        if text[end : end + 1] != ".":
            return tuple(parts), text[end:]
        end += 1


def join_key(parts: Iterable[str]) -> str:
    """Writes a path so that `split_key` gives the parts back; quotes parts only where needed."""
    return ".".join(map(_quote, parts))


def _quote(part: str) -> str:
    if not _NEEDS_QUOTES.search(part):
        return part
    return '"{}"'.format(part.replace('"', '""'))
