"""How CSV files are written; no TensorFlow."""

import codecs
import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Dialect:
    """How CSV files are written; the defaults are RFC 4180 in UTF-8.

    Attributes:
        separator: Character between cells.
        quote: Character around cells that hold separators or line ends; doubled inside.
        header: Whether the first record names the columns.
        names: Names of the columns, in place of the header's.
        comment: Character with which a line begins that is no row.
        null_values: Words that stand for an empty cell, beside the empty cell itself.
        decimal: Decimal point of numbers.
        encoding: Encoding of the text, by Python's names.
    """

    separator: str = ","
    quote: str | None = '"'
    header: bool = True
    names: tuple[str, ...] | None = None
    comment: str | None = None
    null_values: tuple[str, ...] = ()
    decimal: str = "."
    encoding: str = "utf-8"

    @property
    def is_utf8(self) -> bool:
        """Whether the text is UTF-8, with a byte order mark or without."""
        return codecs.lookup(self.encoding).name in ("utf-8", "utf-8-sig")

    def to_json(self) -> str:
        """Writes it as a property of an execution."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Dialect":
        """Reads what `to_json` writes."""
        fields = json.loads(text)
        names = fields.pop("names")
        return cls(
            names=None if names is None else tuple(names),
            null_values=tuple(fields.pop("null_values")),
            **fields,
        )
