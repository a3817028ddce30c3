"""Removes what programs write around a table: title lines, Excel's `sep=;`, Ctrl-Z; no TensorFlow.

Line ends stay, so that lines keep their numbers.
"""

import io
import re
from collections.abc import Iterator

_SEPARATOR_LINE = re.compile('"?sep=(.)"?(\r\n|\r|\n|$)', re.IGNORECASE)
_END_MARK = "\x1a"
"""Ctrl-Z, which ends a text file of DOS."""


def separator_of(text: str) -> str | None:
    """Gives the separator that a first line such as `sep=;` names; None if it is another line.

    Args:
        text: The beginning of a file: its first line, or more.
    """
    found = _SEPARATOR_LINE.match(text)
    return found[1] if found else None


def split_lines(chunks: Iterator[str]) -> Iterator[str]:
    """Splits a text into its lines with their line ends, CRLF, CR or LF.

    Args:
        chunks: The text in chunks of any size.
    """
    parts: list[str] = []
    for chunk in chunks:
        parts.append(chunk)
        if "\n" not in chunk and "\r" not in chunk:
            continue
        lines = list(io.StringIO("".join(parts), newline=""))
        parts = [lines.pop()]  # may go on in the next chunk, even after a CR
        yield from lines
    yield from io.StringIO("".join(parts), newline="")


def remove_start(chunks: Iterator[str], skip_lines: int, separator: str) -> Iterator[str]:
    """Removes the text of the first lines, or of a first line that names the separator.

    Args:
        chunks: The text, of which the lines to skip are held in memory.
        skip_lines: Number of lines to remove.
        separator: The separator by which the table is read. A line that names another stays.
    """
    head = next(chunks, "")
    if skip_lines:
        while len(lines := list(io.StringIO(head, newline=""))) <= skip_lines:
            chunk = next(chunks, "")
            if not chunk:
                break
            head += chunk
        ends = (line[len(line.rstrip("\r\n")) :] for line in lines[:skip_lines])
        head = "".join([*ends, *lines[skip_lines:]])
    elif (found := _SEPARATOR_LINE.match(head)) and found[1] == separator:
        head = found[2] + head[found.end() :]
    yield head
    yield from chunks


def remove_end_mark(chunks: Iterator[str]) -> Iterator[str]:
    """Removes Ctrl-Z at the end of a text, before or after its last line end."""
    held = ""
    for chunk in chunks:
        text = held + chunk
        mark = text.find(_END_MARK, len(text.rstrip(f"{_END_MARK}\r\n")))
        held = text[mark:] if mark >= 0 else ""
        yield text[:mark] if mark >= 0 else text
    yield held.replace(_END_MARK, "")
