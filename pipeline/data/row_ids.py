"""Tells values that identify rows from those that describe them."""

import re
from collections.abc import Sequence

from pipeline.data.column_profile import ColumnProfile
from pipeline.data.findings import Finding

MAX_DISTINCT_SHARE = 0.5
"""A column with more distinct words per row holds ids or free text, which say nothing of others."""
MIN_IN_ORDER = 10
"""Rows from which on numbers are not in order by chance: one in 1.8 million orders of ten rises."""
_EXPECTED_REPEATS = 20
"""Where chance is expected to repeat 20 numbers, it repeats none with probability exp(-20)."""
_PATTERNS = {
    "UUIDs": r"[{(]?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}[)}]?",
    "hex digests": r"(0x)?[0-9a-f]{16,}",
    "e-mail addresses": r"[^@\s]+@[^@\s]+[.][^@\s.]+",
    "web addresses": r"(https?://|www[.])\S+",
    "phone numbers": r"[+(]?[0-9][0-9 ()/.-]{5,}[0-9]",
}
_REGEXES = {what: re.compile(pattern, re.IGNORECASE) for what, pattern in _PATTERNS.items()}
_MATCHING_SHARE = 0.95
_NAMES = "names"
_ID_TITLE = re.compile(
    r"(.*[\W_])?(id|idx|index|key|uuid|guid|row)|id[\W_].*|unnamed: \d+_*|.*[a-z](?-i:I[dD])",
    re.IGNORECASE,
)
_PERSONS = (
    "sur|last|first|full|fore|middle|user|nick|person|customer|client|patient|passenger|employee"
)
_NAME_TITLE = re.compile(rf"(.*[\W_])?({_PERSONS})[\W_]?names?|names?", re.IGNORECASE)


def find_identity(profile: ColumnProfile) -> Finding | None:
    """Finds out whether the cells of a column identify its rows; None if they do not."""
    filled = profile.rows - profile.missing
    # Of many numbers, only those without a point are counted.
    are_counted = profile.kind != "number" or profile.values is not None
    is_different = profile.distinct_share == 1 and are_counted
    may_be_id = profile.is_whole or profile.kind == "words"
    if is_different and may_be_id and _ID_TITLE.fullmatch(profile.name):
        return Finding("an id: all different")
    if profile.is_whole and profile.least is not None and profile.greatest is not None:
        is_numbered = are_numbered(filled, profile.greatest - profile.least + 1)
        if profile.is_monotonic and filled >= MIN_IN_ORDER:
            text = "a row number: whole, never twice, and in the order of the rows"
            return Finding(text, look=not is_numbered)
        if is_different and is_numbered:
            text = "a number given out to the rows: whole, and never twice, though they lie close"
            return Finding(text, look=True)
    are_words = profile.kind == profile.kind_but_null_words == "words"
    if are_words and profile.distinct_share > MAX_DISTINCT_SHARE:
        what = describe_ids(profile.name, profile.examples)
        is_text = what == _NAMES and profile.text_words is not None
        if what and not is_text:
            return Finding(f"{what}: most cells are different", look=what == _NAMES)
    return None


def are_numbered(count: int, span: float) -> bool:
    """Whether whole numbers that are all different were given out, rather than measured.

    Measured numbers repeat by chance, as birthdays do, the more the closer they lie.

    Args:
        count: How many there are.
        span: Greatest minus least, plus 1.
    """
    return count * (count - 1) / 2 > _EXPECTED_REPEATS * span


def describe_ids(title: str, words: Sequence[str]) -> str:
    """Says what words are that are nearly all different: `UUIDs`, `names`; empty if not known.

    Args:
        title: Name of their column.
        words: Some of them.
    """
    for what, regex in _REGEXES.items():
        matching = sum(regex.fullmatch(word) is not None for word in words)
        if matching >= _MATCHING_SHARE * len(words) > 0:
            return what
    return _NAMES if _NAME_TITLE.fullmatch(title) else ""
