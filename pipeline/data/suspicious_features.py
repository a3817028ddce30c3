"""Warns of features that identify the row, alone predict the label, or lose digits in float32.

All are measured on a sample of the train split: on all of its rows if the table has up to 15,000,
else on those among 7,500 to 15,000 rows that are spread over all files by a hash of their numbers,
and on fewer if there are more than 133 columns. So the warnings cost no further reading, and about
the same however many rows there are.
"""

from collections.abc import Collection, Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.data.findings import Finding
from pipeline.data.label_leaks import ClassTarget, Codes, Floats, NumberTarget, Target, Values
from pipeline.data.number_precision import tell_merged
from pipeline.data.row_ids import MAX_DISTINCT_SHARE, MIN_IN_ORDER, are_numbered, describe_ids
from pipeline.settings.config import Config
from tabular.csv.arrow_numpy import to_numpy
from tabular.csv.column_rules import Mask
from tabular.csv.types import can_cast, cast_numbers
from trainer.settings.feature_names import raw_types
from trainer.settings.features import Feature

_ALMOST = 0.01
"""Below this share of the error that is left, a column predicts almost perfectly."""
_ROUGH = 0.1
"""Numbers whose rough error is greater are not looked at further."""
_EXAMPLES = 100
_Found = Iterator[tuple[str, Finding]]
_REMEDY = "if it is known only once the label is, set it to ignore"


def find_suspicious(
    config: Config, rows: pa.Table | None, one_in: int, filled_as_label: Collection[str] = ()
) -> Mapping[str, tuple[Finding, ...]]:
    """Finds the features that a person should look at.

    Args:
        config: The configuration; its features are not `auto`.
        rows: A sample of the train split: string columns; None if there is none.
        one_in: How many rows there are for each of the sample.
        filled_as_label: Columns that have a value exactly where the label has one.

    Returns:
        Column to its findings; columns without any are left out.
    """
    if rows is None:
        return {}
    decimal = config.data.csv.decimal
    types = raw_types(config.features)
    cells = {name: rows[name].chunk(0) for name in types}
    numbers = {
        name: _numbers(cells[name], decimal)
        for name, raw_type in types.items()
        if raw_type == "float"
    }
    words = {name: column for name, column in cells.items() if name not in numbers}
    labels = rows[config.data.label].chunk(0)
    as_label = Finding(f"has a value exactly where the label has one: {_REMEDY}", look=True)
    found = [
        *((name, as_label) for name in types if name in filled_as_label),
        *_identities(config.features, numbers, words, one_in),
        *_leaks(_make_target(config, labels), numbers, words),
        *_merged(numbers),
    ]
    if config.task == "regression":
        found += _merged({config.data.label: _numbers(labels, decimal)})
    return {name: tuple(each for of, each in found if of == name) for name, _ in found}


def _make_target(config: Config, labels: pa.Array) -> Target:
    if config.task == "regression":
        return NumberTarget(_numbers(labels, config.data.csv.decimal))
    return ClassTarget(_codes(labels).codes)


def _identities(
    features: Mapping[str, Feature],
    numbers: Mapping[str, Floats],
    words: Mapping[str, pa.Array],
    one_in: int,
) -> _Found:
    """Yields the features whose cells tell rows apart instead of describing them."""
    found = {name: _describe_numbers(column) for name, column in numbers.items()}
    for name, column in words.items():
        if features[name].kind == "categorical":
            found[name] = _describe_words(name, column.drop_null(), one_in)
    for name, what in found.items():
        if what:
            text = f"tells rows apart, {what}: what is learned of it does not hold for other rows"
            yield name, Finding(text, look=True)


def _merged(numbers: Mapping[str, Floats]) -> _Found:
    """Yields the columns whose numbers float32 cannot tell apart."""
    for name, column in numbers.items():
        finding = tell_merged(column)
        if finding is not None:
            yield name, finding


def _describe_numbers(numbers: Floats) -> str:
    """Says how whole numbers identify rows; empty if they do not."""
    numbers = numbers[~np.isnan(numbers)]
    if len(numbers) < MIN_IN_ORDER or (numbers != np.floor(numbers)).any():
        return ""
    steps = np.diff(numbers)
    if (steps > 0).all() or (steps < 0).all():
        return "whole numbers in the order of the rows"
    span = float(numbers.max() - numbers.min()) + 1
    if are_numbered(len(numbers), span) and len(np.unique(numbers)) == len(numbers):
        return "whole numbers that never come twice, though they lie close"
    return ""


def _describe_words(name: str, words: pa.Array, one_in: int) -> str:
    """Says how words identify rows; empty if they do not."""
    count = len(words)
    distinct = pc.count_distinct(words).as_py()
    # Of d equally frequent words, a sample of n rows has n * n / 2d pairs of equal ones.
    estimate = distinct if one_in == 1 else count * count / 2 / (count - distinct + 1)
    if count < MIN_IN_ORDER or estimate <= MAX_DISTINCT_SHARE * count * one_in:
        return ""
    if can_cast(words, pa.float64()):
        return _describe_numbers(_numbers(words, "."))
    what = describe_ids(name, words[:_EXAMPLES].to_pylist()) or "words"
    return f"{what} that are nearly all different"


def _leaks(target: Target, numbers: Mapping[str, Floats], words: Mapping[str, pa.Array]) -> _Found:
    """Yields the features that alone, or by whether they are missing, predict the label."""
    if numbers:
        rough = target.rough_errors(np.stack(list(numbers.values()), axis=1))
        for (name, column), rough_error in zip(numbers.items(), rough, strict=True):
            values = _in_order(column) if rough_error < _ROUGH else None
            yield from _leak(name, target, np.isnan(column), values)
    for name, cells in words.items():
        yield from _leak(name, target, to_numpy(cells.is_null(), null=True), _codes(cells))


def _leak(name: str, target: Target, is_missing: Mask, values: Values | None) -> _Found:
    """Yields a finding if values, or whether they are missing, predict the label.

    Args:
        name: The column.
        target: The labels.
        is_missing: Whether each value is missing, `[n]`.
        values: The values; None if they are known not to predict.
    """
    is_mixed = is_missing.any() and not is_missing.all()
    missing = Values(is_missing.astype(np.int64), 2, is_ordered=False)
    if is_mixed and target.error_left(missing) < _ALMOST:
        yield name, Finding(f"is missing for certain labels only: {_REMEDY}", look=True)
    elif values is not None and target.error_left(values) < _ALMOST:
        yield name, Finding(f"alone predicts the label almost perfectly: {_REMEDY}", look=True)


def _numbers(cells: pa.Array, decimal: str) -> Floats:
    return to_numpy(cast_numbers(cells, decimal, pa.float64()), null=np.nan)


def _in_order(numbers: Floats) -> Values:
    """Makes codes of numbers, NaN where one is missing."""
    is_filled = ~np.isnan(numbers)
    distinct, inverse = np.unique(numbers[is_filled], return_inverse=True)
    codes = np.full(len(numbers), len(distinct), dtype=np.int64)
    codes[is_filled] = inverse
    return Values(codes, len(distinct), is_ordered=True)


def _codes(cells: pa.Array) -> Values:
    """Makes codes of words."""
    encoded = pc.dictionary_encode(cells)
    count = len(encoded.dictionary)
    codes: Codes = to_numpy(encoded.indices, null=count).astype(np.int64)
    return Values(codes, count, is_ordered=False)
