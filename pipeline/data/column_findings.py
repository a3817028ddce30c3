"""What a column's profile shows besides its kind, as findings for the user."""

from collections.abc import Callable, Iterator

from pipeline.data.column_profile import ColumnProfile
from pipeline.data.findings import Finding
from tabular.csv.column_rules import quote
from trainer.settings.features import Datetime, Feature, Numeric

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


def _long_tail(_: ColumnProfile, feature: Feature) -> Iterator[Finding]:
    if isinstance(feature, Numeric) and feature.scale == "log1p":
        yield Finding("a few large numbers: their logarithm is learned")


_FINDERS: tuple[Finder, ...] = (_ambiguous_dates, _long_tail)
