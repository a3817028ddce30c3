"""Describes how CSV files are written; no TensorFlow."""

import codecs
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from tabular.csv.number_format import NumberFormat


@dataclass(frozen=True)
class Dialect:
    """The way CSV files are written; the defaults are RFC 4180 in UTF-8.

    Attributes:
        separator: Character between cells.
        quote: Character around cells that hold separators or line ends, doubled inside them; None
            if cells are never quoted.
        header: Whether the first record names the columns.
        names: Names of the columns of a file without a header; None if it has one.
        comment: Character at the beginning of lines to skip; None if there are none.
        null_values: Texts that mean a missing value, besides the empty cell.
        decimal: Decimal point of numbers.
        encoding: Encoding of the text, by its name in Python.
        skip_lines: Number of lines before the header, or before the first row, to leave out.
        rename: Title in the header to the name of its column. Of the empty title the name is
            followed by the place: `column_3`.
        numbers: Column to the format of its numbers, if they are not plain.
    """

    separator: str = ","
    quote: str | None = '"'
    header: bool = True
    names: tuple[str, ...] | None = None
    comment: str | None = None
    null_values: tuple[str, ...] = ()
    decimal: str = "."
    encoding: str = "utf-8"
    skip_lines: int = 0
    rename: tuple[tuple[str, str], ...] = ()
    numbers: Mapping[str, NumberFormat] = field(default_factory=dict)

    @property
    def is_utf8(self) -> bool:
        """Whether the text is UTF-8, with a byte order mark or without."""
        return codecs.lookup(self.encoding).name in ("utf-8", "utf-8-sig")

    def to_json(self) -> str:
        """Serializes the dialect for an execution property."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Dialect":
        """Parses the output of `to_json`."""
        fields = json.loads(text)
        names = fields.pop("names")
        numbers = fields.pop("numbers")
        return cls(
            names=None if names is None else tuple(names),
            rename=tuple(map(tuple, fields.pop("rename"))),
            null_values=tuple(fields.pop("null_values")),
            numbers={name: NumberFormat.from_dict(each) for name, each in numbers.items()},
            **fields,
        )
