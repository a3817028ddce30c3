"""Describes how numbers are written: with currencies, units, separators or brackets."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MINUS_SIGNS = "\u2212\u2013"
"""The minus sign of Unicode and the en dash, which stand for a minus in front of a number."""

MARKS = ("open", "sign", "sign_inside", "open_inside", "close_inside", "sign_behind", "close")
"""Groups of a format's pattern that hold signs and brackets, in the order of a cell."""
DIGITS = "digits"
"""Group of a format's pattern that holds digits, separators and decimal point."""

_BLANKS = "[ \u00a0\u2009\u202f]*"
_SEPARATORS = {" ": "[ \u00a0\u2009\u202f]", "'": "['\u2019]"}
"""Characters that are taken for the same thousands separator."""
_SIGN = f"[-+{MINUS_SIGNS}]"
_EXPONENT = "(?:[eE][-+]?[0-9]+)?"
INFINITE = rf"{_BLANKS}{_SIGN}?(?:(?i:inf|infinity)|\x{{221E}}){_BLANKS}"
"""Matches infinity, with any sign."""


@dataclass(frozen=True)
class NumberFormat:
    """The way the numbers of a column are written; the defaults are plain numbers.

    Blanks around a number, a plus sign and the minus sign of typographers are always read.

    Attributes:
        prefix: What stands before each number, such as `$`: one of these texts. The empty text
            among them allows that there is nothing.
        suffix: What stands behind each number, such as `%`, likewise.
        thousands: Separator of thousands, which a number may have or not; None: there is none. A
            blank stands for no-break blanks too, an apostrophe for the typographic one too.
        decimal: Decimal point.
        negative: How negative numbers are written, besides a sign in front: `sign` not otherwise,
            `brackets` as `(5)`, `trailing` as `5-`.
        null_values: Texts that mean a missing value in this column.
        infinite: What a number that is infinite in float32 is: an `error`, or `missing`.
    """

    prefix: tuple[str, ...] = ()
    suffix: tuple[str, ...] = ()
    thousands: str | None = None
    decimal: str = "."
    negative: str = "sign"
    null_values: tuple[str, ...] = ()
    infinite: str = "error"

    @classmethod
    def from_dict(cls, described: Mapping[str, Any]) -> "NumberFormat":
        """Makes a format of its attributes, as JSON has them."""
        lists = {name: tuple(described[name]) for name in ("prefix", "suffix", "null_values")}
        return cls(**{**described, **lists})

    def example(self) -> str:
        """Writes a number in this format, for messages."""
        digits = f"1{self.thousands}234" if self.thousands else "5"
        prefix, suffix = next(iter(self.prefix), ""), next(iter(self.suffix), "")
        return f"{prefix}{digits}{self.decimal}1{suffix}"

    @property
    def separator(self) -> str:
        """A pattern of the thousands separator; empty if there is none."""
        return _SEPARATORS.get(self.thousands or "", re.escape(self.thousands or ""))

    @property
    def pattern(self) -> str:
        """A pattern of a cell, for RE2; its groups are `DIGITS`, and those of `MARKS` it may have.

        A number has at most one sign; the pattern does not check that.
        """
        point = re.escape(self.decimal)
        whole = "[0-9]+"
        if self.thousands is not None:  # groups of two digits are those of India: 12,34,567
            by = self.separator
            whole = f"(?:[0-9]{{1,3}}(?:{by}[0-9]{{2,3}})*{by}[0-9]{{3}}|[0-9]+)"
        digits = f"(?:{whole}(?:{point}[0-9]*)?|{point}[0-9]+){_EXPONENT}"
        has_brackets = self.negative == "brackets"
        parts = [
            r"(?P<open>\(?)" * has_brackets,
            f"(?P<sign>{_SIGN}?)",
            _one_of(self.prefix),
            f"(?P<sign_inside>{_SIGN}?)" * bool(self.prefix),
            r"(?P<open_inside>\(?)" * (has_brackets and bool(self.prefix)),
            f"(?P<{DIGITS}>{digits})",
            r"(?P<close_inside>\)?)" * (has_brackets and bool(self.suffix)),
            _one_of(self.suffix),
            f"(?P<sign_behind>{_SIGN}?)" * (self.negative == "trailing"),
            r"(?P<close>\)?)" * has_brackets,
        ]
        return f"{_BLANKS}{_BLANKS.join(filter(None, parts))}{_BLANKS}"


def _one_of(texts: Sequence[str]) -> str:
    return f"(?:{'|'.join(map(re.escape, texts))})" if texts else ""
