"""Recognizes how the numbers of a column are written, by its distinct words; no TensorFlow."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pyarrow as pa

from pipeline.data.null_words import NULL_WORDS
from tabular.csv.number_format import MINUS_SIGNS, NumberFormat
from tabular.csv.plain_numbers import to_plain

MAX_MISFITS = 10
"""A column with more different words that are not numbers, besides null values, holds words."""
MAX_SINGLE_SHARE = 0.05
"""Share of the filled cells whose words, each there once, may not be numbers."""
MAX_REPEATED_SHARE = 0.2
"""The same of words that are there more than once, as those for a missing value are."""

_LEAST_LIKE_NUMBERS = 0.8
_LONGEST_MARK = 12
"""Characters of the longest unit; more are a sentence."""
_BLANKS = " \u00a0\u2009\u202f"
_SIGNS = f"-+{MINUS_SIGNS}"
_SHAPE = re.compile(
    r"(?P<before>[^0-9]*?)(?P<body>[.,]?[0-9](?:[0-9.,'\u2019_ \u00a0\u2009\u202f]*[0-9])?[.,]?)"
    r"(?:[eE][-+]?[0-9]+)?(?P<after>[^0-9]*(?:(?:m|ft|in|yd|mi)[23])?)"
)
"""A unit ends in a digit only if it is an area or a volume, `m2`; else it is a code, `12B3`."""
_PADDED = re.compile("0[0-9]+")
_SEPARATORS = {",": ",", ".": ".", "'": "'", "\u2019": "'", "_": "_", **dict.fromkeys(_BLANKS, " ")}
"""Character in a number to the thousands separator that it may be."""
_CURRENCIES = re.compile(
    "(AUD|BRL|CAD|CHF|CNY|CZK|DKK|EUR|FR|GBP|HUF|INR|JPY|KR|KRW|MXN|NOK|NZD|PLN|RM|RMB|RS|RUB|SEK|SFR"
    "|SGD|TL|TRY|USD|ZAR)[.]?",
    re.IGNORECASE,
)


class _Shape(NamedTuple):
    """A word that may be a number: what stands before and behind its digits, without signs."""

    prefix: str
    suffix: str
    body: str
    is_in_brackets: bool
    is_trailing: bool


@dataclass(frozen=True)
class WrittenNumbers:
    """Numbers that are not plain.

    Attributes:
        format: How they are written; None if there is not one way.
        examples: Some of them; if there is not one way, one of each.
    """

    format: NumberFormat | None
    examples: tuple[str, ...]


def is_few_misfits(misfits: Mapping[str, int], filled: int) -> bool:
    """Whether a column is of numbers but for a few cells.

    Args:
        misfits: Word that is not a number to its number of cells.
        filled: Number of all cells that are filled.
    """
    single = sum(count for count in misfits.values() if count == 1)
    repeated = sum(misfits.values()) - single
    return (
        len(misfits) <= MAX_MISFITS
        and single <= MAX_SINGLE_SHARE * filled
        and repeated <= MAX_REPEATED_SHARE * filled
    )


def find_written_numbers(counts: Mapping[str, int], decimal: str) -> WrittenNumbers | None:
    """Finds how the numbers of a column are written that is not of plain ones.

    Args:
        counts: Word to its number of cells; of all words, or of a sample.
        decimal: Decimal point of the table.

    Returns:
        What was found; None if the words are not numbers. Whole numbers with leading zeros are
        codes, and no prefix but a currency is taken for one, as `A12` is a code.
    """
    counts = {word: count for word, count in counts.items() if word not in NULL_WORDS}
    total = sum(counts.values())
    shapes = {word: shape for word in counts if (shape := _shape_of(word)) is not None}
    by_marks: Counter[tuple[str, str]] = Counter()
    for word, shape in shapes.items():
        by_marks[shape.prefix, shape.suffix.casefold()] += counts[word]
    if not by_marks or sum(by_marks.values()) < _LEAST_LIKE_NUMBERS * total:
        return None
    if any(_PADDED.fullmatch(shape.body) for shape in shapes.values()):
        return None
    prefix, suffix = by_marks.most_common(1)[0][0]
    alike = [
        word
        for word, shape in shapes.items()
        if shape.prefix == prefix and shape.suffix.casefold() == suffix
    ]
    if prefix and not _is_currency(prefix):
        return None
    best = _best_format(counts, [shapes[word] for word in alike], decimal)
    misfits = _misfits(counts, best)
    if is_few_misfits(misfits, total):
        return WrittenNumbers(best, (max(alike, key=_count_marks),))
    examples = _one_of_each(shapes, by_marks)
    is_mixed = is_few_misfits({w: c for w, c in counts.items() if w not in shapes}, total)
    return WrittenNumbers(None, examples) if is_mixed and len(examples) > 1 else None


def _count_marks(word: str) -> int:
    """Counts the characters that are not digits: the more, the better the word shows the format."""
    return sum(not character.isdigit() for character in word)


def _shape_of(word: str) -> _Shape | None:
    found = _SHAPE.fullmatch(word.strip(_BLANKS))
    if found is None:
        return None
    before, after = found["before"], found["after"]
    prefix, suffix = before.strip(f"{_BLANKS}{_SIGNS}("), after.strip(f"{_BLANKS}{_SIGNS})")
    if max(len(prefix), len(suffix)) > _LONGEST_MARK:
        return None
    return _Shape(
        prefix,
        suffix,
        found["body"],
        "(" in before and ")" in after,
        after.rstrip(_BLANKS).endswith(tuple(_SIGNS)),
    )


def _is_currency(prefix: str) -> bool:
    is_symbol = any(unicodedata.category(character) == "Sc" for character in prefix)
    return is_symbol or _CURRENCIES.fullmatch(prefix) is not None


def _best_format(counts: Mapping[str, int], shapes: Sequence[_Shape], decimal: str) -> NumberFormat:
    """Chooses the separators by which most cells are numbers; of equal ones the first."""
    prefix = shapes[0].prefix
    suffixes = tuple(dict.fromkeys(shape.suffix for shape in shapes))
    negative = "sign"
    if any(shape.is_in_brackets for shape in shapes):
        negative = "brackets"
    elif any(shape.is_trailing for shape in shapes):
        negative = "trailing"
    formats = [
        NumberFormat(
            prefix=(prefix,) if prefix else (),
            suffix=suffixes if any(suffixes) else (),
            thousands=thousands,
            decimal=point,
            negative=negative,
        )
        for point in (decimal, "," if decimal == "." else ".")
        for thousands in _separators(shapes)
        if thousands != point
    ]
    return min(formats, key=lambda each: sum(_misfits(counts, each).values()))


def _separators(shapes: Sequence[_Shape]) -> Iterator[str | None]:
    yield None
    characters = {character for shape in shapes for character in shape.body}
    yield from sorted({_SEPARATORS[each] for each in characters & _SEPARATORS.keys()})


def _misfits(counts: Mapping[str, int], number_format: NumberFormat) -> dict[str, int]:
    words = list(counts)
    _, misfits = to_plain(pa.array(words, pa.string()), number_format)
    return {
        word: counts[word] for word, misfit in zip(words, misfits.tolist(), strict=True) if misfit
    }


def _one_of_each(
    shapes: Mapping[str, _Shape], by_marks: "Counter[tuple[str, str]]"
) -> tuple[str, ...]:
    """Gives a word with each of the commonest marks."""
    words: dict[tuple[str, str], list[str]] = defaultdict(list)
    for word, shape in shapes.items():
        words[shape.prefix, shape.suffix.casefold()].append(word)
    return tuple(words[marks][0] for marks, _ in by_marks.most_common(3))
