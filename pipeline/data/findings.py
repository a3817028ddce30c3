"""What was found in the data, for a person to read: collected once, shown everywhere.

A `Finding` is made in one place. From there it reaches all that a user reads: the comments that
`init` writes into the YAML, the table of `init` and `validate`, the lines of `run`, and the tag in
MLflow. To add one:

- About a column whose feature is chosen: put what the cells show into `ColumnProfile`, and yield
  the finding from a function in `column_findings.py` that is listed there in `_FINDERS`.
- About the label: yield it from `Labels.findings`, or, if `init` alone should tell of it, from
  `_find_in_label` in `pipeline/init/inspect_label.py`.
- About a whole file, such as its format: yield it where the format is detected, in
  `Sniffed.findings`.

A finding's text is a part of a sentence without a full stop. It names the setting that changes
what was decided, where there is one. With `look`, a person should check the decision: the column is
marked in the table, and `run` says it too.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

LOOK_MARK = "!"
"""Stands before what a person should check."""


@dataclass(frozen=True)
class Finding:
    """Something about a column or file that its owner should be told.

    Attributes:
        text: What was found, and what was decided because of it.
        look: Whether a person should check that decision.
    """

    text: str
    look: bool = False


@dataclass(frozen=True)
class ColumnSummary:
    """A column as a user is told of it.

    Attributes:
        name: The column.
        kind: What kind its cells are of: `words`.
        values: What its cells are: `3 words`.
        missing: How many are missing, as a number or percentage; empty if none are.
        becomes: What it is used as: a kind of feature, `ignore`, or `label`.
        findings: Why, and what else to know of it.
        commonest: The most frequent words, first to last; empty if it holds none.
    """

    name: str
    kind: str
    values: str
    missing: str
    becomes: str
    findings: tuple[Finding, ...] = ()
    commonest: tuple[str, ...] = ()

    @property
    def found(self) -> str:
        """What its cells are and how many are missing: `3 words, 2 % missing`."""
        return f"{self.values}, {self.missing} missing" if self.missing else self.values

    @property
    def needs_look(self) -> bool:
        """Whether a person should check one of its findings."""
        return any(finding.look for finding in self.findings)

    @property
    def is_left_out(self) -> bool:
        """Whether the model does not read it."""
        return self.becomes == "ignore"

    def with_findings(self, further: tuple[Finding, ...]) -> "ColumnSummary":
        """Returns a copy with further findings."""
        return replace(self, findings=(*self.findings, *further))

    @property
    def why(self) -> str:
        """All findings in one text; empty if there are none."""
        return "; ".join(finding.text for finding in self.findings)


@dataclass(frozen=True)
class DataSummary:
    """All columns as a user is told of them, and what concerns more than a column.

    Attributes:
        columns: The columns, in the order of the files.
        findings: Findings about whole files.
    """

    columns: tuple[ColumnSummary, ...] = ()
    findings: tuple[Finding, ...] = ()

    def with_findings(
        self, found: Mapping[str, tuple[Finding, ...]], kinds: Mapping[str, str]
    ) -> "DataSummary":
        """Returns a copy with further findings of columns.

        Args:
            found: Column to its further findings.
            kinds: Kind of feature of each of these columns; those that are not yet in the summary
                have been configured by the user.
        """
        columns = [column.with_findings(found.get(column.name, ())) for column in self.columns]
        known = {column.name for column in columns}
        columns += [
            ColumnSummary(name, "", "as configured", "", kinds[name], findings)
            for name, findings in found.items()
            if name not in known
        ]
        return replace(self, columns=tuple(columns))

    def lines(self) -> Iterator[str]:
        """Yields the sentences for places without a table: what was chosen, left out and odd."""
        counts = Counter(
            column.becomes for column in self.columns if column.becomes not in ("ignore", "label")
        )
        if counts:
            yield f"chosen: {', '.join(f'{count} {kind}' for kind, count in counts.items())}"
        for column in self.columns:
            if column.is_left_out:
                yield f"{column.name}: ignored, {column.found}: {column.why}"
            elif column.needs_look:
                yield f"{column.name}: {column.becomes}, {column.found}: {column.why}"
        for finding in self.findings:
            if finding.look:
                yield finding.text
