"""Describes columns to their owner: what their cells are, and how many are missing."""

from collections import Counter

from pipeline.data.column_profile import ColumnProfile
from pipeline.data.column_traits import is_few_integers, is_text
from pipeline.data.findings import ColumnSummary, Finding
from tabular.csv.column_rules import quote

KIND_NAMES = {
    "empty": "empty",
    "boolean": "yes or no",
    "integer": "whole numbers",
    "number": "numbers",
    "date": "dates",
    "words": "words",
}
_COMMONEST = 8


def summarize(profile: ColumnProfile, becomes: str, findings: tuple[Finding, ...]) -> ColumnSummary:
    """Makes the summary of a column.

    Args:
        profile: The profile of the column.
        becomes: What it is used as: a kind of feature, or `label`.
        findings: What its owner should know of it.
    """
    return ColumnSummary(
        name=profile.name,
        kind=KIND_NAMES[profile.kind],
        values=_describe_values(profile),
        missing=_describe_missing(profile),
        becomes=becomes,
        findings=findings,
        commonest=_commonest_words(profile),
    )


def describe_column(profile: ColumnProfile) -> str:
    """Describes a column: `12 words, 3 % missing`."""
    missing = _describe_missing(profile)
    return ", ".join([_describe_values(profile), *[f"{missing} missing"] * bool(missing)])


def _describe_missing(profile: ColumnProfile) -> str:
    """Says how many cells are missing: `3 %`, or their number if it is below 1 %."""
    percent = 100 * profile.missing / max(profile.rows, 1)
    few = f"{profile.missing:,}" if profile.missing else ""
    return f"{percent:.0f} %" if percent >= 1 else few


def _commonest_words(profile: ColumnProfile) -> tuple[str, ...]:
    """Lists the most frequent words, first to last; none if only a sample of them is counted."""
    if profile.kind != "words" or not profile.values or is_text(profile):
        return ()
    return tuple(word for word, _ in Counter(profile.values).most_common(_COMMONEST))


def _describe_values(profile: ColumnProfile) -> str:
    """Describes the filled cells: `12 words`."""
    if profile.kind == "empty":
        return "empty"
    if profile.kind == "date":
        return "dates"
    if profile.kind == "boolean":
        return " or ".join(map(quote, sorted(profile.values or ())))
    if profile.kind in ("integer", "number") and profile.least is not None:
        numbers = KIND_NAMES[profile.kind]
        is_few = profile.kind == "integer" and is_few_integers(profile)
        count = f"{profile.distinct:,} {numbers}" if is_few else numbers
        digits = ".15g" if profile.kind == "integer" else "g"
        return f"{count}, {profile.least:{digits}} to {profile.greatest:{digits}}"
    what = "text" if is_text(profile) else "word"
    if profile.values is None:
        return f"about {_round(profile.distinct):,} {what}s"
    return f"{profile.distinct:,} {what}{'s' * (profile.distinct != 1)}"


def _round(number: int) -> int:
    """Rounds to two digits, as the estimate is not more precise."""
    return int(float(f"{number:.1e}"))
