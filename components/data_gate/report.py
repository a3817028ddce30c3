"""`findings.json`: problems in the data that did not stop the run, readable without TFDV.

    {"findings": [{"severity": "warning", "split": "eval", "column": "city",
                   "text": "expected one of the schema's 42 words; found..."}],
     "notes": ["drift: not measured, ..."]}

For a distance above its limit, the split is `drift` or `skew`. The column is empty if the whole
split is meant; both are empty if the check before the run warns, of all rows. A note names a check
that could not be made; it is not a finding.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

FINDINGS_FILE = "findings.json"
_LINES_SHOWN = 5


class DataRefusedError(Exception):
    """The data stops the run; the message is written for the user, one line per finding."""


def read_findings(folder: str | Path) -> dict[str, Any]:
    """Reads the findings of a DataGate that let the data pass.

    Args:
        folder: Folder of the `DataFindings` artifact.

    Returns:
        The object described above.
    """
    findings: dict[str, Any] = json.loads(Path(folder, FINDINGS_FILE).read_text("utf-8"))
    return findings


def to_lines(findings: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Writes each finding as one line."""
    for finding in findings:
        yield ": ".join(filter(None, (finding["split"], finding["column"], finding["text"])))


def shorten(lines: Sequence[str]) -> list[str]:
    """Keeps the first five lines, and adds one with the number of the others."""
    more = len(lines) - _LINES_SHOWN
    return [*lines[:_LINES_SHOWN], *([f"and {more:,} more"] if more > 0 else [])]
