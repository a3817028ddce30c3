"""What a column's profile shows besides its kind, as findings for the user."""

import re
from collections.abc import Callable, Iterator

from pipeline.data.column_profile import ColumnProfile
from pipeline.data.findings import Finding
from tabular.csv.column_rules import quote
from trainer.settings.date_format import NAMED_FORMATS, has_code
from trainer.settings.features import Datetime, Feature, Ignore, Numeric
from trainer.settings.words import Tags, Text

Finder = Callable[[ColumnProfile, Feature], Iterator[Finding]]
"""Yields findings about a column and the feature that was chosen for it."""


def find_in_column(profile: ColumnProfile, feature: Feature) -> tuple[Finding, ...]:
    """Collects all findings about a column.

    Args:
        profile: The profile of the column.
        feature: The feature that was chosen for it.
    """
    return tuple(finding for find in _FINDERS for finding in find(profile, feature))


def _ambiguous_dates(profile: ColumnProfile, feature: Feature) -> Iterator[Finding]:
    others = profile.date_formats[1:]
    if isinstance(feature, Datetime) and others:
        yield Finding(f"read as {quote(feature.format)}; {quote(others[0])} fits too", look=True)


def _constant_parts(profile: ColumnProfile, feature: Feature) -> Iterator[Finding]:
    if isinstance(feature, Datetime):
        has_time = profile.longest > len("2024-05-01")
        if feature.format not in NAMED_FORMATS:
            has_time = has_code(feature.format, "HI")
        given = ("year", "month", *(["hour"] if has_time else []))
        constant = [part for part in given if part not in profile.varying_parts]
        if constant:
            yield Finding(f"never changes, so left out: {', '.join(constant)}")


def _mixed_dates(profile: ColumnProfile, _: Feature) -> Iterator[Finding]:
    if profile.mixed_dates:
        formats = " and ".join(map(quote, profile.mixed_dates))
        yield Finding(f"dates in several formats, {formats}: write them in one", look=True)


def _zone_names(_: ColumnProfile, feature: Feature) -> Iterator[Finding]:
    name = re.search(r" [A-Z]{2,5}$", feature.format) if isinstance(feature, Datetime) else None
    if name:
        yield Finding(f"the clock of {name[0].strip()} is taken as it is, without an offset")


def _leading_zeros(profile: ColumnProfile, _: Feature) -> Iterator[Finding]:
    if profile.has_leading_zeros:
        yield Finding("whole numbers with zeros before them stay words")


def _long_tail(_: ColumnProfile, feature: Feature) -> Iterator[Finding]:
    if isinstance(feature, Numeric) and feature.scale == "log1p":
        yield Finding("a few large numbers: their logarithm is learned")


def _several_words(profile: ColumnProfile, feature: Feature) -> Iterator[Finding]:
    if isinstance(feature, Tags) and profile.tags is not None:
        count = f"{'at least ' * (profile.values is None)}{profile.tags.tags:,}"
        mark = f" with weights after {quote(feature.weight_separator or '')}"
        weights = mark if feature.weight_separator is not None else ""
        yield Finding(f"{count} tags between {quote(feature.separator)}{weights}, in any order")
    if isinstance(feature, Text) and profile.text_words is not None:
        yield Finding(
            f"text of {profile.text_words:.0f} words on average: words and pairs are learned"
        )


def _misfits(profile: ColumnProfile, feature: Feature) -> Iterator[Finding]:
    if profile.misfits and not isinstance(feature, Ignore):
        words = ", ".join(f"{quote(word)} ({count:,})" for word, count in profile.misfits.items())
        kind, setting = "numbers", "of the column in data.csv.numbers"
        if isinstance(feature, Datetime):
            kind, setting = "dates", "in data.csv.null_values"
        yield Finding(
            f"{kind} but for {words}: missing values {setting}, or rows for data.quarantine",
            look=True,
        )


_FINDERS: tuple[Finder, ...] = (
    _ambiguous_dates,
    _constant_parts,
    _leading_zeros,
    _long_tail,
    _misfits,
    _mixed_dates,
    _several_words,
    _zone_names,
)
