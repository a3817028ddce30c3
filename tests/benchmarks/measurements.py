"""Measurements of the benchmarks: rows of a table, and points of plots over rows and columns."""

import os
import statistics
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Literal

import psutil
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Program = Literal["ours", "stock"]
GROSS = 2.0
"""Factor by which a ratio must be missed to fail; less may be the noise of a busy machine."""
_FRESH = timedelta(days=1)
_HEAD = """\
| measured | ours | against | ratio | from, to | rounds | must be | aim | on |
|---|---|---|---|---|---|---|---|---|
"""


def describe_machine() -> str:
    """Describes this machine in a line: processor, cores and memory."""
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    model = next(line for line in lines if line.startswith("model name")).partition(": ")[2]
    memory_gib = psutil.virtual_memory().total / 2**30
    return f"{model}, {os.cpu_count()} cores, {memory_gib:.0f} GiB"


def _now() -> datetime:
    return datetime.now(timezone.utc).replace(microsecond=0)


class Measurement(BaseModel):
    """Machine and time of a measurement."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    machine: str = Field(default_factory=describe_machine)
    measured_at: AwareDatetime = Field(default_factory=_now)


class Row(Measurement):
    """A row of the table: figures of this project and of another program, measured in turns.

    Attributes:
        name: The quantity that is measured.
        unit: Unit of the figures.
        ours: Figures of this project, one for each round.
        other: The other program.
        theirs: Figures of the other program in the same rounds.
        bound: Whether `must` and `aim` are upper or lower bounds of the ratio of ours to theirs.
        must: Bound of the median ratio, None if the row is only for information.
        aim: Bound that the median ratio should reach one day, None if there is no such aim.
    """

    name: str
    unit: str
    ours: tuple[float, ...]
    other: str
    theirs: tuple[float, ...]
    bound: Literal["at most", "at least"] = "at most"
    must: float | None = None
    aim: float | None = None

    @property
    def key(self) -> str:
        """The key of the row in the results."""
        return f"{self.name} / {self.other}"

    @property
    def ratios(self) -> list[float]:
        """Ratio of ours to theirs in each round."""
        return [own / other for own, other in zip(self.ours, self.theirs, strict=True)]

    @property
    def ratio(self) -> float:
        """The median of the ratios."""
        return statistics.median(self.ratios)

    @property
    def is_grossly_missed(self) -> bool:
        """Whether the ratio misses `must` by a factor of `GROSS` or more."""
        if self.must is None:
            return False
        if self.bound == "at most":
            return self.ratio >= self.must * GROSS
        return self.ratio <= self.must / GROSS

    def cells(self) -> list[str]:
        """Returns the cells of the row in the table."""
        sign = {"at most": "≤", "at least": "≥"}[self.bound]
        return [
            self.name,
            f"{_figure(statistics.median(self.ours))} {self.unit}",
            f"{self.other}: {_figure(statistics.median(self.theirs))} {self.unit}",
            _figure(self.ratio),
            f"{_figure(min(self.ratios))}, {_figure(max(self.ratios))}",
            str(len(self.ratios)),
            "" if self.must is None else f"{sign} {self.must:g}",
            "" if self.aim is None else f"{sign} {self.aim:g}",
            f"{self.measured_at:%Y-%m-%d}",
        ]


class Point(Measurement):
    """A point of the plot: time and memory of a run over some rows, or medians of several runs."""

    program: Program
    n_rows: int
    seconds: float
    peak_mib: float

    @property
    def key(self) -> str:
        """The key of the point in the results."""
        return f"{self.program}, {self.n_rows:,} rows"

    @property
    def is_fresh(self) -> bool:
        """Whether it was measured on this machine, less than a day ago."""
        return self.machine == describe_machine() and _now() - self.measured_at < _FRESH


class WidePoint(Measurement):
    """A point of the plot over columns: processor time and memory of a run, or their medians."""

    program: Program
    n_columns: int
    cpu_seconds: float
    peak_mib: float

    @property
    def key(self) -> str:
        """The key of the point in the results."""
        return f"{self.program}, {self.n_columns:,} columns"


class Results(BaseModel):
    """All that was measured: rows and points by their keys."""

    model_config = ConfigDict(extra="forbid")

    rows: dict[str, Row] = {}
    points: dict[str, Point] = {}
    wide_points: dict[str, WidePoint] = {}

    def make_table(self) -> str:
        """Makes a Markdown table for each machine, with its description above."""
        machines = dict.fromkeys(row.machine for row in self.rows.values())
        return "\n".join(
            f"{machine}:\n\n{_HEAD}{_lines(r for r in self.rows.values() if r.machine == machine)}"
            for machine in machines
        )


def _lines(rows: Iterable[Row]) -> str:
    return "".join(f"| {' | '.join(row.cells())} |\n" for row in rows)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
