"""Recognizes columns whose cells hold several words: tags between separators, and free text."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tabular.csv.arrow_numpy import to_numpy
from trainer.settings.words import UNSPACED

SEPARATORS = ("|", ";", ",", "/", "\n")
"""What may stand between tags, the likeliest first."""
_WEIGHT_SEPARATORS = (":", "=")
_MIN_CELLS = 4
_MIN_SEPARATED = 0.2
"""Least share of the cells with a separator."""
_MAX_SAME_SIZE = 0.95
"""Above this share of cells with as many parts, a cell is a record, such as a date, a name or a
place: its first part is one thing and its second another."""
_MIN_KNOWN = 0.8
"""Least share of the parts that other cells have too."""
_MIN_ANYWHERE = 0.5
"""Least share of the parts after the first that are the first part of other cells."""
_MIN_WITH_LETTER = 0.5
_MIN_WEIGHTED = 0.9
_WEIGHT = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"

_MIN_TEXTS = 20
_MIN_TEXT_WORDS = 4
_MIN_TEXT_KNOWN = 0.5
"""Least share of the words of a text that other texts have too; else there is nothing to learn."""


@dataclass(frozen=True)
class TagCells:
    """How the cells of a column are sets of tags.

    Attributes:
        separator: What stands between two tags.
        weight_separator: What stands between a tag and its weight; None if there are no weights.
        tags: Number of different tags in the cells that were looked at.
    """

    separator: str
    weight_separator: str | None
    tags: int


@dataclass(frozen=True)
class _Parts:
    """The parts of cells, without blanks around them and without empty ones.

    Attributes:
        words: Strings `[n_parts]`.
        cells: The cell that each part is of, in increasing order, int64 `[n_parts]`.
        n_cells: Number of cells.
    """

    words: pa.Array
    cells: npt.NDArray[np.int64]
    n_cells: int


def find_tags(cells: pa.Array) -> TagCells | None:
    """Recognizes cells that hold any number of tags, in any order.

    Parts of a cell are tags if their number varies, if nearly each stands in other cells too, and
    if the same words are first parts and later parts. So dates, names, addresses, places, paths and
    sentences are not.

    Args:
        cells: The different cells of a column: strings without null, `[n]`.
    """
    if len(cells) < _MIN_CELLS:
        return None
    return next(filter(None, (_read_tags(cells, mark) for mark in SEPARATORS)), None)


def find_text(cells: pa.Array) -> float | None:
    """Recognizes written language: cells of several words, most of which other cells have too.

    Args:
        cells: The different cells of a column: strings without null, `[n]`.

    Returns:
        Mean number of words of a cell; None if the cells are not text.
    """
    if len(cells) < _MIN_TEXTS:
        return None
    spaced = pc.replace_substring_regex(pc.utf8_lower(cells), UNSPACED, r" \1 ")
    words = _parts(pc.utf8_split_whitespace(spaced))
    mean = len(words.words) / len(cells)
    if mean < _MIN_TEXT_WORDS or _share_with_letter(words.words) < _MIN_WITH_LETTER:
        return None
    return mean if _known_share(words) >= _MIN_TEXT_KNOWN else None


def _read_tags(cells: pa.Array, separator: str) -> TagCells | None:
    """Reads cells as tags between a separator; None if they are not."""
    if _share(pc.match_substring(cells, separator)) < _MIN_SEPARATED:
        return None
    parts = _parts(pc.split_pattern(cells, separator))
    mark = _weight_separator(parts.words)
    if mark is not None:
        parts = _Parts(_without_weight(parts.words, mark), parts.cells, parts.n_cells)
    sizes = np.bincount(parts.cells, minlength=parts.n_cells)
    n_tags = pc.count_distinct(parts.words).as_py()
    are_tags = (
        np.bincount(sizes).max() < _MAX_SAME_SIZE * parts.n_cells
        and n_tags < parts.n_cells
        and _share_with_letter(parts.words) >= _MIN_WITH_LETTER
        and _known_share(parts) >= _MIN_KNOWN
        and _anywhere_share(parts) >= _MIN_ANYWHERE
    )
    return TagCells(separator, mark, n_tags) if are_tags else None


def _parts(lists: pa.Array) -> _Parts:
    """Lists the parts of cells that were split, `[n_cells]`."""
    words = pc.ascii_trim_whitespace(pc.list_flatten(lists))
    cells = np.repeat(np.arange(len(lists)), to_numpy(pc.list_value_length(lists), null=0))
    is_word = pc.not_equal(words, "")
    return _Parts(words.filter(is_word), cells[to_numpy(is_word, null=False)], len(lists))


def _weight_separator(words: pa.Array) -> str | None:
    """Finds what stands before a weight in nearly all words, and in the others not at all."""
    for mark in _WEIGHT_SEPARATORS:
        is_weighted = pc.match_substring_regex(words, rf"(?s)\S\s*{mark}\s*{_WEIGHT}\z")
        others = words.filter(pc.invert(is_weighted))
        if _share(is_weighted) >= _MIN_WEIGHTED and not _share(pc.match_substring(others, mark)):
            names = _without_weight(words, mark)
            return mark if _share_with_letter(names) >= _MIN_WITH_LETTER else None
    return None


def _without_weight(words: pa.Array, mark: str) -> pa.Array:
    return pc.replace_substring_regex(words, rf"\s*{mark}\s*{_WEIGHT}\z", "")


def _share(mask: pa.Array) -> float:
    """Share of true values; 0 if there are no values."""
    return float(np.mean(to_numpy(mask, null=False))) if len(mask) else 0.0


def _share_with_letter(words: pa.Array) -> float:
    return _share(pc.match_substring_regex(words, r"\p{L}"))


def _known_share(parts: _Parts) -> float:
    """Share of the parts whose word stands in at least two cells."""
    codes = to_numpy(pc.dictionary_encode(parts.words).indices, null=0).astype(np.int64)
    if not len(codes):
        return 0.0
    pairs = np.unique(parts.cells * (codes.max() + 1) + codes) % (codes.max() + 1)
    return float(np.mean(np.bincount(pairs)[codes] > 1))


def _anywhere_share(parts: _Parts) -> float:
    """Share of the parts after the first of a cell whose word is the first of another."""
    is_first = np.diff(parts.cells, prepend=-1) > 0
    first = parts.words.filter(pa.array(is_first))
    later = parts.words.filter(pa.array(~is_first))
    return _share(pc.is_in(later, value_set=first))
