"""Finds the format of the dates of a column, and which of their parts vary."""

from collections import Counter
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.data.column_rules import make_date_rule
from pipeline.data.date_formats import find_formats, mixed_formats, packed_width
from pipeline.data.written_numbers import MAX_MISFITS
from tabular.csv.arrow_numpy import to_numpy

_MINUTES_OF_DAY = 1440
_FIRST_MINUTE, _END_MINUTE = -247_196_160, 541_728_000
"""The first of the years 1500 and 3000, since 1970; others are taken for other numbers."""
_SAMPLED = 1000


class DateStatistics:
    """Reads the words of a column, batch by batch, by all formats that are still possible."""

    def __init__(self, name: str) -> None:
        """Starts without words.

        Args:
            name: Name of the column.
        """
        self._name = name
        self._candidates: list[_Candidate] | None = None
        self._mixed: tuple[str, ...] = ()

    @property
    def are_possible(self) -> bool:
        """Whether all words so far may be dates."""
        return self._candidates is None or bool(self._candidates)

    @property
    def formats(self) -> tuple[str, ...]:
        """Formats that fit most words, the likeliest first; one of several that read the same."""
        by_reading: dict[int, str] = {}
        for candidate in self._best():
            by_reading.setdefault(candidate.checksum, candidate.date_format)
        return tuple(by_reading.values())

    @property
    def misfits(self) -> Mapping[str, int]:
        """Words that are not dates in the likeliest format, to their number of cells."""
        best = self._best()
        return best[0].misfits if best else {}

    @property
    def varying_parts(self) -> frozenset[str]:
        """Parts with at least two values, in the likeliest format."""
        best = self._best()
        return best[0].varying_parts if best else frozenset()

    @property
    def mixed_formats(self) -> tuple[str, ...]:
        """Formats of the first words if no format fits them all, but nearly all are dates."""
        return () if self.formats else self._mixed

    def add(self, words: pa.Array) -> None:
        """Adds words: strings without null, at least one."""
        if self._candidates is None:
            sample = words.slice(0, _SAMPLED).to_pylist()
            formats = find_formats(sample, self._name)
            self._mixed = mixed_formats(sample, self._name) if formats else ()
            self._candidates = [_Candidate(date_format) for date_format in formats]
        self._candidates = [each for each in self._candidates if each.read(words)]

    def _best(self) -> list["_Candidate"]:
        """Lists the candidates that fit as many words as any."""
        candidates = self._candidates or []
        least = min((sum(each.misfits.values()) for each in candidates), default=0)
        return [each for each in candidates if sum(each.misfits.values()) == least]


class _Candidate:
    """A format that may be that of the column."""

    def __init__(self, date_format: str) -> None:
        self.date_format = date_format
        self.checksum = 0
        self.misfits: Counter[str] = Counter()
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
        """Adds words; returns whether all but a few are dates in the format, of likely years."""
        minutes, is_date = self._reader.read(words)
        if self._width:
            is_date &= to_numpy(pc.equal(pc.utf8_length(words), self._width), null=False)
        is_date &= (minutes >= _FIRST_MINUTE) & (minutes < _END_MINUTE)
        if not is_date.all():
            self._note_misfits(words.filter(pa.array(~is_date)))
            if len(self.misfits) > MAX_MISFITS:
                return False
            minutes = minutes[is_date]
        if len(minutes):
            self.checksum += int(minutes.sum())
        for part, values in _split(minutes).items() if len(minutes) else ():
            least, greatest = int(values.min()), int(values.max())
            self._least[part] = min(least, self._least.get(part, least))
            self._greatest[part] = max(greatest, self._greatest.get(part, greatest))
        return True

    def _note_misfits(self, words: pa.Array) -> None:
        counts = pc.value_counts(words)
        for word, count in zip(
            counts.field(0).to_pylist(), counts.field(1).to_pylist(), strict=True
        ):
            self.misfits[word] += count


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
