"""Chooses the kind of a feature by the profile of its column."""

from dataclasses import dataclass, replace

from pipeline.data.column_findings import find_in_column
from pipeline.data.column_profile import ColumnProfile
from pipeline.data.column_traits import is_constant, is_few_integers, is_text
from pipeline.data.describe_column import KIND_NAMES, summarize
from pipeline.data.findings import ColumnSummary, Finding
from pipeline.data.row_ids import MAX_DISTINCT_SHARE, find_identity
from pipeline.data.several_words import TagCells
from tabular.csv.column_rules import quote
from trainer.settings.column_names import fault_of_name
from trainer.settings.date_format import NAMED_FORMATS, has_code
from trainer.settings.features import (
    Boolean,
    Categorical,
    DatePart,
    Datetime,
    Feature,
    Ignore,
    Numeric,
)
from trainer.settings.words import Tags, Text

MAX_ONE_HOT = 100
"""Up to this number of words, each has its own input of the network; more are embedded."""
FREE_TEXT_CHARACTERS = 25
"""From this mean length on, words that mostly differ are called free text, else ids."""
MAX_HASH = 2**20
"""The greatest size of a hash. It is a power of 2, two to four times the number of words."""
_LEAST_FILLED = 0.001
"""Share of the cells that must be filled for the column to be of use."""
_DATE_PARTS: tuple[DatePart, ...] = ("year", "month", "day", "day_of_year", "weekday", "hour")
SKEWED = 3.0
"""Beyond this skewness, the logarithm is used; an exponential distribution has 2."""


@dataclass(frozen=True)
class Choice:
    """The feature chosen for a column.

    Attributes:
        feature: The feature.
        summary: What its owner is told of the column; the first finding says why it is ignored, if
            it is.
    """

    feature: Feature
    summary: ColumnSummary

    def told(self, *findings: Finding) -> "Choice":
        """Adds findings behind those that there are."""
        return replace(self, summary=self.summary.with_findings(findings))

    @property
    def found(self) -> str:
        """A short description of the column."""
        return self.summary.found

    @property
    def reason(self) -> str:
        """Why the column is ignored; empty if it is not."""
        return self.summary.findings[0].text if isinstance(self.feature, Ignore) else ""


def make_choice(profile: ColumnProfile, feature: Feature, *findings: Finding) -> Choice:
    """Makes a choice with the given findings, then those that the profile shows."""
    told = (*findings, *find_in_column(profile, feature))
    return Choice(feature, summarize(profile, feature.kind, told))


def leave_out(profile: ColumnProfile, reason: str) -> Choice:
    """Makes the choice to ignore a column for a reason that does not stand in its cells."""
    return make_choice(profile, Ignore(), Finding(reason))


def choose(profile: ColumnProfile, *, is_sample: bool = False) -> Choice:
    """Chooses the feature of a column.

    Args:
        profile: The profile of the column.
        is_sample: Whether there are more rows than in the profile, which may have missing values.
    """
    if reason := _why_useless(profile):
        return make_choice(profile, Ignore(), Finding(reason))
    if identity := find_identity(profile):
        return make_choice(profile, Ignore(), identity)
    feature = _choose_kind(profile, is_sample=is_sample)
    if isinstance(feature, Ignore):
        return make_choice(profile, feature, Finding(_why_too_many_words(profile), look=True))
    return make_choice(profile, feature)


def choose_numeric(profile: ColumnProfile, *, is_sample: bool = False) -> Numeric:
    """Makes a numeric feature, with the logarithm if the distribution has a long tail.

    Missing values are filled with the mean, and get an indicator if the profile has some. Arguments
    are those of `choose`.
    """
    is_skewed = profile.skewness > SKEWED and profile.least is not None and profile.least >= 0
    return Numeric(
        scale="log1p" if is_skewed else "z_score",
        fill="mean" if profile.missing or is_sample else "error",
        missing_indicator=bool(profile.missing),
    )


def choose_categorical(profile: ColumnProfile) -> Categorical:
    """Makes a categorical feature: one-hot for few words, an embedding for more, hashed if many."""
    if profile.values is None:
        size = min(2 ** (profile.distinct.bit_length() + 1), MAX_HASH)
        return Categorical(ids="hash", size=size, encode="embedding")
    return Categorical(encode="one_hot" if profile.distinct <= MAX_ONE_HOT else "embedding")


def _choose_kind(profile: ColumnProfile, *, is_sample: bool) -> Feature:
    if profile.kind == "boolean":
        return Boolean()
    if profile.kind == "date":
        return _choose_datetime(profile)
    if profile.kind == "number" or (profile.kind == "integer" and not is_few_integers(profile)):
        return choose_numeric(profile, is_sample=is_sample)
    is_words = profile.kind == "words" and profile.distinct > 1
    if is_words and profile.tags is not None:
        return _choose_tags(profile.tags)
    if is_text(profile):
        return Text()
    if is_words and profile.distinct_share > MAX_DISTINCT_SHARE:
        return Ignore()
    return choose_categorical(profile)


def _choose_tags(found: TagCells) -> Tags:
    """Makes a feature of tags: one-hot for few, an embedding for more."""
    return Tags(
        separator=found.separator,
        weight_separator=found.weight_separator,
        encode="one_hot" if found.tags <= MAX_ONE_HOT else "embedding",
    )


def _choose_datetime(profile: ColumnProfile) -> Datetime:
    """Makes a date of the parts that vary in the profile."""
    date_format = profile.date_formats[0]
    varying = set(profile.varying_parts)
    if "month" in varying:
        varying.add("day_of_year")
    if date_format not in NAMED_FORMATS and not has_code(date_format, "d"):
        varying -= {"weekday", "day_of_year"}  # of the first of the month, of which nobody spoke
    parts = tuple(part for part in _DATE_PARTS if part in varying)
    return Datetime(format=date_format, parts=parts or ("minute",))


def _why_useless(profile: ColumnProfile) -> str:
    """Explains why nothing can be learned from a column; empty if it can."""
    if fault := fault_of_name(profile.name):
        return f"its name {fault}"
    if profile.kind == "empty":
        return "every cell is empty"
    filled = profile.rows - profile.missing
    if filled < _LEAST_FILLED * profile.rows:
        return f"nearly every cell is empty ({filled:,} of {profile.rows:,} are filled)"
    if is_constant(profile):
        return f"every cell is {quote(next(iter(profile.values or ())))}"
    if profile.kind_but_null_words == "empty":
        return "nothing but null values"
    return ""


def _why_too_many_words(profile: ColumnProfile) -> str:
    if profile.kind_but_null_words != profile.kind:
        words = ", ".join(map(quote, profile.null_words))
        kind = KIND_NAMES[profile.kind_but_null_words]
        return f"would be {kind}, but for {words}: see data.csv.null_values"
    if profile.written_numbers is not None:
        shown = " and ".join(map(quote, profile.written_numbers.examples))
        return f"numbers that are written in different ways, {shown}: see data.csv.numbers"
    has_blanks = any(" " in word.strip() for word in profile.examples)
    is_long = profile.mean_length >= FREE_TEXT_CHARACTERS
    what = "free text" if is_long and has_blanks else "ids"
    return f"{what}: most cells are different"
