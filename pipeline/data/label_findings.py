"""Tells of labels that a person should look at."""

from collections.abc import Iterator, Sequence

import pyarrow as pa

from pipeline.data.class_names import find_alike
from pipeline.data.findings import Finding
from tabular.csv.column_rules import quote

_SPELLINGS_SHOWN = 3


class BlankFinder:
    """Counts labels that have blanks around them."""

    def __init__(self) -> None:
        """Starts without labels."""
        self._count = 0
        self._spellings: dict[str, None] = {}

    def add(self, labels: pa.StringArray) -> None:
        """Adds labels that have blanks around them, as they are in the file."""
        self._count += len(labels)
        if len(labels) and len(self._spellings) < _SPELLINGS_SHOWN:
            self._spellings |= dict.fromkeys(labels.unique().to_pylist())

    def findings(self) -> Iterator[Finding]:
        """Yields how many there are, and the first of them."""
        if self._count:
            shown = [quote(spelling) for spelling in list(self._spellings)[:_SPELLINGS_SHOWN]]
            yield Finding(
                f"{self._count:,} labels have blanks around them, such as {', '.join(shown)}: they"
                " are read without",
                look=True,
            )


def tell_alike(names: Sequence[str], decimal: str) -> Iterator[Finding]:
    """Yields the classes that may be meant to be one; the arguments are those of `find_alike`."""
    for group in find_alike(names, decimal):
        yield Finding(
            f"the classes {' and '.join(map(quote, group))} are learned as different ones: write"
            " them alike if they are one",
            look=True,
        )
