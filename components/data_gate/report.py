"""`findings.json`: what is wrong with the data that a run goes on with, readable without TFDV.

    {"findings": [{"severity": "warning", "split": "eval", "column": "city",
                   "text": "expected one of the schema's 42 words; found..."}],
     "notes": ["drift: not measured, ..."]}

In place of a split stands `drift` or `skew` where a distance is too great. The column is empty
where a whole split is meant. A note says what could not be found out; it is no finding.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

FINDINGS_FILE = "findings.json"
_LINES_SHOWN = 5


class DataRefusedError(Exception):
    """The data is so wrong that the run stops; the message is for the user, a line per finding."""


def read_findings(folder: str | Path) -> dict[str, Any]:
    """Reads the findings of a gate that has let the data pass.

    Args:
        folder: Folder of the `DataFindings` artifact.

    Returns:
        The object described above.
    """
    findings: dict[str, Any] = json.loads(Path(folder, FINDINGS_FILE).read_text("utf-8"))
    return findings


def to_lines(findings: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Says each finding in a line."""
    for finding in findings:
        yield ": ".join(filter(None, (finding["split"], finding["column"], finding["text"])))


def shorten(lines: Sequence[str]) -> list[str]:
    """Gives the first few lines, and says how many more there are."""
    more = len(lines) - _LINES_SHOWN
    return [*lines[:_LINES_SHOWN], *([f"and {more:,} more"] if more > 0 else [])]
