"""Reads dates of Arrow columns, as the graph of a model does; no TensorFlow."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tabular.csv.arrow_numpy import to_numpy

Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799  # of the years 1 to 9999


@dataclass(frozen=True)
class DateReader:
    """Reads dates of one format.

    Attributes:
        pattern: Regular expression of the whole text. Its named groups are the fields: Y or y,
            m or b, d, H or I and p, M, zs, zh, zm. It has none if dates count time since 1970.
        months: What words of the group b begin with, in lower case, January first.
        units: Units in a second, if dates count time since 1970; else 0.
        pivot: The first of the two-digit years that are in the 20th century.
    """

    pattern: str
    months: tuple[str, ...] = ()
    units: int = 0
    pivot: int = 69

    def read(self, column: pa.Array) -> tuple[Integers, Mask]:
        """Reads a column.

        Args:
            column: Strings, null where a value is missing, `[n]`.

        Returns:
            Whole minutes since 1970 in UTC, int64, and whether the text is a date of the years 1 to
            9999 in that format, bool; both `[n]`. Where it is not, the minutes mean nothing.
        """
        return self._read_count(column) if self.units else self._read_fields(column)

    def find_dates(self, column: pa.Array) -> Mask:
        """Finds the texts that are dates, as `read` does, but in less time."""
        return self.read(column)[1] if self.units else self._read_days(self._split(column))[1]

    def _read_count(self, column: pa.Array) -> tuple[Integers, Mask]:
        fits = pc.match_substring_regex(column, rf"\A(?:{self.pattern})\z")
        digits = pc.utf8_ltrim(pc.if_else(fits, column, None), "+")  # which Arrow does not read
        numbers = pc.cast(digits, pa.float64())
        seconds = to_numpy(numbers, null=np.nan) / self.units
        is_date = (seconds >= _FIRST_SECOND) & (seconds < _LAST_SECOND + 1)
        return np.floor(np.where(is_date, seconds, 0) / 60).astype(np.int64), is_date

    def _read_fields(self, column: pa.Array) -> tuple[Integers, Mask]:
        texts = self._split(column)
        days, is_date = self._read_days(texts)
        hour = _numbers(texts, "H", 0) + _numbers(texts, "I", 0) % 12
        if "p" in texts:
            hour += 12 * to_numpy(pc.equal(pc.utf8_lower(texts["p"]), "p"), null=False)
        minute = hour * 60 + _numbers(texts, "M", 0)
        offset = _numbers(texts, "zh", 0) * 60 + _numbers(texts, "zm", 0)
        if "zs" in texts:
            offset *= np.where(to_numpy(pc.equal(texts["zs"], "-"), null=False), -1, 1)
        return days * 1440 + minute - offset, is_date

    def _split(self, column: pa.Array) -> dict[str, pa.Array]:
        """Gives the texts of the fields, null where the text does not match."""
        fields = pc.extract_regex(column, rf"\A(?:{self.pattern})\z")
        names = list(re.compile(self.pattern).groupindex)
        return {name: pc.struct_field(fields, [index]) for index, name in enumerate(names)}

    def _read_days(self, texts: Mapping[str, pa.Array]) -> tuple[Integers, Mask]:
        """Gives the days since 1970, and whether they are in the calendar."""
        if "b" in texts:
            months = pc.utf8_lower(pc.utf8_slice_codeunits(texts["b"], 0, 3))
            index = pc.index_in(months, value_set=pa.array(self.months, pa.string()))
            month = to_numpy(index, null=0).astype(np.int64) + 1
        else:
            month = _numbers(texts, "m", 1)
        year = _numbers(texts, "Y", 0)
        if "y" in texts:
            short = _numbers(texts, "y", 0)
            year = short + np.where(short < self.pivot, 2000, 1900)
        matches = to_numpy(pc.is_valid(texts["y" if "y" in texts else "Y"]), null=False)
        first = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
        day = first.astype("datetime64[D]") + (_numbers(texts, "d", 1) - 1)
        is_in_month = day.astype("datetime64[M]") == first  # no February 30
        return day.astype(np.int64), matches & (year >= 1) & is_in_month


def _numbers(texts: Mapping[str, pa.Array], name: str, default: int) -> Integers:
    """Gives a field as numbers, int64 `[n]` or `[]`: 0 where it is left out of the text.

    The default takes its place where the text is not a date, or if the format has no such field.
    """
    if name not in texts:
        return np.array(default)
    digits = texts[name]
    filled = pc.if_else(pc.equal(digits, ""), "0", digits)
    return to_numpy(pc.cast(filled, pa.int64()), null=default)
