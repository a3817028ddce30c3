"""Finds the format of the dates of a column, and which of their parts vary."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.data.column_rules import make_date_rule
from pipeline.data.date_formats import find_formats, packed_width

_MINUTES_OF_DAY = 1440
_FIRST_YEAR, _LAST_YEAR = 1500, 2999
"""Other years are taken for other numbers."""


class DateStatistics:
    """Reads the words of a column, batch by batch, by all formats that are still possible."""

    def __init__(self, name: str) -> None:
        """Starts without words.

        Args:
            name: Name of the column.
        """
        self._name = name
        self._candidates: list[_Candidate] | None = None

    @property
    def are_possible(self) -> bool:
        """Whether all words so far may be dates."""
        return self._candidates is None or bool(self._candidates)

    @property
    def formats(self) -> tuple[str, ...]:
        """Formats that fit all words, the likeliest first; one of several that read the same."""
        by_reading: dict[int, str] = {}
        for candidate in self._candidates or ():
            by_reading.setdefault(candidate.checksum, candidate.date_format)
        return tuple(by_reading.values())

    @property
    def varying_parts(self) -> frozenset[str]:
        """Parts with at least two values, in the likeliest format."""
        return self._candidates[0].varying_parts if self._candidates else frozenset()

    def add(self, words: pa.Array) -> None:
        """Adds words: strings without null, at least one."""
        if self._candidates is None:
            formats = find_formats(words.slice(0, 1000).to_pylist(), self._name)
            self._candidates = [_Candidate(date_format) for date_format in formats]
        self._candidates = [each for each in self._candidates if each.read(words)]


class _Candidate:
    """A format that may be that of the column."""

    def __init__(self, date_format: str) -> None:
        self.date_format = date_format
        self.checksum = 0
        self._reader = make_date_rule(date_format).reader
        self._width = packed_width(date_format)
        self._least = dict[str, int]()
        self._greatest = dict[str, int]()

    @property
    def varying_parts(self) -> frozenset[str]:
        return frozenset(
            part for part, least in self._least.items() if least < self._greatest[part]
        )

    def read(self, words: pa.Array) -> bool:
        """Adds words; returns whether all are dates in the format, of years that are likely."""
        minutes, is_date = self._reader.read(words)
        if not is_date.all():
            return False
        if self._width and not pc.all(pc.equal(pc.utf8_length(words), self._width)).as_py():
            return False
        parts = _split(minutes)
        if parts["year"].min() < _FIRST_YEAR or parts["year"].max() > _LAST_YEAR:
            return False
        self.checksum += int(minutes.sum())
        for part, values in parts.items():
            least, greatest = int(values.min()), int(values.max())
            self._least[part] = min(least, self._least.get(part, least))
            self._greatest[part] = max(greatest, self._greatest.get(part, greatest))
        return True


def _split(minutes: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[np.int64]]:
    """Splits minutes since 1970 into parts of dates, int64 `[n]` each."""
    days = minutes // _MINUTES_OF_DAY
    months = days.astype("datetime64[D]").astype("datetime64[M]")
    month_numbers = months.astype(np.int64)
    return {
        "year": month_numbers // 12 + 1970,
        "month": month_numbers % 12,
        "day": days - months.astype("datetime64[D]").astype(np.int64),
        "weekday": (days + 3) % 7,
        "hour": minutes % _MINUTES_OF_DAY // 60,
        "minute": minutes % 60,
    }
