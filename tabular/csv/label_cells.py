"""Reads the cells of the label, around which blanks do not count; no TensorFlow."""

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabular.csv.arrow_numpy import to_strings
from tabular.csv.dialect import Dialect

BLANKS = (
    "\t \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b"
    "\u202f\u205f\u3000\ufeff"
)
"""Characters that nobody sees at the ends of a word. A line end is not one of them."""

_NO_CELLS = to_strings([])
_FIRST_VISIBLE, _FIRST_BEYOND_ASCII = 0x21, 0x80


def trim_label(cell: str, dialect: Dialect) -> str:
    """Removes the blanks around a label, and the quotes in ` "yes"`.

    There they do not quote the cell, since CSV has quotes next to separators only.

    Args:
        cell: The cell as it was read.
        dialect: How the file is written.
    """
    label = cell.strip(BLANKS)
    mark = dialect.quote
    if label != cell and mark and len(label) > 1 and label[0] == label[-1] == mark:
        label = label[1:-1].strip(BLANKS)
    return label


def trim_labels(cells: pa.Array, dialect: Dialect) -> pa.Array:
    """Trims labels as `trim_label` does.

    Args:
        cells: Strings as they were read, null where a value is missing, `[n]`.
        dialect: How the file is written.

    Returns:
        The labels, `[n]`; null also where nothing but blanks, or blanks around a null value, was.
        `cells` itself if no cell has blanks.
    """
    _, _, data = cells.buffers()
    characters = np.frombuffer(data or b"", np.uint8)
    if not ((characters < _FIRST_VISIBLE) | (characters >= _FIRST_BEYOND_ASCII)).any():
        return cells
    labels = pc.utf8_trim(cells, BLANKS)
    has_blanks = pc.not_equal(labels, cells)
    if not pc.any(has_blanks).as_py():
        return cells
    if dialect.quote:
        mark = re.escape(dialect.quote)
        inner = pc.replace_substring_regex(labels, rf"(?s)^{mark}(.*){mark}$", r"\1")
        labels = pc.if_else(has_blanks, pc.utf8_trim(inner, BLANKS), labels)
    nulls = to_strings(["", *dialect.null_values])
    return pc.if_else(pc.is_in(labels, value_set=nulls), None, labels)


def trim_label_column(
    batch: pa.RecordBatch, label: str | None, dialect: Dialect
) -> tuple[pa.RecordBatch, pa.StringArray]:
    """Trims the labels in a batch of rows as `trim_labels` does.

    Args:
        batch: String columns; may lack the label.
        label: The column of the label; None if there is none.
        dialect: How the file is written.

    Returns:
        The rows, and the labels that had blanks around them, as they were.
    """
    names = batch.schema.names
    cells = batch[label] if label in names else _NO_CELLS
    labels = trim_labels(cells, dialect)
    if labels is cells:
        return batch, _NO_CELLS
    columns = [labels if name == label else batch[name] for name in names]
    trimmed = pa.RecordBatch.from_arrays(columns, names)
    return trimmed, cells.filter(pc.not_equal(labels, cells))  # not where nothing was left
