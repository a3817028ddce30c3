"""Profiles the columns of CSV files, and finds settings by which numbers and dates are read."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline.data.column_profile import ColumnProfile
from pipeline.data.findings import Finding
from pipeline.data.null_words import NULL_WORDS
from pipeline.data.table_profiler import TableProfiler
from pipeline.init.odd_cells import OddCells, find_odd_cells
from pipeline.init.whole_rows import WholeRows
from pipeline.settings.data import CsvSettings
from pipeline.settings.numbers import NumberSettings, from_format
from tabular.csv.column_rules import quote
from tabular.csv.label_cells import trim_label_column
from tabular.csv.plain_numbers import plain_columns

_MOST_PASSES = 4
"""Null values, then formats, then words among numbers may hide what a column is."""


@dataclass(frozen=True)
class ProfiledTable:
    """The columns of a table.

    Attributes:
        profiles: Column to its profile.
        settings: The settings by which the columns were read.
        misfits: Column of numbers or dates to the number of its cells that are something else, and
            not missing values.
        findings: Column to what its owner should know of the way its cells are written.
        broken: Number of rows with too many or few cells, or with bytes that cannot be read.
        row_findings: The first of these rows.
    """

    profiles: Mapping[str, ColumnProfile]
    settings: CsvSettings
    misfits: Mapping[str, int]
    findings: Mapping[str, tuple[Finding, ...]]
    broken: int
    row_findings: tuple[Finding, ...]


def profile_table(paths: Sequence[str], settings: CsvSettings, label: str) -> ProfiledTable:
    """Profiles every column; again while the profiles show settings that read more of the cells.

    Args:
        paths: The CSV files.
        settings: How they are written, without formats of numbers.
        label: The column of the label, around whose cells blanks do not count.

    Raises:
        DataError: If a file is not a table.
    """
    examples: dict[str, str] = {}
    for _ in range(_MOST_PASSES):
        profiles, rows = _profile(paths, settings, label)
        examples |= {
            name: profile.written_numbers.examples[0]
            for name, profile in profiles.items()
            if profile.written_numbers is not None and profile.written_numbers.format is not None
        }
        improved = _improve(settings, profiles.values(), label)
        if improved == settings:
            break
        settings = improved
    misfits = {
        name: sum(each.misfits.values())
        for name, each in profiles.items()
        if each.misfits and not (name == label and each.kind == "date")
    }
    gaps = (name for name, each in settings.numbers.items() if each.may_be_missing)
    has_rare_words = not set(settings.null_values) <= set(NULL_WORDS)
    dates = {
        name: each.date_formats[0]
        for name, each in profiles.items()
        if each.kind == "date" and (name in misfits or has_rare_words)
    }
    odd = find_odd_cells(paths, settings, {*misfits, *gaps} - {*dates}, dates)
    findings = {
        name: tuple(
            _findings(
                examples.get(name, ""), odd.get(name, ()), "date" if name in dates else "number"
            )
        )
        for name in profiles
    }
    return ProfiledTable(
        {name: replace(profile, misfits={}) for name, profile in profiles.items()},
        settings,
        misfits,
        findings,
        rows.broken,
        tuple(rows.findings()),
    )


def _profile(
    paths: Sequence[str], settings: CsvSettings, label: str
) -> tuple[dict[str, ColumnProfile], WholeRows]:
    dialect = settings.dialect
    profiler, rows = TableProfiler(settings.decimal), WholeRows(dialect)
    for path in paths:
        for _, written in rows.read(path):
            trimmed, _ = trim_label_column(written, label, dialect)
            profiler.add(*plain_columns(trimmed, dialect.numbers, dialect.decimal))
    rows.check()
    return profiler.profiles(), rows


def _improve(settings: CsvSettings, profiles: Iterable[ColumnProfile], label: str) -> CsvSettings:
    """Adds the null values and formats that the profiles show."""
    null_words = set(settings.null_values)
    numbers = dict(settings.numbers)
    profiles = list(profiles)
    for profile in profiles:
        if profile.date_formats:
            null_words.update(_null_words_of_dates(profile, profiles))
        format_found = profile.written_numbers and profile.written_numbers.format
        if format_found:
            described = from_format(format_found, settings.decimal)
            numbers[profile.name] = described.model_copy(update={"null_values": profile.null_words})
        elif profile.kind in ("integer", "number"):
            known = numbers.get(profile.name, NumberSettings())
            repeated = [word for word, count in profile.misfits.items() if count > 1]
            null_values = (*known.null_values, *repeated)
            infinite = known.infinite if profile.is_finite else "missing"
            update = {"null_values": null_values, "infinite": infinite}
            if (improved := known.model_copy(update=update)) != NumberSettings():
                numbers[profile.name] = improved
        elif profile.kind_but_null_words not in ("words", "empty") and (
            profile.kind == "words" or profile.name == label
        ):
            null_words.update(profile.null_words)
    words = [word for word in NULL_WORDS if word in null_words]
    words += sorted(null_words - {*words})
    formats = {name: each.model_dump() for name, each in numbers.items()}
    unchanged = settings.model_dump()
    return CsvSettings.model_validate({**unchanged, "null_values": words, "numbers": formats})


def _null_words_of_dates(
    profile: ColumnProfile, profiles: Iterable[ColumnProfile]
) -> Iterator[str]:
    """Yields the words that stand repeatedly among dates, and in no other column."""
    others = [other.values or {} for other in profiles if other is not profile]
    for word, count in profile.misfits.items():
        if count > 1 and not any(word in values for values in others):
            yield word


def _findings(example: str, odd: Iterable[OddCells], kind: str) -> Iterator[Finding]:
    """Says how the numbers of a column are written, and what becomes of other cells.

    Args:
        example: A number as it is written; empty if it is plain, or if the column is of dates.
        odd: The cells that are not of the column's kind.
        kind: The column's kind, `number` or `date`.
    """
    setting = "data.csv.numbers" if kind == "number" else "data.csv.null_values"
    if example:
        yield Finding(f"written as {quote(example)}, read by data.csv.numbers")
    for cells in odd:
        if cells.is_missing:
            outcome = f"a missing value, see {setting}"
        else:
            outcome = f"not a {kind}, and its row goes to quarantine, see data.quarantine"
        yield Finding(f"{quote(cells.word)} in {cells.places} is {outcome}", look=True)
